// How the terminal proves that a request is its own (onecard_kit.requests), and what became of it.

import { MAC } from "./kit.js";
import { fromHex, hex, utf8 } from "./bytes.js";

const HMAC = { name: "HMAC", hash: "SHA-256" };

/** Whether a browser can do what terminals' keys of this node are for. */
export const canSign = (mac = MAC) => mac === "hmac-sha256";

/** The key as the browser holds it: it signs, and nobody can read it out. */
export const importKey = (text) => crypto.subtle.importKey("raw", fromHex(text), HMAC, false, ["sign"]);

/** The MAC of a text under the terminal's key, in hex. */
export const macOf = async (key, text) => hex(await crypto.subtle.sign("HMAC", key, utf8(text)));

/** The six headers of a signed request. `time_s` is the terminal's clock in Unix seconds. */
export async function signed(terminal, method, path, sequence, body, time_s) {
  const digest = hex(await crypto.subtle.digest("SHA-256", utf8(body)));
  const message = [method, path, time_s, terminal.journal, sequence, digest].join("\n");
  return {
    "OneCard-Terminal": terminal.terminal,
    "OneCard-Key": String(terminal.key_id),
    "OneCard-Time": String(time_s),
    "OneCard-Journal": terminal.journal,
    "OneCard-Sequence": String(sequence),
    "OneCard-Signature": await macOf(terminal.key, message),
  };
}

// Statuses that say nothing of what became of a use; all others of 400 and above recorded nothing.
const UNKNOWN = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Nobody answered, or nobody knows what the answer would have been: it may be recorded or not. */
export class Unanswered extends Error {}

/** The gateway answered with a problem: a code and words in both languages. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.code);
    this.status = status;
    this.problem = problem;
  }
}

/**
 * Send a request; its answer. Throws Refused for a problem that the gateway tells, and Unanswered where there was no
 * answer: no connection, too late, or not from the gateway. Of a use (`isUse`) a problem that says nothing of what
 * became of it is Unanswered, too.
 */
export async function send(method, path, { headers = {}, body, timeout_ms, heard, isUse = false }) {
  const answer = await fetched(method, path, headers, body, timeout_ms);
  heard?.(answer.headers.get("date"));
  if (!answer.ok && answer.status !== 304) throw await refusal(answer, isUse);
  return answer;
}

async function fetched(method, path, headers, body, timeout_ms) {
  const options = { method, headers, body, cache: "no-store", credentials: "omit", redirect: "error" };
  try {
    return await fetch(path, { ...options, signal: AbortSignal.timeout(timeout_ms) });
  } catch (error) {
    throw new Unanswered(error.name);
  }
}

async function refusal(answer, isUse) {
  const problem = await answer.json().catch(() => null);
  if (problem?.code && !(isUse && UNKNOWN.has(answer.status))) return new Refused(answer.status, problem);
  return new Unanswered(problem?.code ?? `${answer.status}`);
}

/** The JSON of an answer; Unanswered where it breaks off. */
export async function jsonOf(answer) {
  try {
    return await answer.json();
  } catch (error) {
    throw new Unanswered(error.name);
  }
}
