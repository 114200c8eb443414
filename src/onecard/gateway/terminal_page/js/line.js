// The line to the gateway: asks under the terminal's name, and notices by itself whether anybody answers.

import { Refused, Unanswered, jsonOf, send, signed } from "./requests.js";

/** Until a pack says how long to wait for an answer. */
const TIMEOUT_MS = 3000;
/** A line that was silent is tried again by a presentation only after it answered something else. */
const PATIENCE_MS = 15_000;

export class Line {
  constructor(terminal, clock) {
    this.terminal = terminal;
    this.clock = clock;
    this.timeout_ms = TIMEOUT_MS;
    this.isUp = true;
    this.answered_ms = null; // how long the last answer took
    this.changed = () => {};
  }

  /** Ask for a presentation's verdict: JSON in, JSON out. Throws Refused and Unanswered (requests.js). */
  async ask(path, sequence, body) {
    return this.#noticed(async (heard) => {
      const { answer } = await send("POST", path, {
        headers: { ...(await this.#signed("POST", path, sequence, body)), "content-type": "application/json" },
        body, heard, timeout_ms: this.timeout_ms,
      });
      return jsonOf(answer);
    });
  }

  /** Fetch what the gateway hands out: the answer, or null where it is what we have (304). */
  async fetch(path, { etag, accept, sequence, patience_ms = PATIENCE_MS } = {}) {
    return this.#noticed(async (heard) => {
      const headers = sequence === undefined ? {} : await this.#signed("GET", path, sequence, "");
      if (etag) headers["If-None-Match"] = etag;
      if (accept) headers.Accept = accept;
      const { answer } = await send("GET", path, { headers, heard, timeout_ms: patience_ms });
      return answer.status === 304 ? null : answer;
    });
  }

  #signed(method, path, sequence, body) {
    return signed(this.terminal, method, path, sequence, body, this.clock.now_s());
  }

  /** Run a request, and once more where only the clock was wrong: nothing was recorded, and now it is right. */
  async #noticed(work) {
    const begun_ms = performance.now();
    const heard = (date) => this.clock.hearDate(date);
    try {
      const result = await work(heard).catch((error) => {
        if (error instanceof Refused && error.problem.code === "TERMINAL_CLOCK_OFF") return work(heard);
        throw error;
      });
      this.#turn(true, Math.round(performance.now() - begun_ms));
      return result;
    } catch (error) {
      this.#turn(!(error instanceof Unanswered));
      throw error;
    }
  }

  #turn(isUp, took_ms = null) {
    this.isUp = isUp;
    this.answered_ms = isUp ? took_ms ?? this.answered_ms : null;
    this.changed();
  }
}
