// What this terminal decides by: pack, lists and the issuer's keys; fetched with ETags, verified, and kept as they were
// signed, so that they are read again after a reload.
//
// Trust begins with the connection, as the page itself does: over it come the issuer's keys, which are pinned. From then on a
// key is taken over from a pack that a known key signed, and never when it is known to be withdrawn. Nothing that was
// fetched replaces anything newer.

import { ListRefused, readList, readPack, readWithdrawn } from "./lists.js";
import { byKid, keyName, usable } from "./keys.js";
import { Refused } from "./requests.js";
import { dayOf } from "./clock.js";
import { issuedOf } from "./decide.js";

const [PACK, KEYS, LIST_KIND] = ["/v1/pack", "/v1/keys", "application/statuslist+jwt"];
const LIST_NAMES = { codes: "codes", keys: "keys" };
const DAY_S = 86_400;
const NO_PINS = { issuer: "", keys: [], withdrawn: [], toldAt: null };

export class Supplies {
  #pins = NO_PINS;
  #tags = {};

  constructor(store, line, clock) {
    this.store = store;
    this.line = line;
    this.clock = clock;
    this.known = { pack: null, keys: new Map(), lists: new Map(), keysIssued: null, contacted: null };
    this.wrong = []; // what the last round could not fetch or believe
  }

  /** Take up what is kept; whatever cannot be read or verified is fetched anew. */
  async open() {
    this.#pins = (await this.store.kept("pins")) ?? NO_PINS;
    this.#tags = (await this.store.kept("tags")) ?? {};
    this.known.contacted = (await this.store.kept("contacted")) ?? null;
    await this.#readAgain();
    return this;
  }

  /** Fetch what is new of everything. Throws Unanswered when the line is gone; the rest is told in `wrong`. */
  async refresh() {
    const wrong = [];
    for (const [name, step] of [["keys", () => this.#refreshKeys()], ["pack", () => this.#refreshPack()], ["lists", () => this.#refreshLists()]]) {
      try {
        await step();
      } catch (error) {
        if (!(error instanceof ListRefused || error instanceof Refused)) throw error;
        wrong.push(`${name}: ${error.message}`);
      }
    }
    this.wrong = wrong;
    await this.#dropOldLists();
  }

  /** How old each list is in seconds (null: it was never had), and from what age on it is not decided by. */
  ages() {
    const now_s = this.clock.now_s();
    return (this.known.pack?.lists ?? []).map(({ name, oldest_s }) => {
      const issued = issuedOf(this.known, name);
      return { name, age_s: issued === null ? null : Math.max(0, now_s - issued), oldest_s };
    });
  }

  // --- what is kept ---

  async #readAgain() {
    const gone = this.#gone();
    const keys = await usable(this.#pins.keys, gone);
    const signers = byKid(keys, this.#pins.issuer);
    const text = await this.store.kept("pack");
    this.known.pack = text ? await readPack(text, signers).catch(() => this.#forget("pack", PACK)) : null;
    this.known.keys = this.known.pack ? await usable(this.known.pack.keys, gone) : keys;
    this.known.lists = new Map();
    this.known.keysIssued = this.#pins.toldAt;
    for (const name of await this.store.keptNames("list:")) {
      const path = name.slice("list:".length);
      const list = await readList(await this.store.kept(name), signers).catch(() => this.#forget(name, path));
      if (list?.subject === path) this.known.lists.set(path, list);
    }
  }

  async #forget(name, path) {
    delete this.#tags[path];
    await this.store.drop(name);
    return null;
  }

  #gone() { return new Set(this.#pins.withdrawn.map((kid) => keyName(this.#pins.issuer, kid))); }

  async #signers() { return byKid(await usable(this.#pins.keys, this.#gone()), this.#pins.issuer); }

  async #pin(pins) {
    await this.store.keep("pins", pins);
    this.#pins = pins;
  }

  // --- fetching ---

  async #refreshKeys() {
    const { text } = await this.line.fetch(KEYS);
    const told = JSON.parse(text);
    if (!this.#pins.issuer) await this.#pinTold(told);
    const made = await readWithdrawn(told.withdrawn_keys, this.#pins.issuer, await this.#signers()).catch(async () => {
      await this.#pinTold(told); // its key may have begun to sign while we were away
      return readWithdrawn(told.withdrawn_keys, this.#pins.issuer, await this.#signers());
    });
    const withdrawn = [...new Set([...this.#pins.withdrawn, ...made.kids])].sort();
    const isNews = withdrawn.length !== this.#pins.withdrawn.length;
    await this.#pin({ ...this.#pins, withdrawn, toldAt: Math.max(made.issued, this.#pins.toldAt ?? 0) });
    if (isNews) await this.#readAgain(); // a pack or a list may rest on a key that is not good any more
    this.known.keysIssued = this.#pins.toldAt;
    await this.#heard();
  }

  #pinTold(told) {
    const keys = told.keys.map((key) => ({ ...key, issuer: told.issuer }));
    return this.#pin({ ...this.#pins, issuer: told.issuer, keys });
  }

  async #refreshPack() {
    const answer = await this.line.fetch(PACK, { etag: this.#tags[PACK], signs: this.line.terminal });
    await this.#heard();
    if (!answer) return;
    const made = await readPack(answer.text, await this.#signers());
    if (made.terminal.code !== this.line.terminal.terminal || made.issuer !== this.#pins.issuer) throw new ListRefused("of another terminal");
    if (this.known.pack && made.made < this.known.pack.made) throw new ListRefused("older than the one here");
    await this.store.keep("pack", answer.text);
    await this.#tag(PACK, answer.etag);
    const ours = made.keys.filter((key) => key.issuer === made.issuer);
    if (ours.length) await this.#pin({ ...this.#pins, keys: ours });
    this.known.pack = made;
    this.known.keys = await usable(made.keys, this.#gone());
    this.line.online_ms = made.online_timeout_ms;
  }

  async #refreshLists() {
    const wrong = [];
    for (const path of (this.known.pack?.lists ?? []).flatMap((each) => this.#pathsOf(each))) {
      await this.#refreshList(path).catch((error) => {
        if (!(error instanceof ListRefused || error instanceof Refused)) throw error;
        wrong.push(`${path} ${error.message}`);
      });
    }
    if (wrong.length) throw new ListRefused(wrong.join(", "));
  }

  async #refreshList(path) {
    const answer = await this.line.fetch(path, { etag: this.#tags[path], accept: LIST_KIND });
    if (!answer) return;
    const made = await readList(answer.text, await this.#signers());
    if (made.subject !== path) throw new ListRefused("another list than was asked for");
    if (made.issued < (this.known.lists.get(path)?.issued ?? 0)) throw new ListRefused("older than the one here");
    await this.store.keep(`list:${path}`, answer.text);
    await this.#tag(path, answer.etag);
    this.known.lists.set(path, made);
  }

  /** Where a list is to be had: one of each day for as many days as there are, from today on. */
  #pathsOf({ name, path, days = 0 }) {
    if (name === LIST_NAMES.keys) return [];
    if (!path.includes("{day}")) return [path];
    const now_s = this.clock.now_s();
    return Array.from({ length: Math.max(2, days) }, (_, ahead) => path.replace("{day}", dayOf(now_s + ahead * DAY_S)));
  }

  async #tag(path, etag) {
    this.#tags = { ...this.#tags, [path]: etag ?? undefined };
    await this.store.keep("tags", this.#tags);
  }

  /** The platform answered; how long ago that was decides what may be done alone. */
  async #heard() {
    this.known.contacted = this.clock.now_s();
    await this.store.keep("contacted", this.known.contacted);
  }

  /** Of the lists that have one for each day, those of days before yesterday, as long as there are newer ones. */
  async #dropOldLists() {
    const daily = this.known.pack?.lists.find((each) => each.name === LIST_NAMES.codes && each.path.includes("{day}"));
    if (!daily) return;
    const now_s = this.clock.now_s();
    const keep = [daily.path.replace("{day}", dayOf(now_s - DAY_S)), ...this.#pathsOf(daily)];
    const [start, end] = daily.path.split("{day}");
    const named = this.known.pack.lists.map((each) => each.path);
    const old = [...this.known.lists.keys()].filter((path) => path.startsWith(start) && path.endsWith(end) && ![...keep, ...named].includes(path));
    if (!keep.some((path) => this.known.lists.has(path))) return;
    for (const path of old) {
      this.known.lists.delete(path);
      await this.#forget(`list:${path}`, path);
    }
  }
}
