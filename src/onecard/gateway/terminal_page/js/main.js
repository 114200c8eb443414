// The page begins here: what this browser can do, who we are, and which of the three pages it is.

import { $, putWords, setIcon, showAges, showFields, showItems, showLine, showOnly, showOutcome, showQueue, showRecent, showState, showStop } from "./view.js";
import { Refused, canSign, importKey, jsonOf, send } from "./requests.js";
import { both, own, speak, spoken, t } from "./words.js";
import { dayOf, Clock, timeOf } from "./clock.js";
import { isAudible, sound, wakeSound } from "./sound.js";
import { Camera } from "./camera.js";
import { Desk } from "./desk.js";
import { Line } from "./line.js";
import { Supplies } from "./supplies.js";
import { Sync } from "./sync.js";
import { Wedge } from "./wedge.js";
import { canVerify } from "./keys.js";
import { itemOn, waitsForLine } from "./decide.js";
import { ofFault } from "./outcome.js";
import { openStore } from "./store.js";
import { readingOf } from "./tap.js";

const RESULT_MS = 2500;
const RECENT_KEPT = 20;
const JOURNAL_SHOWN = 50;
const PAIRING_MS = 15_000;
const UPDATE_MS = 3_600_000;

const page = { store: null, clock: null, line: null, supplies: null, sync: null, desk: null, camera: null, recent: [], outcome: null, item: null, isLoud: true };

// --- the look of the page, which this browser remembers ---

const remember = (name, value) => { try { localStorage.setItem(`onecard-${name}`, value); } catch { /* not kept */ } };
const remembered = (name) => { try { return localStorage.getItem(`onecard-${name}`); } catch { return null; } };

function look() {
  speak(remembered("language") ?? (navigator.language.startsWith("zh") ? "zh" : "en"));
  setMode(remembered("mode"));
  setLoud(remembered("sound") !== "off");
  $("language").addEventListener("click", () => {
    speak(spoken() === "zh" ? "en" : "zh");
    remember("language", spoken());
    putWords();
    redraw();
  });
  $("elder").addEventListener("click", () => setMode(document.documentElement.dataset.mode === "elder" ? "standard" : "elder"));
  $("sound").addEventListener("click", () => setLoud(!page.isLoud));
  for (const event of ["pointerdown", "keydown"]) addEventListener(event, wakeSound, { capture: true });
  for (const button of document.querySelectorAll("[data-close]")) button.addEventListener("click", () => button.closest("dialog").close());
}

function setMode(mode) {
  const chosen = mode === "elder" ? "elder" : "standard";
  document.documentElement.dataset.mode = chosen;
  $("elder").setAttribute("aria-pressed", String(chosen === "elder"));
  remember("mode", chosen);
}

function setLoud(isLoud) {
  page.isLoud = isLoud;
  $("sound").setAttribute("aria-pressed", String(isLoud));
  setIcon($("sound"), isLoud ? "volume" : "volume-off");
  remember("sound", isLoud ? "on" : "off");
}

/** Say again what is on the page, after the language changed. */
function redraw() {
  if (page.stopped) showStop(...page.stopped);
  if (!page.desk) return;
  $("camera-state").textContent = t(page.cameraState ?? "camera_off");
  showLine(page.line);
  showRecent(page.recent);
  showKnown();
  showOutcome(page.outcome ?? idle());
}

/** What the platform handed out, after it may have changed. */
function showKnown() {
  $("terminal").textContent = `${t("terminal")} ${page.line.terminal.terminal}`;
  $("point").textContent = page.supplies.known.pack?.point.code ?? t("terminal");
  showItems(items(), page.item);
  page.item = $("item").value;
  showFields(itemNow());
  showAges(page.supplies.ages());
  page.store.waiting().then(showQueue);
}

function tick() {
  $("clock").querySelector("span").textContent = timeOf(page.clock?.now_ms() ?? Date.now());
  if (page.desk) {
    showLineNow();
    showAges(page.supplies.ages());
  }
  setTimeout(tick, 1000 - ((page.clock?.now_ms() ?? Date.now()) % 1000));
}

// --- which page it is ---

async function start() {
  look();
  putWords();
  tick();
  if (!isSecureContext || !crypto.subtle) return stop("insecure", false);
  if (!canSign()) return stop("suite", false);
  if (!(await canVerify())) return stop("browser", false);
  if (!(await alone())) return stop("twice", true);
  try {
    page.store = await openStore();
  } catch {
    return stop("storage", true);
  }
  page.clock = new Clock((await page.store.kept("shift_ms")) ?? null, (shift_ms) => page.store.keep("shift_ms", shift_ms));
  keepOffline();
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

/** Have the service worker keep the page, and say when there is a newer one: staff choose the moment. */
async function keepOffline() {
  const registered = await navigator.serviceWorker?.register("/terminal/sw.js", { scope: "/terminal/" }).catch(() => null);
  if (!registered) return;
  const offer = (worker) => {
    if (!worker || !navigator.serviceWorker.controller) return;
    $("update").hidden = false;
    $("update").onclick = () => {
      navigator.serviceWorker.addEventListener("controllerchange", () => location.reload());
      worker.postMessage("take over");
    };
  };
  setInterval(() => registered.update().catch(() => {}), UPDATE_MS);
  offer(registered.waiting);
  registered.addEventListener("updatefound", () => {
    const worker = registered.installing;
    worker.addEventListener("statechange", () => worker.state === "installed" && offer(worker));
  });
}

// --- pairing ---

async function pair(event) {
  event.preventDefault();
  const code = $("pairing-code").value.trim().toUpperCase();
  const wrong = (words) => {
    $("pairing-wrong").textContent = words;
    if (words) $("pairing-code").focus();
  };
  wrong("");
  if (!code) return wrong(t("pair_empty"));
  const button = event.target.querySelector("button");
  button.setAttribute("aria-busy", "true");
  try {
    const { key, ...told } = await paired(code);
    if (!canSign(told.algorithm)) return stop("suite", false);
    await page.store.pair({ ...told, key: await importKey(key) });
    await navigator.storage.persist?.();
    if (page.line) return location.reload(); // who was at work goes on under the new journal
    $("pairing-code").value = "";
    return work(await page.store.terminal());
  } catch (error) {
    if (error instanceof Refused) return wrong(`${own(error.problem.detail)} ${error.problem.detail[`next_${spoken()}`]}`);
    return wrong(t(navigator.onLine ? "pair_unknown" : "pair_unreached"));
  } finally {
    button.removeAttribute("aria-busy");
  }
}

async function paired(code) {
  const headers = { "content-type": "application/json" };
  const heard = (date) => page.clock.hearDate(date);
  return jsonOf(await send("POST", "/v1/pairings", { headers, body: JSON.stringify({ pairing_code: code }), timeout_ms: PAIRING_MS, heard }));
}

// --- at work ---

/** Whether nothing can be taken for the chosen item before the line is back. */
const mustWait = () => !page.line.isUp && Boolean(itemNow()) && waitsForLine(itemNow());

function idle() {
  if (!items().length && page.supplies.known.contacted) return { tone: "idle", title: both("no_item"), why: both("no_item_why") };
  if (mustWait()) return { tone: "warn", title: both("item_waits"), why: both("item_waits_why") };
  return { tone: "idle", title: both("idle"), why: both("idle_why") };
}

/** Show how the line is, and what follows from it for whoever comes next. */
function showLineNow() {
  showLine(page.line);
  if (page.mustWait === mustWait()) return;
  page.mustWait = mustWait();
  if (!page.outcome && !page.isBusy) showOutcome(idle());
}
const busy = () => ({ tone: "busy", title: both("busy"), why: both("busy_why") });

async function work(terminal) {
  page.line = new Line(terminal, page.clock);
  page.supplies = await new Supplies(page.store, page.line, page.clock).open();
  page.sync = new Sync(page.store, page.line, page.clock, page.supplies);
  page.desk = new Desk(page.store, page.line, page.clock, page.supplies);
  page.recent = (await page.store.kept("recent")) ?? [];
  page.item = remembered("item");
  page.line.changed = showLineNow;
  page.sync.changed = synced;
  showOnly("work");
  redraw();
  new Wedge(scanned).listen(document);
  page.camera = new Camera($("camera"), scanned, (state) => {
    page.cameraState = state;
    $("camera-state").textContent = t(state);
  });
  if (remembered("camera") !== "off") page.camera.start();
  page.sync.run();
}

/** The items that are offered here today, with their names. */
function items() {
  const { pack } = page.supplies.known;
  const today = dayOf(page.clock.now_s());
  const versions = (pack?.items ?? []).filter((each) => each.offered !== false).map((each) => itemOn(pack, each.code, today)).filter(Boolean);
  return versions.map(({ code, name }) => ({ code, name }));
}

const itemNow = () => {
  const { pack } = page.supplies.known;
  return pack && itemOn(pack, page.item, dayOf(page.clock.now_s()));
};

/** After a round of synchronisation: what the platform says stands beside what was decided here. */
async function synced() {
  const told = await Promise.all(page.recent.map(async (each) => {
    const line = each.isOffline && !each.platform ? await page.store.line(each.journal, each.sequence) : null;
    return line?.platform ? { ...each, platform: line.platform } : each;
  }));
  if (told.some((each, at) => each !== page.recent[at])) await keepRecent(told);
  showKnown();
  if (!page.outcome && !page.isBusy) showOutcome(idle());
}

async function keepRecent(recent) {
  page.recent = recent;
  showRecent(recent);
  await page.store.keep("recent", recent);
}

// --- presenting ---

/** What an item asks for besides what is shown: {amount_fen, leg}; null where the amount that was typed is none. */
function asked(item) {
  if (item?.journey) return { leg: $("leg").value };
  if (!item?.price?.open_fen) return {};
  const typed = $("amount").value.trim().replace(",", ".");
  const amount_fen = /^\d{1,5}(\.\d{1,2})?$/.test(typed) ? Math.round(Number(typed) * 100) : 0;
  return amount_fen > 0 ? { amount_fen } : null;
}

/** What was shown as a presentation tells it: a number is what staff typed, everything else a code. */
function asShown(text) {
  const digits = text.normalize("NFKC").replace(/[ -]/g, "");
  return /^\d{12}$/.test(digits) ? { number: digits } : { code: text };
}

/** Present what was read; false where nobody is ready for it. */
function scanned(text) {
  const isReady = page.item && !$("work").hidden && !document.querySelector("dialog[open]");
  if (isReady) present(asShown(text));
  return Boolean(isReady);
}

async function present(shown) {
  const item = itemNow();
  const more = asked(item);
  if (!page.item) return show({ tone: "warn", verdict: null, title: both("undecided"), why: both("no_item_why"), next: null, facts: [] });
  if (more === null) {
    $("amount").focus();
    return show({ tone: "warn", verdict: null, title: both("undecided"), why: both("amount_wrong"), next: null, facts: [] });
  }
  clearTimeout(page.resting);
  page.isBusy = true;
  showOutcome(busy());
  try {
    show(await page.desk.present({ item: page.item, ...shown, ...more }, item?.name ?? { zh: page.item, en: page.item }));
  } catch (error) {
    console.warn("a presentation failed", error);
    show(ofFault());
  }
}

function show(outcome) {
  clearTimeout(page.resting);
  page.isBusy = false;
  page.outcome = outcome;
  showOutcome(outcome);
  if (page.isLoud) sound(outcome.tone);
  page.resting = setTimeout(rest, RESULT_MS);
  const { tone, verdict, why, title, journal, sequence, isOffline } = outcome;
  keepRecent([{ at_ms: page.clock.now_ms(), tone, verdict, words: why ?? title, journal, sequence, isOffline }, ...page.recent].slice(0, RECENT_KEPT));
  page.store.waiting().then(showQueue);
}

/** Be ready for the next one. */
function rest() {
  clearTimeout(page.resting);
  page.outcome = null;
  showOutcome(idle());
}

function paste(event) {
  event.preventDefault();
  const text = $("paste").value.trim();
  $("paste").value = "";
  if (text) present(asShown(text));
}

// --- the simulated reader ---

/** Take a sequence and ask for a reading: a chip's answer is bound to it. */
async function askForTap() {
  const { terminal, journal } = page.line.terminal;
  page.tap = { terminal, journal, sequence: await page.store.take(journal) };
  $("tap-asks").textContent = JSON.stringify(page.tap);
  $("tap-wrong").textContent = "";
  $("tap-dialog").showModal();
  $("tap-answer").focus();
}

async function tap(event) {
  event.preventDefault();
  try {
    const { card, file, left } = await readingOf($("tap-answer").value, page.tap);
    $("tap-answer").value = left;
    $("tap-dialog").close();
    await present({ card, file, sequence: page.tap.sequence });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    $("tap-wrong").textContent = t("tap_wrong");
    $("tap-answer").focus();
  }
}

// --- the state ---

async function openState() {
  await drawState();
  $("state-dialog").showModal();
}

async function drawState() {
  const { known } = page.supplies;
  const yes = (is) => t(is ? "yes" : "no");
  showState({
    line: page.line,
    contacted_s: known.contacted === null ? null : Math.max(0, page.clock.now_s() - known.contacted),
    shift_ms: page.clock.shift_ms,
    ages: page.supplies.ages(),
    journal: await page.store.newestLines(page.line.terminal.journal, JOURNAL_SHOWN),
    problem: page.sync.problem,
    wrong: page.supplies.wrong,
    tests: [
      ["self_persist", yes(await navigator.storage.persisted?.())],
      ["self_worker", yes(Boolean(navigator.serviceWorker?.controller))],
      ["self_camera", t(page.cameraState)],
      ["self_sound", isAudible() ? t("yes") : t("sound_asleep")],
    ],
  });
}

async function synchronise() {
  const button = $("refresh");
  button.setAttribute("aria-busy", "true");
  await page.sync.round(true);
  button.removeAttribute("aria-busy");
  await drawState();
}

$("pairing").addEventListener("submit", pair);
$("pair-again").addEventListener("click", () => {
  $("state-dialog").close();
  $("pair-not").hidden = false;
  showOnly("pairing");
  $("pairing-code").focus();
});
$("pair-not").addEventListener("click", () => showOnly("work"));
$("reading").addEventListener("submit", paste);
$("item").addEventListener("change", () => {
  page.item = $("item").value;
  remember("item", page.item);
  showFields(itemNow());
  showLineNow();
});
$("tap").addEventListener("click", askForTap);
$("tap-form").addEventListener("submit", tap);
$("lens").addEventListener("click", async () => {
  await page.camera.turn();
  remember("camera", page.camera.isOn ? "on" : "off");
});
$("state").addEventListener("click", openState);
$("refresh").addEventListener("click", synchronise);
$("result").addEventListener("click", () => page.outcome && rest());
addEventListener("keydown", (event) => event.key === "Escape" && page.outcome && rest());
$("again").addEventListener("click", () => location.reload());
start();
