// The desk: one presentation after the other. A sequence is taken first; the platform is asked, or this page decides and
// writes a line before it shows anything. When no answer comes in time the line goes under the same sequence: the
// platform finds by its content that it is one use.

import { CHARS_MAX, VERDICTS } from "./kit.js";
import { CodeRefused, decode, lenient } from "./code.js";
import { Refused, Unanswered } from "./requests.js";
import { LOOK, decideOffline, mannerOf, read } from "./decide.js";
import { encode } from "./journal.js";
import { ofAnswer, ofDecision, ofProblem, ofVerdict } from "./outcome.js";
import { spendsOf } from "./store.js";

const UNANSWERED = "unanswered";
const SEQUENCE_REUSED = "SEQUENCE_REUSED";
const NOT_RECORDED = "OFFLINE_NOT_RECORDED";
// Verdicts by which a code or a reading is used up: those from the card's state on.
const SPENDING = new Set(Object.keys(VERDICTS).filter((each) => !each.startsWith("OFFLINE_")).slice(Object.keys(VERDICTS).indexOf("CARD_UNKNOWN")));

export class Desk {
  #last = Promise.resolve();

  constructor(store, line, clock, supplies) {
    this.store = store;
    this.line = line;
    this.clock = clock;
    this.supplies = supplies;
  }

  get journal() { return this.line.terminal.journal; }

  /**
   * Present a code, a card's reading or a number for an item, and tell the outcome. `shown` is {item, code}, {item,
   * number} or {item, card, file, sequence}, with `amount_fen` and `leg` where the item takes them; `name` is what the
   * item is called, in both languages. One at a time.
   */
  present(shown, name) {
    const turn = this.#last.then(() => this.#present(shown, name));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #present({ sequence: taken, file = null, ...asked }, name) {
    if (asked.code !== undefined) asked.code = lenient(asked.code);
    const told = { name, read: readAs(asked) };
    if (asked.code !== undefined && !isShapedLikeACode(asked.code)) return ofVerdict("CODE_MALFORMED", told); // told to nobody
    const sequence = taken ?? (await this.store.take(this.journal));
    const at_ms = this.clock.now_ms();
    const shown = asked.number === undefined ? await read(asked, file, this.supplies.known, at_ms / 1000) : null;
    const before = shown?.spends ? await this.store.spentAs(shown.spends) : undefined;
    const isOurs = before?.isWritten ?? false; // used up by a line that the platform may not have yet
    let reason = null;
    if (this.line.isUp && !isOurs) {
      try {
        return await this.#online(asked, shown, sequence, at_ms, told, before);
      } catch (error) {
        if (error instanceof Refused && error.problem.code !== SEQUENCE_REUSED) return ofProblem(error.problem);
        if (error instanceof Refused) await this.store.leap(this.journal); // this storage is an older copy: nobody is kept out for that
        else if (error instanceof Unanswered) reason = UNANSWERED;
        else throw error;
      }
    }
    if (asked.number !== undefined) return ofVerdict("OFFLINE_NOT_ALLOWED", told); // what is read aloud waits for the line
    return this.#offline({ asked, file, shown, before, sequence, at_ms, reason, told });
  }

  async #online(asked, shown, sequence, at_ms, told, before) {
    const answer = await this.line.ask("/v1/uses", sequence, JSON.stringify(asked));
    if (shown?.spends && !shown.problem && SPENDING.has(answer.verdict.code) && !before) {
      await this.store.spend(spendsOf(shown, at_ms, this.journal, sequence, false));
    }
    return { ...ofAnswer(answer, { ...told, before }), journal: this.journal, sequence };
  }

  async #offline({ asked, file, shown, before, sequence, at_ms, reason, told }) {
    const { known } = this.supplies;
    const decision = decideOffline(asked, shown, known, before !== undefined, at_ms / 1000);
    const terminal = await this.store.terminal();
    const line = {
      sequence, at_ms, shift_ms: this.clock.shift_ms, key_id: terminal.key_id, ...asked, ...(file === null ? {} : { card_file: file }),
      verdict: decision.verdict, paid_fen: decision.paid_fen, lists: decision.lists, reason,
    };
    const isSpent = !shown.problem && SPENDING.has(decision.verdict) && !before;
    try {
      const written = await encode(terminal, line);
      await this.store.append({ journal: this.journal, sequence, ...written, at_ms, verdict: decision.verdict, item: asked.item }, isSpent ? spendsOf(shown, at_ms, this.journal, sequence, true) : null);
    } catch (error) {
      console.warn("the journal takes no line", error);
      return ofVerdict(NOT_RECORDED, told);
    }
    const mustLook = decision.item !== null && mannerOf(decision.item, shown.via) === LOOK;
    return { ...ofDecision(decision, { ...told, before, mustLook, at_s: at_ms / 1000 }), journal: this.journal, sequence, isOffline: true };
  }
}

function readAs({ code, card, number }) {
  if (code !== undefined) return `${code.slice(0, 14)}…`;
  return card ? card.number : `${number.slice(0, 4)}…`;
}

function isShapedLikeACode(text) {
  if (text.length > CHARS_MAX) return false;
  try {
    decode(text);
    return true;
  } catch (error) {
    if (error instanceof CodeRefused) return false;
    throw error;
  }
}
