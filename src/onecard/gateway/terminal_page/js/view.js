// What is on the page: every place where the page's words and states become elements.

import { VERDICTS } from "./kit.js";
import { own, other, put, spoken, t } from "./words.js";
import { timeOf } from "./clock.js";

const ICONS = { ok: "circle-check", bad: "circle-x", warn: "alert-triangle", idle: "scan", busy: "clock" };
const RECENT_MAX = 5;

export const $ = (id) => document.getElementById(id);
const base = document.body.dataset.base;
const iconPath = (name) => `${base}shared/vendor/icons.svg#${name}`;

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", iconPath(name));
  svg.setAttribute("class", "i");
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

/** A text of one of the two languages, marked as such. */
export function inLanguage(node, text, language) {
  node.textContent = text;
  node.lang = language === "zh" ? "zh-CN" : "en";
}

/** Say everything that stands still in the page's language. */
export function putWords() {
  document.documentElement.lang = spoken() === "zh" ? "zh-CN" : "en";
  document.title = t("title");
  put(document);
  const language = $("language");
  language.querySelector("span").textContent = t("language");
  language.setAttribute("aria-label", `${t("language")} ${t("language_label")}`);
}

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
  chip.classList.toggle("on", line.isUp);
  chip.classList.toggle("off", !line.isUp);
  chip.querySelector("use").setAttribute("href", iconPath(line.isUp ? "plug-connected" : "wifi-off"));
  const took = line.answered_ms === null ? t("online_short") : t("online", line.answered_ms);
  chip.querySelector("span").textContent = line.isUp ? took : t("offline");
}

// --- the result ---

/** What fills the screen: an outcome, or the tones "idle" and "busy" between two. */
export function showOutcome(outcome) {
  document.documentElement.dataset.tone = outcome.tone;
  $("result").className = `res ${outcome.tone}`;
  $("result-icon").setAttribute("href", iconPath(ICONS[outcome.tone]));
  pair($("result-title"), $("result-other"), outcome.title);
  pair($("result-why"), $("result-why-other"), outcome.why);
  const next = $("result-next");
  next.hidden = !outcome.next;
  next.replaceChildren();
  if (outcome.next) next.append(said(own(outcome.next), spoken()), said(other(outcome.next), spoken() === "zh" ? "en" : "zh", "other"));
  const facts = $("result-facts");
  facts.hidden = !outcome.facts?.length;
  facts.replaceChildren(...(outcome.facts ?? []).flatMap(([name, value]) => [
    element("dt", { textContent: t(name) }), element("dd", { textContent: typeof value === "string" ? value : own(value) }),
  ]));
}

function pair(mine, others, words) {
  mine.hidden = others.hidden = !words;
  if (!words) return;
  inLanguage(mine, own(words), spoken());
  inLanguage(others, other(words), spoken() === "zh" ? "en" : "zh");
}

function said(text, language, className = "") {
  const span = element("span", { className });
  inLanguage(span, text, language);
  return span;
}

/** The latest outcomes, the newest first: [{at_ms, outcome}]. */
export function showRecent(entries) {
  const none = element("li", { textContent: t("recent_none") });
  $("recent").replaceChildren(...(entries.length ? entries.slice(0, RECENT_MAX).map(entry) : [none]));
}

function entry({ at_ms, outcome }) {
  const words = own(VERDICTS[outcome.verdict] ?? outcome.why ?? outcome.title);
  const line = element("li", { className: outcome.tone }, icon({ ok: "check", bad: "x", warn: "alert-triangle" }[outcome.tone]));
  line.append(element("span", { className: "num", textContent: timeOf(at_ms) }), ` ${words}`);
  return line;
}
