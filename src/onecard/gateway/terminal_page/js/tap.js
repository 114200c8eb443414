// A simulated reader: what a reader answers to one reading, or a card of the demo, from which this page answers as the chip
// would (onecard_kit.chips; the keys behind real chips are not public).

import { fromHex, hex, joined, utf8 } from "./bytes.js";

const CRYPTOGRAM_BYTES = 8;
const COUNTER_MAX = 2 ** 32 - 1;

/**
 * The reading that a text in JSON holds: {card: {number, counter, cryptogram}, file, left}. `at` is {terminal, journal,
 * sequence}; `left` is the text for the next reading of a demo's card. Throws TypeError for what is neither.
 */
export async function readingOf(text, at) {
  const told = parsed(text);
  const { number, counter, cryptogram, key, file = null } = told;
  const isCard = typeof number === "string" && /^[\x21-\x7e]{9}$/.test(number) && Number.isInteger(counter) && counter >= 0 && counter < COUNTER_MAX;
  if (!isCard || !(file === null || typeof file === "string")) throw new TypeError("no card");
  if (typeof cryptogram === "string" && /^[0-9a-f]{16}$/.test(cryptogram)) return { card: { number, counter, cryptogram }, file, left: "" };
  if (typeof key !== "string" || !/^[0-9a-f]{32}$/.test(key)) throw new TypeError("no key");
  const next = { ...told, counter: counter + 1 };
  return { card: { number, counter: next.counter, cryptogram: await answer(fromHex(key), next, at) }, file, left: JSON.stringify(next) };
}

function parsed(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    throw new TypeError("no JSON");
  }
}

/** first 8 bytes of HMAC-SHA256(card key, number "|" counter "|" terminal "|" journal "|" sequence), the counter in four bytes */
async function answer(raw, { number, counter }, { terminal, journal, sequence }) {
  const key = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const four = new Uint8Array(4);
  new DataView(four.buffer).setUint32(0, counter);
  const message = joined(utf8(`${number}|`), four, utf8(`|${terminal}|${journal}|${sequence}`));
  return hex(new Uint8Array(await crypto.subtle.sign("HMAC", key, message)).slice(0, CRYPTOGRAM_BYTES));
}
