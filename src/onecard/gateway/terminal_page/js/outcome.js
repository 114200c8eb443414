// What a presentation came to, as the page shows it: a tone, words in both languages, and the facts beneath.
//
//   tone   "ok", "bad", or "warn" where nothing is decided and staff are needed
//   title, why, next   words in both languages; why and next may be null
//   facts  [name of the fact (words.js), its value: a text, or words in both languages]
//
// What is told of a presentation: {name: the item's, in both languages; read: how what was shown begins; before: how
// the store knows that it was used here; at_s: when}.

import { CLASSES, LOOK, VERDICTS } from "./kit.js";
import { both, bothOf } from "./words.js";
import { timeOf } from "./clock.js";

export const yuan = (fen) => (fen === 0 ? both("free") : amount(fen));
const amount = (fen) => both("yuan", (fen / 100).toFixed(2));

/** The outcome of a verdict, with the facts that are known of it. */
export function ofVerdict(code, told, facts = []) {
  const { zh, en, next_zh, next_en } = VERDICTS[code] ?? { zh: code, en: code, next_zh: "", next_en: "" };
  const isAdmitted = code === "ADMITTED";
  const before = code === "REPLAYED" && told.before ? [["fact_before", timeOf(told.before.at_ms)]] : [];
  return {
    tone: isAdmitted ? "ok" : "bad",
    verdict: code,
    title: both(isAdmitted ? "admitted" : "refused"),
    why: isAdmitted ? null : { zh, en },
    next: next_zh ? { zh: next_zh, en: next_en } : null,
    facts: [["fact_item", told.name], ...before, ...facts, ["fact_read", told.read]],
  };
}

/** The outcome of the gateway's answer to a use. */
export function ofAnswer(answer, told) {
  const mustLook = answer.reasons.some((each) => each.code === LOOK.code);
  const terms = answer.reasons.slice(1).filter((each) => each.code !== LOOK.code);
  const facts = [];
  if (terms.length) facts.push(["fact_terms", bothOf(terms, "；", "; ")]);
  if (answer.admitted && answer.price.held_fen === null) facts.push(["fact_pay", yuan(answer.price.paid_fen)]);
  if (answer.balance_fen !== null) facts.push(["fact_balance", amount(answer.balance_fen)]);
  facts.push(["fact_use", answer.use.slice(-12)], ["fact_judged", both(answer.repeated ? "repeated" : "decided_online")]);
  const outcome = ofVerdict(answer.verdict.code, told, facts);
  const { zh, en, next_zh, next_en } = answer.verdict; // the platform's words, should it be newer than this page
  const next = next_zh ? { zh: next_zh, en: next_en } : null;
  return looking({ ...outcome, why: answer.admitted ? null : { zh, en }, next }, mustLook);
}

/** The outcome of what this page decided by itself (decide.js). */
export function ofDecision({ verdict, paid_fen, concession, item, lists }, told) {
  const facts = [];
  if (concession) facts.push(["fact_terms", concession.note ?? wordsOf(concession.class)]);
  if (verdict === "ADMITTED" && item.price) facts.push(["fact_pay_later", yuan(paid_fen)]);
  const ages = Object.values(lists).map((issued) => told.at_s - issued);
  facts.push(["fact_judged", ages.length ? both("decided_offline", Math.max(0, Math.round(Math.max(...ages) / 60))) : both("decided_offline_bare")]);
  return looking(ofVerdict(verdict, told, facts), told.mustLook);
}

/** Who is admitted after a look at the photo is not waved through: staff see what to do. */
function looking(outcome, mustLook) {
  if (!mustLook || outcome.tone !== "ok") return outcome;
  return { ...outcome, tone: "warn", title: both("look"), why: { zh: LOOK.zh, en: LOOK.en } };
}

function wordsOf(code) {
  const known = Object.values(CLASSES).find((each) => each.code === code);
  return known ? { zh: known.zh, en: known.en } : both("everyone");
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

/** Something broke on this page: nothing is decided. */
export function ofFault() {
  return { tone: "warn", verdict: null, title: both("undecided"), why: both("fault"), next: both("fault_next"), facts: [] };
}
