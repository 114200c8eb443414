// The card file that a physical card carries, verified as onecard_kit.card_file does it: what was read is written again and
// must give the same text.

import { COSE_ALGORITHM, keyName, verify } from "./keys.js";
import { CodeRefused } from "./code.js";
import { decode, encode } from "./cbor.js";
import { fromBase64Url, hex, same, toBase64Url } from "./bytes.js";

const PREFIX = "OCF1.";
const TYPE = "application/onecard-card+cwt";
const CHARS_MAX = 1024;
const SERIAL_MAX = 2 ** 28 - 1;
const SECONDS_MAX = 2 ** 32 - 1;
const FUNCTIONS = ["social_security", "financial", "transit"];
const [ALG, KID, TYP] = [1, 4, 16];
const [ISS, EXP, IAT, CARD] = [1, 4, 6, -70003];

/** What a file says that one of `keys` signed. Throws CodeRefused, and nothing else. */
export async function verifiedFile(text, keys) {
  const { said, kid, protectedHeader, payload, signature } = read(text);
  const key = keys.get(keyName(said.issuer, hex(kid)));
  if (!key) throw new CodeRefused([...keys.values()].some((each) => each.issuer === said.issuer) ? "unknown_key" : "unknown_issuer");
  if (key.purpose !== "lasting" || !same(protectedHeader, headerOf(kid))) throw new CodeRefused("unknown_key");
  const signed = encode(["Signature1", protectedHeader, new Uint8Array(), payload]);
  if (!(await verify(key, signature, signed))) throw new CodeRefused("bad_signature");
  return said;
}

const headerOf = (kid) => encode(new Map([[ALG, COSE_ALGORITHM], [KID, kid], [TYP, TYPE]]));

function read(text) {
  try {
    if (text.length > CHARS_MAX || !text.startsWith(PREFIX)) throw new TypeError("no card file");
    const raw = fromBase64Url(text.slice(PREFIX.length));
    const [protectedHeader, unprotected, payload, signature, ...more] = decode(raw);
    const kid = decode(protectedHeader).get(KID);
    const said = claims(decode(payload));
    const isOurs = unprotected instanceof Map && more.length === 0 && kid.length === 2 && signature instanceof Uint8Array
      && same(encode(payloadOf(said)), payload) && PREFIX + toBase64Url(encode([protectedHeader, new Map(), payload, signature])) === text;
    if (!isOurs) throw new TypeError("no card file");
    return { said, kid, protectedHeader, payload, signature };
  } catch {
    throw new CodeRefused("malformed");
  }
}

function claims(told) {
  const [number, serial, generation, functions, classes] = told.get(CARD);
  const [issuer, issued, expires] = [told.get(ISS), told.get(IAT), told.get(EXP)];
  const inOrder = (some, most) => some.every((each, at) => each >= 0 && each <= most && (at === 0 || some[at - 1] < each));
  const isSaid = told.get(CARD).length === 5 && /^[0-9]{6}$/.test(issuer) && /^[\x00-\x7f]{9}$/.test(number) && [2, 3].includes(generation)
    && serial >= 0 && serial <= SERIAL_MAX && 0 < issued && issued < expires && expires <= SECONDS_MAX
    && inOrder(functions, FUNCTIONS.length - 1) && inOrder(classes, 255);
  if (!isSaid) throw new TypeError("nothing that a card file says");
  return { issuer, number, serial, generation, functions: functions.map((each) => FUNCTIONS[each]), classes, issued, expires };
}

function payloadOf({ issuer, number, serial, generation, functions, classes, issued, expires }) {
  const card = [number, serial, generation, functions.map((each) => FUNCTIONS.indexOf(each)), classes];
  return new Map([[ISS, issuer], [EXP, expires], [IAT, issued], [CARD, card]]);
}
