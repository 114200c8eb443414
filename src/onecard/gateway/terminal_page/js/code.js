// The code, read and verified as onecard_kit.codes does it, byte by byte (docs/code-format.md): what was read at its fixed
// places is written again and must give the same bytes, so there is no second spelling, and no general decoder ever sees
// what a stranger holds up.

import { CHARS_MAX } from "./kit.js";
import { HEADER_STARTS, keyName, verify } from "./keys.js";
import { hex, joined, same, utf8 } from "./bytes.js";

export const PREFIX = "OC1.";
export const [FAMILY, PAPER] = [1, 2];

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const KID_BYTES = 2;
const SIGNATURE_BYTES = 64;
const REF_MAX = 2 ** 24 - 1;
const CLASSES_MAX = 23;
const SIGNED_WITH = ["codes", "codes", "lasting"]; // by via

const STARTS = Object.values(HEADER_STARTS).map((start) => joined(Uint8Array.of(0x84, 0x40 + start.length + KID_BYTES), start));

/** The text is no code of ours: `reason` is malformed, unknown_issuer, unknown_key or bad_signature. */
export class CodeRefused extends Error {
  constructor(reason, flaw = null) {
    super(reason);
    this.reason = reason;
    this.flaw = flaw;
  }
}

const malformed = (flaw) => new CodeRefused("malformed", flaw);

/** Undo what a keyboard-wedge scanner does to a code; only ASCII is touched. */
export const lenient = (text) => (/^[\x00-\x7f]*$/.test(text) ? text.replace(/^[\t-\r\x1c- ]+|[\t-\r\x1c- ]+$/g, "").toUpperCase() : text);

/** Read a code without judging its signature. Throws CodeRefused with a flaw, and nothing else. */
export function decode(text) {
  if (typeof text !== "string" || text.length > CHARS_MAX) throw malformed("length");
  if (!text.startsWith(PREFIX)) throw malformed("prefix");
  const { protectedHeader, payload, signature } = split(fromBase32(text.slice(PREFIX.length)));
  const claims = readClaims(payload.subarray(2), hex(protectedHeader.subarray(-KID_BYTES)));
  if (!claims || !same(byteString(claimsSet(claims)), payload)) throw malformed("claims");
  return { claims, protectedHeader, payload, signature };
}

/** The claims of a code that one of `keys` signed: a Map by keyName(). Throws CodeRefused, and nothing else. */
export async function verified(text, keys) {
  const { claims, protectedHeader, payload, signature } = decode(text);
  const key = keys.get(keyName(claims.issuer, claims.kid));
  if (!key) {
    const isKnown = [...keys.values()].some((each) => each.issuer === claims.issuer);
    throw new CodeRefused(isKnown ? "unknown_key" : "unknown_issuer");
  }
  if (!same(protectedHeader, key.protected) || key.purpose !== SIGNED_WITH[claims.via]) throw new CodeRefused("unknown_key");
  if (!(await verify(key, signature, signed(protectedHeader, payload)))) throw new CodeRefused("bad_signature");
  return claims;
}

/** The Sig_structure of RFC 9052 §4.4: no external data, and the payload with its head. */
export function signed(protectedHeader, payload) {
  const head = utf8("Signature1");
  return joined(Uint8Array.of(0x84, 0x6a), head, Uint8Array.of(0x40 + protectedHeader.length), protectedHeader, Uint8Array.of(0x40), payload);
}

function split(raw) {
  const kidEnd = raw.length > 1 ? 2 + (raw[1] & 0x1f) : 0;
  const start = raw.subarray(0, Math.max(kidEnd - KID_BYTES, 0));
  if (!STARTS.some((each) => same(each, start))) throw malformed("algorithm");
  const signatureAt = raw.length - SIGNATURE_BYTES;
  const isWhole = signatureAt >= kidEnd + 5 && raw[kidEnd] === 0xa0 && raw[signatureAt - 2] === 0x58 && raw[signatureAt - 1] === SIGNATURE_BYTES;
  if (!isWhole) throw malformed("envelope");
  return { protectedHeader: raw.subarray(2, kidEnd), payload: raw.subarray(kidEnd + 1, signatureAt - 2), signature: raw.subarray(signatureAt) };
}

// --- claims: {1: iss, 4: exp, 5: nbf, 7: cti, -70001: [ref, via, [class, …]]} -----------------------------------------

const [ISS, EXP, NBF, CTI, ONECARD] = [[0xa5, 1, 0x66], [4, 0x1a], [5, 0x1a], [7, 0x4c], [0x3a, 0, 1, 0x11, 0x70, 0x83]];
const PLACES_BYTES = 41;

/** The claims, or null for what no code says; the caller writes them again and compares. */
function readClaims(cwt, kid) {
  if (cwt.length < PLACES_BYTES) return null;
  const view = new DataView(cwt.buffer, cwt.byteOffset, cwt.length);
  const [ref, viaAt] = readUnsigned(cwt, PLACES_BYTES);
  const classes = [];
  for (let at = viaAt + 2, number; at < cwt.length; classes.push(number)) [number, at] = readUnsigned(cwt, at);
  const claims = {
    issuer: String.fromCharCode(...cwt.subarray(3, 9)), kid, ref, via: cwt[viaAt],
    expires: view.getUint32(11), not_before: view.getUint32(17), nonce: cwt.slice(23, 35), classes,
  };
  return isSaid(claims) ? claims : null;
}

function isSaid({ issuer, ref, via, not_before, expires, classes }) {
  const inOrder = classes.every((each, at) => each <= 255 && (at === 0 || classes[at - 1] < each));
  return /^[0-9]{6}$/.test(issuer) && ref <= REF_MAX && via <= PAPER && not_before >= 65536 && not_before < expires && classes.length <= CLASSES_MAX && inOrder;
}

function claimsSet({ issuer, expires, not_before, nonce, ref, via, classes }) {
  return joined(
    Uint8Array.from(ISS), utf8(issuer), Uint8Array.from(EXP), fourBytes(expires), Uint8Array.from(NBF), fourBytes(not_before),
    Uint8Array.from(CTI), nonce, Uint8Array.from(ONECARD), unsigned(ref), Uint8Array.of(via, 0x80 + classes.length), ...classes.map(unsigned),
  );
}

function fourBytes(number) {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

/** A number below 2**32 in CBOR's shortest form. */
export function unsigned(number) {
  if (number < 24) return Uint8Array.of(number);
  if (number < 256) return Uint8Array.of(24, number);
  if (number < 65536) return Uint8Array.of(25, number >> 8, number & 255);
  return joined(Uint8Array.of(26), fourBytes(number));
}

/** [number, where it ends]; a number that no code carries where there is none, and never an endless walk. */
function readUnsigned(bytes, at) {
  const first = bytes[at];
  if (first < 24) return [first, at + 1];
  const end = at + 1 + ({ 24: 1, 25: 2, 26: 4 }[first] ?? bytes.length);
  return end > bytes.length ? [Infinity, bytes.length] : [bytes.subarray(at + 1, end).reduce((number, each) => number * 256 + each, 0), end];
}

/** A CBOR byte string of 24 to 255 bytes. */
const byteString = (content) => joined(Uint8Array.of(0x58, content.length), content);

// --- base32: upper case, no padding, unused bits zero -----------------------------------------------------------------

function fromBase32(text) {
  const spare = (text.length * 5) % 8;
  if (!text || spare > 4 || !/^[A-Z2-7]*$/.test(text)) throw malformed("base32");
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const letter of text) {
    held = (held << 5) | ALPHABET.indexOf(letter);
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = held >> bits;
      held &= (1 << bits) - 1;
    }
  }
  if (held) throw malformed("base32");
  return bytes;
}
