// The desk: one presentation after the other, each under a sequence of its own.

import { CHARS_MAX } from "./kit.js";
import { Refused, Unanswered } from "./requests.js";
import { ofAnswer, ofProblem, ofSilence, ofVerdict } from "./outcome.js";

/** Undo what a keyboard-wedge scanner does to a code (onecard_kit.codes.lenient): only ASCII is touched. */
export const lenient = (text) => (/^[\x00-\x7f]*$/.test(text) ? text.trim().toUpperCase() : text);

export class Desk {
  #last = Promise.resolve();

  constructor(store, line) {
    this.store = store;
    this.line = line;
  }

  /**
   * Present a code or a card's reading for an item, and tell the outcome. `shown` is {item, code} or {item, card,
   * sequence}, with `amount_fen` and `leg` where the item takes them; `name` is what the item is called. One at a time.
   */
  present(shown, name) {
    const turn = this.#last.then(() => this.#present(shown, name));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #present({ sequence: taken, ...shown }, name) {
    const read = shown.code === undefined ? shown.card.number : `${shown.code.slice(0, 14)}…`;
    if (shown.code !== undefined && (shown.code.length > CHARS_MAX || !shown.code.startsWith("OC1."))) {
      return ofVerdict("CODE_MALFORMED", [["fact_item", name], ["fact_read", read]]); // no code: told to nobody
    }
    const sequence = taken ?? (await this.store.take());
    try {
      return ofAnswer(await this.line.ask("/v1/uses", sequence, JSON.stringify(shown)), name, read);
    } catch (error) {
      if (error instanceof Refused) return ofProblem(error.problem);
      if (error instanceof Unanswered) return ofSilence();
      throw error;
    }
  }
}
