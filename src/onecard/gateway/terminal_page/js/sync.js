// What happens beside the desk: the line is tried again, the journal is uploaded, supplies are fetched. A line counts as had
// by the platform only when the platform says so, and it may take that back: one that was restored from a backup gets
// again what it lost.

import { Refused, Unanswered } from "./requests.js";

const [UPLOAD, JOURNALS] = ["/v1/uses:batch", "/v1/journals/"];
const LINES_MAX = 200;
/** Why a line was rejected that will be taken later; any other reason stays. */
const SENT_AGAIN = new Set(["CARD_BUSY", "OUR_FAULT"]);
const TRY_MS = 3000;
const FETCH_MS = 60_000;
/** A journal against which the platform says something is left alone for so long. */
const REST_MS = 300_000;

export class Sync {
  #asked = new Set();
  #rests = new Map(); // journal → until when
  #fetchedAt = -Infinity;
  #round = Promise.resolve();

  constructor(store, line, clock, supplies) {
    this.store = store;
    this.line = line;
    this.clock = clock;
    this.supplies = supplies;
    this.problem = null; // the last thing that the platform said against an upload: words in both languages
    this.changed = () => {};
  }

  /** Go on as long as the page lives. */
  async run() {
    for (;;) {
      await this.round();
      await new Promise((resolve) => { setTimeout(resolve, TRY_MS); });
    }
  }

  /** One round now; `isAsked` fetches supplies whether or not they are due. Rounds wait for each other. */
  round(isAsked = false) {
    this.#round = this.#round.then(() => this.#oneRound(isAsked)).catch((error) => {
      if (!(error instanceof Unanswered)) console.warn("synchronisation", error);
      this.#asked.clear(); // who comes back may be a platform from a backup
    }).finally(() => this.changed());
    return this.#round;
  }

  async #oneRound(isAsked) {
    if (!this.line.isUp && !(await this.line.reaches())) return;
    if (isAsked) this.#rests.clear();
    for (const journal of await this.store.journals()) await this.#upload(journal);
    if (isAsked || performance.now() - this.#fetchedAt >= FETCH_MS) {
      await this.supplies.refresh();
      this.#fetchedAt = performance.now();
      await this.store.dropOld(this.clock.now_ms());
    }
  }

  async #upload(journal) {
    if (performance.now() < (this.#rests.get(journal.journal) ?? 0)) return;
    if (!(await this.store.newestLines(journal.journal, 1)).length) return;
    try {
      if (!this.#asked.has(journal.journal)) await this.#askHowFar(journal);
      for (;;) {
        const through = await this.store.through(journal.journal);
        const lines = await this.store.nextLines(journal.journal, LINES_MAX);
        if (!lines.length) return;
        await this.#send(journal, through, lines);
        if ((await this.store.through(journal.journal)) <= through) return; // it wants none of these; again next time, and not at once
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.problem = error.problem.detail;
      this.#rests.set(journal.journal, performance.now() + REST_MS);
    }
  }

  /** Ask what the platform has, once for each time that the line came back. */
  async #askHowFar(journal) {
    const { text } = await this.line.fetch(JOURNALS + journal.journal, { signs: journal });
    const told = JSON.parse(text);
    if (await this.store.isOf(journal.journal, told)) await this.store.acknowledge(journal.journal, told.through, this.clock.now_ms());
    else console.warn("the platform has lines that are not here: this browser's storage is an older copy");
    this.#asked.add(journal.journal);
  }

  /**
   * Upload the lines after `through`; those up to the first that is to be sent again count as had, by what is answered to
   * each. Where the platform has less than it had said, it gets that again.
   */
  async #send(journal, through, lines) {
    const text = await this.line.upload(UPLOAD, journal, through + 1, lines.map((line) => line.text).join(""));
    const told = text.split("\n").filter(Boolean).map((each) => JSON.parse(each));
    const results = told.filter((each) => each.result && Number.isInteger(each.sequence));
    await this.store.answered(journal.journal, results);
    const end = told.at(-1);
    if (!end || !Number.isInteger(end.through)) throw new Unanswered("no end of an upload");
    this.problem = end.done ? null : { zh: end.zh, en: end.en };
    if (!end.done) return;
    const isLess = end.through < through && (await this.store.isOf(journal.journal, end));
    await this.store.acknowledge(journal.journal, isLess ? end.through : had(through, lines, told), this.clock.now_ms());
  }
}

/** Up to which sequence the answers to an upload leave nothing to be sent again. */
function had(through, lines, told) {
  for (const [at, line] of lines.entries()) {
    if (told[at]?.sequence !== line.sequence || SENT_AGAIN.has(told[at].code)) return through;
    through = line.sequence;
  }
  return through;
}
