// Issuers' public keys, as a browser can use them: Ed25519. Keys of a suite that it does not know are left out, as the kit
// leaves out those of a suite that a machine lacks.

import { fromHex, joined } from "./bytes.js";

// The protected header {1: algorithm, 4: kid} in deterministic CBOR, up to the kid, of each suite there is.
export const HEADER_STARTS = {
  ed25519: Uint8Array.of(0xa2, 0x01, 0x27, 0x04, 0x42),
  sm2: Uint8Array.of(0xa2, 0x01, 0x3a, 0x00, 0x01, 0x11, 0x71, 0x04, 0x42),
};
export const SUITE = "ed25519";
export const JWT_ALGORITHM = "EdDSA";
export const COSE_ALGORITHM = -8;

/** A key of ours for use: {issuer, kid, purpose, protected, imported}. Throws for what no key of ours says. */
export async function publicKey({ issuer, kid, suite, public: raw, purpose }) {
  if (suite !== SUITE || !/^[0-9a-f]{4}$/.test(kid) || !/^[0-9a-f]{64}$/.test(raw)) throw new TypeError("no key of ours");
  const imported = await crypto.subtle.importKey("raw", fromHex(raw), "Ed25519", false, ["verify"]);
  return { issuer, kid, purpose, imported, protected: joined(HEADER_STARTS[suite], fromHex(kid)) };
}

export const verify = (key, signature, message) => crypto.subtle.verify("Ed25519", key.imported, signature, message);

/** Whether this browser can check codes and lists at all. */
export async function canVerify() {
  try {
    await publicKey({ issuer: "", kid: "0001", suite: SUITE, purpose: "codes", public: "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8" });
    return true;
  } catch {
    return false;
  }
}

/** The name of a key in a Map of them. */
export const keyName = (issuer, kid) => `${issuer}:${kid}`;

/** The public keys of what is told of keys: those that this browser can use and that are not withdrawn, by keyName. */
export async function usable(told, withdrawn) {
  const good = told.filter((each) => each.suite === SUITE && !withdrawn.has(keyName(each.issuer, each.kid)));
  const made = await Promise.all(good.map(publicKey));
  return new Map(made.map((key) => [keyName(key.issuer, key.kid), key]));
}

/** The keys of one issuer by kid, as lists and packs name them. */
export const byKid = (keys, issuer) => new Map([...keys.values()].filter((key) => key.issuer === issuer).map((key) => [key.kid, key]));
