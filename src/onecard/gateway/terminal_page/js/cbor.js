// As much of CBOR (RFC 8949) as a card file takes: whole numbers of 32 bits, byte and text strings, arrays, and maps with
// numbers as keys (a Map), in their deterministic form.

import { joined, utf8 } from "./bytes.js";

const [UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP] = [0, 1, 2, 3, 4, 5];
const DEPTH_MAX = 4;

export function encode(value) {
  if (typeof value === "number") return value < 0 ? head(NEGATIVE, -1 - value) : head(UNSIGNED, value);
  if (typeof value === "string") return joined(head(TEXT, utf8(value).length), utf8(value));
  if (value instanceof Uint8Array) return joined(head(BYTES, value.length), value);
  if (Array.isArray(value)) return joined(head(ARRAY, value.length), ...value.map(encode));
  const pairs = [...value].map(([key, each]) => [encode(key), encode(each)]).sort(([one], [two]) => one.length - two.length || compare(one, two));
  return joined(head(MAP, pairs.length), ...pairs.flat());
}

/** The one value that some bytes hold. Throws TypeError for everything else. */
export function decode(bytes) {
  const [value, end] = read(bytes, 0, 0);
  if (end !== bytes.length) throw new TypeError("something follows");
  return value;
}

function compare(one, two) {
  const at = one.findIndex((each, index) => each !== two[index]);
  return at < 0 ? 0 : one[at] - two[at];
}

function head(major, number) {
  const first = major << 5;
  if (number < 24) return Uint8Array.of(first | number);
  if (number < 256) return Uint8Array.of(first | 24, number);
  if (number < 65536) return Uint8Array.of(first | 25, number >> 8, number & 255);
  return Uint8Array.of(first | 26, number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255);
}

function read(bytes, at, depth) {
  if (at >= bytes.length || depth > DEPTH_MAX) throw new TypeError("it ends too soon, or is too deep");
  const major = bytes[at] >> 5;
  const [number, start] = readNumber(bytes, at);
  if (major === UNSIGNED) return [number, start];
  if (major === NEGATIVE) return [-1 - number, start];
  if (major === BYTES || major === TEXT) {
    if (start + number > bytes.length) throw new TypeError("it ends too soon");
    const content = bytes.slice(start, start + number);
    return [major === BYTES ? content : new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content), start + number];
  }
  if (major === ARRAY) return readMany(bytes, start, number, depth);
  if (major !== MAP) throw new TypeError("nothing that a card file holds");
  const [flat, end] = readMany(bytes, start, number * 2, depth);
  return [new Map(flat.flatMap((each, index) => (index % 2 ? [] : [[each, flat[index + 1]]]))), end];
}

function readMany(bytes, at, count, depth) {
  const values = [];
  for (let value; values.length < count; values.push(value)) [value, at] = read(bytes, at, depth + 1);
  return [values, at];
}

function readNumber(bytes, at) {
  const low = bytes[at] & 31;
  if (low < 24) return [low, at + 1];
  const width = { 24: 1, 25: 2, 26: 4 }[low];
  if (width === undefined || at + 1 + width > bytes.length) throw new TypeError("no number of 32 bits");
  return [bytes.subarray(at + 1, at + 1 + width).reduce((number, each) => number * 256 + each, 0), at + 1 + width];
}
