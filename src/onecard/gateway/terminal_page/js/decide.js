// Deciding without a line, as onecard_kit.offline and onecard_kit.decide do it: the same pack and lists, the same ladder,
// the first refusal that applies. What a browser cannot know it takes for granted, like a gate; the platform decides each
// line again when it arrives. Unlike a gate it
//
//   * counts nobody's quotas and no capacity: each use is taken for the first of its day
//   * decides on no journeys (tapping in and out): they wait for the line
//
// Codes and files of a suite that browsers do not know are refused as of an unknown key.

import { CLASSES, CLOCK_SKEW_S, ITEM_KEYS } from "./kit.js";
import { CodeRefused, FAMILY, PAPER, lenient, verified } from "./code.js";
import { dayOf, minuteOf } from "./clock.js";
import { hex } from "./bytes.js";
import { keyName } from "./keys.js";
import { verifiedFile } from "./card.js";

const DAY_S = 86_400;
const [CODES, PAPERS, CARDS, TERMINALS, KEYS] = ["codes", "papers", "cards", "terminals", "keys"];
const REFUSED = {
  malformed: "CODE_MALFORMED", unknown_issuer: "ISSUER_UNKNOWN", unknown_key: "KEY_UNKNOWN", bad_signature: "SIGNATURE_INVALID",
};
const STATES = { active: null, cancelled: "CARD_CANCELLED", lost: "CARD_LOST" };
const FUNCTIONS = ["social_security", "financial", "transit"];
/** Staff compare the holder with their photo. */
export const LOOK = "look";

// --- what is known ----------------------------------------------------------------------------------------------------
//
// {pack, keys: Map of public keys by keyName, lists: Map of status lists by path, keysIssued, contacted}; `keys` hold
// neither withdrawn keys nor those of other suites; moments in Unix seconds, null for never.

const named = (known, name) => known.pack.lists.find((each) => each.name === name);

const listFor = (known, name, day) => known.lists.get(named(known, name)?.path.replace("{day}", day ?? ""));

/** When the newest list by a name was made; null where there is none. */
export function issuedOf(known, name) {
  if (name === KEYS) return known.keysIssued;
  const [start, end = ""] = named(known, name)?.path.split("{day}") ?? [];
  const made = [...known.lists].filter(([path]) => start !== undefined && path.startsWith(start) && path.endsWith(end)).map(([, each]) => each.issued);
  return made.length ? Math.max(...made) : null;
}

/** Whether a list must not be decided upon: the pack names it, and it is missing or older than the pack allows. */
export function isTooOld(known, name, now_s) {
  const oldest_s = named(known, name)?.oldest_s;
  const issued = issuedOf(known, name);
  return oldest_s !== undefined && (issued === null || now_s - issued > oldest_s);
}

function goodKeys(known, now_s) {
  const good = known.pack.keys.filter((each) => each.verifies_to === null || now_s < each.verifies_to).map((each) => keyName(each.issuer, each.kid));
  return new Map(good.filter((name) => known.keys.has(name)).map((name) => [name, known.keys.get(name)]));
}

/** The version of an item in force on a day; null where there is none, or this page is too old to understand it. */
export function itemOn(pack, code, day) {
  const versions = pack.items.find((each) => each.code === code)?.versions ?? [];
  return versions.find((each) => isUnderstood(each, ITEM_KEYS) && each.starts_on <= day && (!each.ends_on || day < each.ends_on)) ?? null;
}

/** Whether every key and every word of a declaration is one that this page was made for. */
function isUnderstood(value, shape) {
  if (value === null || shape === 1) return true;
  if (Array.isArray(value)) return value.every((each) => isUnderstood(each, shape));
  if (Array.isArray(shape)) return shape.includes(value);
  return typeof value === "object" && Object.entries(value).every(([key, each]) => key in shape && isUnderstood(each, shape[key]));
}

// --- reading ----------------------------------------------------------------------------------------------------------

/** What was shown, as far as it can be told: `problem` says why it is not genuine or not now. Throws nothing. */
export async function read(asked, file, known, now_s) {
  const keys = known.pack ? goodKeys(known, now_s) : new Map();
  try {
    return asked.card ? readCard(asked.card, await verifiedFile(file ?? "", keys), now_s) : readCode(await verified(lenient(asked.code), keys), now_s);
  } catch (error) {
    if (!(error instanceof CodeRefused)) throw error;
    const isNoFile = asked.card && error.reason === "malformed";
    return { medium: asked.card ? "card" : "code", problem: isNoFile ? "CRYPTOGRAM_INVALID" : REFUSED[error.reason], listedIn: CODES };
  }
}

function readCode(claims, now_s) {
  const isPaper = claims.via === PAPER;
  const isEarly = now_s < claims.not_before - CLOCK_SKEW_S;
  const isLate = now_s >= claims.expires + CLOCK_SKEW_S;
  return {
    medium: "code", problem: isEarly ? "CODE_NOT_YET_VALID" : isLate ? "CODE_EXPIRED" : null, issuer: claims.issuer, classes: claims.classes,
    functions: FUNCTIONS, listedIn: isPaper ? PAPERS : CODES, index: claims.ref, day: dayOf(claims.not_before), via: claims.via,
    spends: isPaper ? null : `nonce:${hex(claims.nonce)}`, goodUntil: claims.expires + CLOCK_SKEW_S,
  };
}

function readCard(chip, said, now_s) {
  const isOther = said.number !== chip.number || now_s < said.issued - CLOCK_SKEW_S;
  return {
    medium: "card", problem: isOther ? "CRYPTOGRAM_INVALID" : now_s >= said.expires ? "CARD_CANCELLED" : null, issuer: said.issuer,
    classes: said.classes, functions: said.functions, listedIn: CARDS, index: said.serial, day: null,
    spends: `chip:${chip.number}:${chip.counter}`, goodUntil: null,
  };
}

// --- deciding ---------------------------------------------------------------------------------------------------------

/**
 * Decide a presentation by what is known: {verdict, paid_fen, concession, item, lists}. `verdict` may be one of the
 * kit's OfflineRefusals; `isSpent` says that it was shown here before; `lists` when each list that was looked into was made.
 */
export function decideOffline(asked, shown, known, isSpent, now_s) {
  if (!known.pack) return { verdict: "OFFLINE_NOT_READY", paid_fen: 0, concession: null, item: null, lists: {} };
  const used = [shown.listedIn, TERMINALS, KEYS].map((name) => [name, issuedOf(known, name)]).filter(([, issued]) => issued !== null);
  const item = itemOn(known.pack, asked.item, dayOf(now_s));
  const facts = { asked, shown, known, isSpent, item, now_s, day: dayOf(now_s), minute: minuteOf(now_s) };
  const came = (verdict, terms = {}) => ({ verdict, paid_fen: 0, concession: null, ...terms, item, lists: Object.fromEntries(used) });
  const refusal = (item && mayNot(facts)) ?? LADDER.reduce((found, check) => found ?? check(facts), null);
  if (refusal) return came(refusal);
  const terms = priceOf(facts);
  return came(terms.paid_fen > item.offline.limit_fen ? "OFFLINE_OVER_LIMIT" : "ADMITTED", terms.paid_fen > item.offline.limit_fen ? {} : terms);
}

/** Whether an item is taken with a line only: its declaration says so, or it is used by tapping in and out. */
export const waitsForLine = (item) => !item.offline || Boolean(item.journey);

/** Whether this page may decide on the item at all; a forgery is told as such whatever the lists' age. */
function mayNot({ item, shown, known, now_s }) {
  if (waitsForLine(item)) return "OFFLINE_NOT_ALLOWED";
  if (known.contacted === null || now_s - known.contacted > item.offline.days * DAY_S) return "OFFLINE_AWAY_TOO_LONG";
  const isStale = !shown.problem && [shown.listedIn, TERMINALS, KEYS].some((name) => isTooOld(known, name, now_s));
  return isStale ? "OFFLINE_LIST_TOO_OLD" : null;
}

// In order of precedence: each says why not, or null.
const LADDER = [
  ({ known }) => {
    const { terminal, point } = known.pack;
    const state = listFor(known, TERMINALS, null)?.stateOf(terminal.serial) ?? "active";
    if (terminal.state !== "active" || state !== "active") return "TERMINAL_SUSPENDED";
    return point.client_state === "active" ? null : "CLIENT_SUSPENDED";
  },
  ({ asked, known, item }) => {
    const offered = known.pack.items.find((each) => each.code === asked.item);
    if (!offered) return "ITEM_UNKNOWN";
    if (offered.state !== "active") return "ITEM_SUSPENDED";
    return item ? null : "ITEM_NOT_IN_FORCE";
  },
  (facts) => {
    const { point, items } = facts.known.pack;
    if (point.state !== "active") return "POINT_SUSPENDED";
    if (items.find((each) => each.code === facts.asked.item).offered === false) return "ITEM_NOT_OFFERED";
    if (point.hours.length && !point.hours.some((each) => holds(each, facts))) return "POINT_CLOSED";
    return facts.item.when && !holds(facts.item.when, facts) ? "POINT_CLOSED" : null;
  },
  ({ asked, shown, known, item }) => {
    const media = item.media ?? ["code", "card"];
    const manner = mannerOf(item, shown.via);
    if (!media.includes(shown.medium) || !known.pack.point.media.includes(shown.medium) || manner === "refuse") return "MEDIUM_NOT_ACCEPTED";
    if (manner === LOOK && !known.pack.terminal.attended) return "NOT_ATTENDED";
    if (!amountFits(item, asked.amount_fen ?? null)) return "AMOUNT_INVALID";
    return asked.leg ? "LEG_INVALID" : null;
  },
  ({ shown, known }) => shown.problem ?? revoked(shown, known),
  ({ isSpent }) => (isSpent ? "REPLAYED" : null),
  ({ shown, known }) => STATES[listFor(known, shown.listedIn, shown.day)?.stateOf(shown.index) ?? "active"],
  ({ shown, item }) => (item.function && !shown.functions.includes(item.function) ? "FUNCTION_INACTIVE" : null),
  ({ item }) => (item.excluded ? "LEGALLY_EXCLUDED" : null),
  (facts) => {
    const { item, shown } = facts;
    if (!isInRegion(item.region ?? "all", facts)) return "NOT_ENTITLED";
    const isHeld = !item.classes?.length || item.classes.some((each) => shown.classes.some((number) => CLASSES[number]?.code === each));
    return isHeld ? null : "NOT_ENTITLED";
  },
  ({ asked, known, item }) => {
    const offered = known.pack.items.find((each) => each.code === asked.item);
    return item.capacity && (offered.capacity_count ?? item.capacity.count) <= 0 ? "CAPACITY_FULL" : null;
  },
];

/** How an item takes a code by who shows it; paper never pays. */
export function mannerOf(item, via) {
  if (via === PAPER) return item.price ? "refuse" : item.paper ?? LOOK;
  return via === FAMILY ? item.family ?? "take" : "take";
}

/** A paper code that its list calls invalid; its card may be good, and come by another way. */
function revoked({ listedIn, index }, known) {
  return listedIn === PAPERS && listFor(known, PAPERS, null)?.stateOf(index) === "cancelled" ? "CODE_REVOKED" : null;
}

function amountFits(item, amount_fen) {
  const open = item.price?.open_fen ?? null;
  return open === null ? amount_fen === null : amount_fen !== null && open[0] <= amount_fen && amount_fen <= open[1];
}

/** Whether days and hours hold now: `days` by the working calendar, `hours` with their end exclusive. */
function holds(when, { known, day, minute }) {
  const kind = known.pack.days[day] ?? ([0, 6].includes(new Date(day).getUTCDay()) ? "weekend" : "working");
  if (!(when.days ?? ["working", "weekend", "holiday"]).includes(kind)) return false;
  const windows = when.hours ?? [];
  return windows.length === 0 || windows.some(([start, end]) => minutes(start) <= minute && minute < minutes(end));
}

const minutes = (text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));

function isInRegion(region, { shown, known }) {
  if (region === "all") return true;
  if (region === "local") return shown.issuer.slice(0, 4) === known.pack.division.slice(0, 4);
  return (known.pack.areas[region] ?? []).some((each) => shown.issuer.startsWith(each));
}

// --- the price --------------------------------------------------------------------------------------------------------

/** What it costs this holder now: the concession that leaves least to pay, of equal ones the first. */
function priceOf(facts) {
  const { item, asked } = facts;
  if (!item.price) return { paid_fen: 0, concession: null };
  const full_fen = item.price.full_fen ?? asked.amount_fen;
  let [least_fen, best] = [full_fen, null];
  for (const concession of item.concession ?? []) {
    const left_fen = discounted(concession.price, full_fen);
    if (left_fen < least_fen && applies(concession, facts)) [least_fen, best] = [left_fen, concession];
  }
  return { paid_fen: Math.min(least_fen, item.day_cap_fen ?? least_fen), concession: best };
}

function discounted({ percent, off_fen_max, fixed_fen, cap_fen }, full_fen) {
  if (percent === undefined || percent === null) return Math.min(fixed_fen ?? cap_fen, full_fen);
  const left_fen = Math.floor((full_fen * percent) / 100);
  return off_fen_max === undefined || off_fen_max === null ? left_fen : Math.max(left_fen, full_fen - off_fen_max);
}

function applies(concession, facts) {
  if (concession.pass) return false; // no passes are known here
  if (concession.class !== "everyone" && !facts.shown.classes.some((number) => CLASSES[number]?.code === concession.class)) return false;
  if (!isInRegion(concession.region ?? "local", facts)) return false;
  if (concession.when && !holds(concession.when, facts)) return false;
  return !concession.quota || concession.quota.count > 0;
}
