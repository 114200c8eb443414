// A line of the journal, as onecard_kit.journal writes it:
//
//   <mac> SP <previous> SP <json> LF        mac = hex(HMAC(key, journal LF previous LF json))

import { macOf } from "./requests.js";

/** The text of a line and its mac, which is the `previous` of the next one. `terminal` is the journal at work. */
export async function encode({ key, journal, previous }, line) {
  const json = JSON.stringify(line);
  const mac = await macOf(key, `${journal}\n${previous}\n${json}`);
  return { text: `${mac} ${previous} ${json}\n`, mac };
}
