// What a presentation came to, as the page shows it: a tone, words in both languages, and the facts beneath.
//
//   tone   "ok", "bad", or "warn" where nothing is decided and staff are needed
//   title, why, next   words in both languages; next may be null
//   facts  [name of the fact (words.js), its value: a text, or words in both languages]

import { VERDICTS } from "./kit.js";
import { both } from "./words.js";

export const yuan = (fen) => (fen === 0 ? both("free") : both("yuan", (fen / 100).toFixed(2)));

/** The outcome of a verdict. `refused` carries what to do next. */
export function ofVerdict(code, facts) {
  const words = VERDICTS[code] ?? { zh: code, en: code, next_zh: "", next_en: "" };
  const isAdmitted = code === "ADMITTED";
  return {
    tone: isAdmitted ? "ok" : "bad",
    verdict: code,
    title: both(isAdmitted ? "admitted" : "refused"),
    why: isAdmitted ? null : { zh: words.zh, en: words.en },
    next: words.next_zh ? { zh: words.next_zh, en: words.next_en } : null,
    facts,
  };
}

/** The outcome of the gateway's answer to a use. */
export function ofAnswer(answer, item, read) {
  const terms = answer.reasons.slice(1);
  const facts = [["fact_item", item]];
  if (terms.length) facts.push(["fact_terms", { zh: terms.map((each) => each.zh).join("；"), en: terms.map((each) => each.en).join("; ") }]);
  if (answer.admitted && !answer.price.held_fen) facts.push(["fact_pay", yuan(answer.price.paid_fen)]);
  if (answer.balance_fen !== null) facts.push(["fact_balance", both("yuan", (answer.balance_fen / 100).toFixed(2))]);
  facts.push(["fact_use", answer.use.slice(-12)], ["fact_read", read]);
  facts.push(["fact_judged", both(answer.repeated ? "repeated" : "decided_online")]);
  const outcome = ofVerdict(answer.verdict.code, facts);
  if (!answer.admitted) outcome.why = { zh: answer.verdict.zh, en: answer.verdict.en };
  if (answer.verdict.next_zh) outcome.next = { zh: answer.verdict.next_zh, en: answer.verdict.next_en };
  return outcome;
}

/** The outcome of a problem: the gateway took nothing. */
export function ofProblem(problem) {
  const { zh, en, next_zh, next_en } = problem.detail;
  return {
    tone: "warn",
    verdict: problem.code,
    title: both("undecided"),
    why: { zh, en },
    next: next_zh ? { zh: next_zh, en: next_en } : null,
    facts: [["fact_judged", both("not_recorded")], ["fact_trace", problem.trace.slice(0, 12)]],
  };
}

/** Nobody answered. */
export function ofSilence() {
  return {
    tone: "warn", verdict: null, title: both("undecided"), why: both("no_answer"), next: both("no_answer_next"), facts: [],
  };
}
