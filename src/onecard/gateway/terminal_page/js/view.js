// What is on the page: every place where the page's words and states become elements.

import { VERDICTS } from "./kit.js";
import { own, other, put, spoken, t } from "./words.js";
import { timeOf } from "./clock.js";

const ICONS = { ok: "circle-check", bad: "circle-x", warn: "alert-triangle", idle: "scan", busy: "clock" };
const SMALL_ICONS = { ok: "check", bad: "x", warn: "alert-triangle" };
const RECENT_SHOWN = 5;

export const $ = (id) => document.getElementById(id);
const base = document.body.dataset.base;
const iconPath = (name) => `${base}shared/vendor/icons.svg#${name}`;

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", iconPath(name));
  svg.setAttribute("class", "i");
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

/** A text of one of the two languages, marked as such. */
function inLanguage(node, text, language) {
  node.textContent = text;
  node.lang = language === "zh" ? "zh-CN" : "en";
  return node;
}

const others = () => (spoken() === "zh" ? "en" : "zh");

/** Say everything that stands still in the page's language. */
export function putWords() {
  document.documentElement.lang = spoken() === "zh" ? "zh-CN" : "en";
  document.title = t("title");
  put(document);
  const language = $("language");
  language.querySelector("span").textContent = t("language");
  language.setAttribute("aria-label", `${t("language")} ${t("language_label")}`);
}

export function setIcon(button, name) { button.querySelector("use").setAttribute("href", iconPath(name)); }

/** One thing fills the page: "stop", "pairing" or "work". */
export function showOnly(name) {
  for (const each of ["stop", "pairing", "work"]) $(each).hidden = each !== name;
  for (const each of ["log", "terminal", "line", "item-pick", "state"]) $(each).hidden = name !== "work";
}

export function showStop(why, canRetry) {
  $("stop-title").textContent = t("stop_title");
  $("stop-why").textContent = t(`stop_${why}`);
  $("stop-next").textContent = t(`stop_${why}_next`);
  $("again").hidden = !canRetry;
  showOnly("stop");
}

export function showLine(line) {
  const chip = $("line");
  const took = line.answered_ms === null ? t("online_short") : t("online", line.answered_ms);
  const text = line.isUp ? took : t("offline");
  if (chip.querySelector("span").textContent === text) return;
  chip.className = `chip ${line.isUp ? "on" : "off"}`;
  setIcon(chip, line.isUp ? "plug-connected" : "wifi-off");
  chip.querySelector("span").textContent = text;
}

/** What may be presented for here: [{code, name}], with the one that was chosen. */
export function showItems(items, chosen) {
  const options = items.length ? items.map(({ code, name }) => new Option(own(name), code, false, code === chosen)) : [new Option(t("no_item"), "")];
  $("item").replaceChildren(...options);
  $("item").disabled = items.length === 0;
}

/** The fields that an item asks for: an amount, or which way. */
export function showFields(item) {
  document.querySelector(".ctl .leg").hidden = !item?.journey;
  document.querySelector(".ctl .amount").hidden = !item?.price?.open_fen;
}

// --- the result ---

/** What fills the screen: an outcome, or the tones "idle" and "busy" between two. */
export function showOutcome(outcome) {
  document.documentElement.dataset.tone = outcome.tone;
  $("result").className = `res ${outcome.tone}`;
  $("result-icon").setAttribute("href", iconPath(ICONS[outcome.tone]));
  inBoth($("result-title"), $("result-other"), outcome.title);
  inBoth($("result-why"), $("result-why-other"), outcome.why);
  const next = $("result-next");
  next.hidden = !outcome.next;
  next.replaceChildren(...(outcome.next ? [
    inLanguage(element("span"), own(outcome.next), spoken()), inLanguage(element("span", { className: "other" }), other(outcome.next), others()),
  ] : []));
  const facts = $("result-facts");
  facts.hidden = !outcome.facts?.length;
  facts.replaceChildren(...(outcome.facts ?? []).flatMap(([name, value]) => [
    element("dt", { textContent: t(name) }), element("dd", { textContent: typeof value === "string" ? value : own(value) }),
  ]));
}

function inBoth(mine, theirs, words) {
  mine.hidden = theirs.hidden = !words;
  if (!words) return;
  inLanguage(mine, own(words), spoken());
  inLanguage(theirs, other(words), others());
}

// --- the foot of the page ---

const verdictWords = (code) => own(VERDICTS[code] ?? { zh: code, en: code });

/** The latest outcomes, the newest first: [{at_ms, tone, verdict, words, isOffline, platform}]. */
export function showRecent(entries) {
  const none = element("li", { textContent: t("recent_none") });
  $("recent").replaceChildren(...(entries.length ? entries.slice(0, RECENT_SHOWN).map(entry) : [none]));
}

function entry({ at_ms, tone, verdict, words, isOffline, platform }) {
  const said = verdict in VERDICTS ? verdictWords(verdict) : own(words);
  const told = isOffline ? ` · ${t("by_platform", platform ? platformWords(platform) : t("state_waiting"))}` : "";
  const line = element("li", { className: tone }, icon(SMALL_ICONS[tone]));
  line.append(element("span", { className: "num", textContent: timeOf(at_ms) }), ` ${said}${told}`);
  return line;
}

function platformWords({ result, verdict, code, shortfall_fen, double }) {
  if (result === "rejected") return code;
  const shortfall = shortfall_fen ? ` ${t("state_shortfall", t("yuan", (shortfall_fen / 100).toFixed(2)))}` : "";
  return `${verdictWords(verdict)}${shortfall}${double ? ` ${t("state_double")}` : ""}`;
}

export function showQueue(count) { $("queue").textContent = t("queue", count); }

const ageOf = (age_s) => {
  if (age_s === null) return t("never");
  if (age_s < 120) return t("seconds", age_s);
  if (age_s < 7200) return t("minutes", Math.floor(age_s / 60));
  return age_s < 172_800 ? t("hours", Math.floor(age_s / 3600)) : t("days", Math.floor(age_s / 86_400));
};

const isTooOld = ({ age_s, oldest_s }) => age_s === null || age_s > oldest_s;

/** The age of the oldest list, or that one is too old to decide by. */
export function showAges(ages) {
  const isLate = !ages.length || ages.some(isTooOld);
  $("ages").classList.toggle("late", isLate);
  const oldest = Math.max(...ages.map((each) => each.age_s ?? 0));
  $("ages").textContent = !ages.length ? t("ages_none") : isLate ? t("ages_old") : t("ages", ageOf(oldest));
}

// --- the state ---

/** Everything that staff may want to know: {line, contacted_s, shift_ms, ages, journal, problem, wrong, tests}. */
export function showState({ line, contacted_s, shift_ms, ages, journal, problem, wrong, tests }) {
  $("state-body").replaceChildren(
    heading("state_line"),
    facts([
      ["state_up", line.isUp ? t("online_short") : t("offline")],
      ["state_contact", contacted_s === null ? t("never") : t("ago", ageOf(contacted_s))],
      ["state_clock", shift_ms === null ? t("state_clock_none") : t("state_clock_s", (shift_ms / 1000).toFixed(1))],
    ]),
    heading("state_lists"),
    ages.length ? table(["state_list", "state_age", "state_oldest"], ages.map(listRow)) : element("p", { textContent: t("state_none") }),
    ...(wrong.length ? [element("p", { className: "late", textContent: wrong.join("; ") })] : []),
    element("p", { className: "hint", textContent: t("state_unchecked") }),
    heading("state_journal"),
    ...(problem ? [element("p", { className: "late", textContent: own(problem) })] : []),
    journal.length ? table(["state_sequence", "state_time", "item", "state_gate", "state_platform"], journal.map(journalRow)) : element("p", { textContent: t("state_journal_none") }),
    heading("state_self"),
    facts(tests),
    element("p", { className: "hint", textContent: t("pair_again_why") }),
  );
}

const heading = (name) => element("h3", { textContent: t(name) });

const facts = (rows) => element("dl", { className: "kv" }, ...rows.flatMap(([name, value]) => [
  element("dt", { textContent: t(name) }), element("dd", { textContent: value }),
]));

function table(names, rows) {
  const head = element("thead", {}, element("tr", {}, ...names.map((name) => element("th", { scope: "col", textContent: t(name) }))));
  const made = element("table", { className: "told" }, head, element("tbody", {}, ...rows));
  return element("div", { className: "scroll", tabIndex: 0, role: "group", ariaLabel: t(names[0]) }, made);
}

const row = (...cells) => element("tr", {}, ...cells.map((text) => element("td", { textContent: text })));

const listRow = (each) => {
  const made = row(t(`list_${each.name}`), ageOf(each.age_s), ageOf(each.oldest_s));
  made.classList.toggle("late", isTooOld(each));
  return made;
};

const journalRow = ({ sequence, at_ms, item, verdict, waiting, platform }) => row(
  sequence, timeOf(at_ms), item, verdictWords(verdict), platform ? platformWords(platform) : waiting ? t("state_waiting") : "",
);
