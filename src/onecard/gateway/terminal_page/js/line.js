// The line to the gateway: asks under the terminal's name, and notices by itself whether anybody answers.
//
// A request that had no answer turns the page offline for a while, so that the next person does not wait for the same
// silence; for longer each time, up to a minute. The line is tried meanwhile (`reaches`).

import { Refused, Unanswered, jsonOf, send, signed } from "./requests.js";

/** Until a pack says how long to wait for an answer to a presentation. */
const ONLINE_MS = 1500;
const FETCH_MS = 30_000;
const TRY_MS = 3000;
const FIRST_AWAY_MS = 5000;
const LONGEST_AWAY_MS = 60_000;
const BELIEVED_FAILURES = 3;
/** An answer that took longer is no signal of the time. */
const SIGNAL_MS = 5000;

export class Line {
  #awayUntil = 0;
  #failures = 0;

  constructor(terminal, clock) {
    this.terminal = terminal;
    this.clock = clock;
    this.online_ms = ONLINE_MS;
    this.answered_ms = null; // how long the last answer took
    this.changed = () => {};
  }

  /** Whether the platform is asked about the next presentation. */
  get isUp() { return performance.now() >= this.#awayUntil; }

  /** Ask for a presentation's verdict: JSON in, JSON out. Throws Refused and Unanswered (requests.js). */
  async ask(path, sequence, body) {
    return this.#noticed(this.online_ms, true, async (timeout_ms, heard) => {
      const headers = { ...(await this.#signed("POST", path, sequence, body)), "content-type": "application/json" };
      return jsonOf(await send("POST", path, { headers, body, heard, timeout_ms, isUse: true }));
    });
  }

  /** Fetch what the gateway hands out: the answer with its text, or null where it is what we have (304). */
  async fetch(path, { etag, accept, signs } = {}) {
    return this.#noticed(FETCH_MS, false, async (timeout_ms, heard) => {
      const headers = signs ? await this.#signed("GET", path, 0, "", signs) : {};
      if (etag) headers["If-None-Match"] = etag;
      if (accept) headers.Accept = accept;
      const answer = await send("GET", path, { headers, heard, timeout_ms });
      return answer.status === 304 ? null : { etag: answer.headers.get("etag"), text: await textOf(answer) };
    });
  }

  /** Upload lines of a journal: each is signed by itself, so the request is signed without its body. */
  async upload(path, terminal, sequence, body) {
    return this.#noticed(FETCH_MS * 2, false, async (timeout_ms, heard) => {
      // The clock by which the lines were written that had no signal: the platform moves those by what it is off.
      const headers = { ...(await this.#signed("POST", path, sequence, "", terminal, this.clock.shown_s())), "content-type": "application/x-onecard-journal" };
      return textOf(await send("POST", path, { headers, body, heard, timeout_ms }));
    });
  }

  /** Try whether anybody answers again. */
  async reaches() {
    try {
      await send("GET", "/health", { timeout_ms: TRY_MS });
    } catch {
      return false;
    }
    if (this.#failures <= BELIEVED_FAILURES) this.#awayUntil = 0;
    this.changed();
    return this.isUp;
  }

  #signed(method, path, sequence, body, terminal = this.terminal, now_s = this.clock.now_s()) {
    return signed(terminal, method, path, sequence, body, now_s);
  }

  /** Run a request, and once more where only the clock was wrong: nothing was recorded, and now it is right. */
  async #noticed(timeout_ms, isPresentation, work) {
    const begun = performance.now();
    const left_ms = () => Math.max(1, Math.round(begun + timeout_ms - performance.now()));
    const heard = (date) => performance.now() - begun < SIGNAL_MS && this.clock.hearDate(date);
    try {
      const result = await work(left_ms(), heard).catch((error) => {
        if (error instanceof Refused && error.problem.code === "TERMINAL_CLOCK_OFF") return work(left_ms(), heard);
        throw error;
      });
      this.#answered(Math.round(performance.now() - begun));
      return result;
    } catch (error) {
      if (error instanceof Unanswered) this.#failed(isPresentation);
      else this.#answered(this.answered_ms);
      throw error;
    }
  }

  #answered(took_ms) {
    [this.#failures, this.#awayUntil, this.answered_ms] = [0, 0, took_ms];
    this.changed();
  }

  #failed(isPresentation) {
    this.#failures += isPresentation ? 1 : 0;
    const away_ms = isPresentation ? Math.min(LONGEST_AWAY_MS, FIRST_AWAY_MS * 2 ** (this.#failures - 1)) : FIRST_AWAY_MS;
    this.#awayUntil = Math.max(this.#awayUntil, performance.now() + away_ms);
    this.answered_ms = null;
    this.changed();
  }
}

async function textOf(answer) {
  try {
    return await answer.text();
  } catch (error) {
    throw new Unanswered(error.name);
  }
}
