// The page begins here: what this browser can do, who we are, and which of the three pages it is.

import { canSign, importKey, jsonOf, send, Refused } from "./requests.js";
import { $, element, putWords, showLine, showOnly, showOutcome, showRecent, showStop } from "./view.js";
import { Clock, timeOf } from "./clock.js";
import { Desk, lenient } from "./desk.js";
import { Line } from "./line.js";
import { both, own, speak, spoken, t } from "./words.js";
import { openStore } from "./store.js";
import { ofSilence } from "./outcome.js";
import { sound, wakeSound } from "./sound.js";

const RESULT_MS = 2500;
const RECENT_KEPT = 20;

const page = { store: null, line: null, desk: null, clock: new Clock(), recent: [], outcome: null, isLoud: true };

// --- the look of the page ---

function look() {
  const choose = (name, value) => { try { localStorage.setItem(`onecard-${name}`, value); } catch { /* not kept */ } };
  const chosen = (name) => { try { return localStorage.getItem(`onecard-${name}`); } catch { return null; } };
  const setMode = (mode) => {
    document.documentElement.dataset.mode = mode;
    $("elder").setAttribute("aria-pressed", String(mode === "elder"));
  };
  const setLoud = (isLoud) => {
    page.isLoud = isLoud;
    $("sound").setAttribute("aria-pressed", String(isLoud));
    $("sound").querySelector("use").setAttribute("href", `${document.body.dataset.base}shared/vendor/icons.svg#${isLoud ? "volume" : "volume-off"}`);
  };
  speak(chosen("language") ?? (navigator.language.startsWith("zh") ? "zh" : "en"));
  setMode(chosen("mode") === "elder" ? "elder" : "standard");
  setLoud(chosen("sound") !== "off");
  $("language").addEventListener("click", () => {
    speak(spoken() === "zh" ? "en" : "zh");
    choose("language", spoken());
    putWords();
    redraw();
  });
  $("elder").addEventListener("click", () => {
    const mode = document.documentElement.dataset.mode === "elder" ? "standard" : "elder";
    choose("mode", mode);
    setMode(mode);
  });
  $("sound").addEventListener("click", () => {
    setLoud(!page.isLoud);
    choose("sound", page.isLoud ? "on" : "off");
  });
  for (const event of ["pointerdown", "keydown"]) addEventListener(event, wakeSound, { capture: true });
  for (const button of document.querySelectorAll("[data-close]")) button.addEventListener("click", () => button.closest("dialog").close());
}

/** Say again what is on the page, after the language changed. */
function redraw() {
  if (page.stopped) showStop(...page.stopped);
  if (!page.line) return;
  showLine(page.line);
  showOutcome(page.outcome ?? idle());
  showRecent(page.recent);
  showQueue();
}

function showQueue() { $("queue").textContent = t("queue", 0); }

function tick() {
  $("clock").querySelector("span").textContent = timeOf(page.clock.now_ms());
  setTimeout(tick, 1000 - (page.clock.now_ms() % 1000));
}

// --- which page it is ---

async function start() {
  look();
  putWords();
  tick();
  if (!isSecureContext || !crypto.subtle) return stop("insecure", false);
  if (!canSign()) return stop("suite", false);
  const isAlone = await alone();
  if (!isAlone) return stop("twice", true);
  try {
    page.store = await openStore();
  } catch {
    return stop("storage", true);
  }
  const terminal = await page.store.terminal();
  return terminal ? work(terminal) : showOnly("pairing");
}

function stop(why, canRetry) {
  page.stopped = [why, canRetry];
  showStop(why, canRetry);
}

/** Whether no other window writes this journal; holds the place until the page goes. */
function alone() {
  return new Promise((resolve) => {
    navigator.locks.request("onecard-terminal", { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock && new Promise(() => {});
    });
  });
}

// --- pairing ---

async function pair(event) {
  event.preventDefault();
  const code = $("pairing-code").value.trim().toUpperCase();
  const wrong = (words) => { $("pairing-wrong").textContent = words; $("pairing-code").focus(); };
  if (!code) return wrong(t("pair_empty"));
  wrong("");
  const button = event.target.querySelector("button");
  button.setAttribute("aria-busy", "true");
  try {
    const { answer } = await send("POST", "/v1/pairings", {
      headers: { "content-type": "application/json" }, body: JSON.stringify({ pairing_code: code }),
      timeout_ms: 15_000, heard: (date) => page.clock.hearDate(date),
    });
    const { key, ...told } = await jsonOf(answer);
    if (!canSign(told.algorithm)) return stop("suite", false);
    await page.store.pair({ ...told, key: await importKey(key) });
    await navigator.storage.persist?.();
    $("pairing-code").value = "";
    return work(await page.store.terminal());
  } catch (error) {
    if (error instanceof Refused) return wrong(`${own(error.problem.detail)}${own({ zh: error.problem.detail.next_zh, en: ` ${error.problem.detail.next_en}` })}`);
    return wrong(t(navigator.onLine ? "pair_unknown" : "pair_unreached"));
  } finally {
    button.removeAttribute("aria-busy");
  }
}

// --- at work ---

const idle = () => ({ tone: "idle", title: both("idle"), why: both("idle_why"), next: null, facts: [] });
const busy = () => ({ tone: "busy", title: both("busy"), why: both("busy_why"), next: null, facts: [] });

async function work(terminal) {
  page.line = new Line(terminal, page.clock);
  page.line.changed = () => showLine(page.line);
  page.desk = new Desk(page.store, page.line);
  $("terminal").textContent = `${t("terminal")} ${terminal.terminal}`;
  showOnly("work");
  redraw();
}

async function present(shown) {
  const name = shown.item;
  clearTimeout(page.resting);
  showOutcome(busy());
  let outcome;
  try {
    outcome = await page.desk.present(shown, name);
  } catch (error) {
    console.warn(error);
    outcome = ofSilence();
  }
  page.outcome = outcome;
  showOutcome(outcome);
  if (page.isLoud) sound(outcome.tone);
  page.recent = [{ at_ms: page.clock.now_ms(), outcome }, ...page.recent].slice(0, RECENT_KEPT);
  showRecent(page.recent);
  page.resting = setTimeout(rest, RESULT_MS);
}

/** Be ready for the next one. */
function rest() {
  clearTimeout(page.resting);
  page.outcome = null;
  showOutcome(idle());
}

function paste(event) {
  event.preventDefault();
  const text = lenient($("paste").value);
  $("paste").value = "";
  if (text) present({ item: $("item").value, code: text });
}

$("pairing").addEventListener("submit", pair);
$("reading").addEventListener("submit", paste);
$("result").addEventListener("click", () => page.outcome && rest());
addEventListener("keydown", (event) => event.key === "Escape" && page.outcome && rest());
$("again").addEventListener("click", () => location.reload());
start();
