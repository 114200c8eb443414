// Status lists, packs and the list of withdrawn keys: JWTs that an issuer's key signs (onecard_kit.status_list, .withdrawn).

import { JWT_ALGORITHM, verify } from "./keys.js";
import { fromBase64Url, utf8 } from "./bytes.js";

const LIST_TYPE = "statuslist+jwt";
const WITHDRAWN_TYPE = "withdrawn-keys+jwt";
const PACK_TYPE = "onecard-pack+jwt";
const BITS = 2;
// Nothing unpacked is larger: what a stranger compressed must not fill the browser's memory.
const BYTES_MAX = 2 ** 26;

/** What a status says of a card, by its value; the last has no name here, and lies beyond what is taken. */
const STATES = ["active", "cancelled", "lost", "cancelled"];

/** A JWT or a list that is not one of ours; says in English why. */
export class ListRefused extends Error {}

/** The claims of a JWT of a type that one of `keys` signed (public keys by kid). Throws ListRefused. */
export async function readJwt(type, text, keys) {
  let header, claims, signature, key;
  const [signed, end] = [text.slice(0, text.lastIndexOf(".")), text.slice(text.lastIndexOf(".") + 1)];
  try {
    header = json(signed.split(".")[0]);
    key = keys.get(header.kid);
    signature = fromBase64Url(end);
    claims = json(signed.split(".").slice(1).join("."));
  } catch {
    throw new ListRefused("it cannot be read");
  }
  if (header.typ !== type || header.alg !== JWT_ALGORITHM || key?.purpose !== "codes") throw new ListRefused("no key of ours signed it");
  if (!(await verify(key, signature, utf8(signed)))) throw new ListRefused("its signature is not valid");
  if (claims === null || typeof claims !== "object") throw new ListRefused("its claims cannot be read");
  return claims;
}

const json = (part) => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(fromBase64Url(part)));

/** A status list by which one may decide: {subject, issued, expires, ttl_s, stateOf(index)}. Throws ListRefused. */
export async function readList(text, keys) {
  const { sub, iat, exp, ttl, status_list: body } = await readJwt(LIST_TYPE, text, keys);
  if (body?.bits !== BITS || typeof sub !== "string" || ![iat, exp, ttl].every(Number.isInteger)) throw new ListRefused("its claims are not those of our lists");
  const entries = await unpacked(body.lst);
  const stateOf = (index) => (index >= 0 && index < entries.length * 4 ? STATES[(entries[index >> 2] >> ((index & 3) * BITS)) & 3] : "cancelled");
  return { subject: sub, issued: iat, expires: exp, ttl_s: ttl, stateOf };
}

async function unpacked(text) {
  try {
    const reader = new Blob([fromBase64Url(text)]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
    const parts = [];
    let size = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.length;
      if (size > BYTES_MAX) throw new ListRefused("it is too large");
      parts.push(value);
    }
    const whole = new Uint8Array(size);
    parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
    return whole;
  } catch (error) {
    throw error instanceof ListRefused ? error : new ListRefused("its list cannot be unpacked");
  }
}

/** The withdrawn keys of an issuer: {issued, kids}. Throws ListRefused. */
export async function readWithdrawn(text, issuer, keys) {
  const { iss, iat, withdrawn_keys: told } = await readJwt(WITHDRAWN_TYPE, text, keys);
  const isOurs = iss === issuer && Number.isInteger(iat) && Array.isArray(told) && told.every((each) => /^[0-9a-f]{4}$/.test(each?.kid) && Number.isInteger(each.withdrawn));
  if (!isOurs) throw new ListRefused("its claims are not those of our lists");
  return { issued: iat, kids: told.map((each) => each.kid) };
}

/** A pack as it is told. Throws ListRefused. */
export async function readPack(text, keys) {
  const told = await readJwt(PACK_TYPE, text, keys);
  const isOurs = ["issuer", "division", "terminal", "point", "items", "areas", "days", "issuers", "keys", "lists", "made", "online_timeout_ms"].every((each) => each in told);
  if (!isOurs || !Array.isArray(told.items) || !Array.isArray(told.keys) || !Array.isArray(told.lists)) throw new ListRefused("its claims are not those of a pack");
  return told;
}
