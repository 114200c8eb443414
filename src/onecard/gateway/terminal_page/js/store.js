// What the browser keeps: who this terminal is, its journals, what the gateway handed out. IndexedDB.
//
//   journals  by id: the terminal and its key (which no script can read), the sequence last taken, the mac of the last line.
//             The newest pairing's is at work; those before stay until their lines are uploaded
//   lines     of all journals, each as it will be uploaded, with what the platform said of it
//   spent     what was used here and must not be used again, until it expires
//   kept      everything else by name: which journal is at work, pins, pack, lists, what was shown of late
//
// What must not be lost when the power goes is written with durability "strict": the promise comes when it is on disk.

const NAME = "onecard-terminal";
const VERSION = 1;
const DAY_MS = 86_400_000;
/** So long an acknowledged line stays: a platform that was restored from a backup asks for it again. */
const KEPT_MS = 30 * DAY_MS;
const SEQUENCES_LEAPT = 65_536;
const FOR_EVER_S = Number.MAX_SAFE_INTEGER;
/** What expired is kept a little longer, should the clock be set back. */
const EXPIRED_S = 3600;

const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** Put in the place of each value that a cursor meets what `made` makes of it; null: nothing. */
function each(cursor, made) {
  cursor.onsuccess = () => {
    const at = cursor.result;
    if (!at) return;
    const value = made(at.value);
    if (value === null) at.delete();
    else at.update(value);
    at.continue();
  };
}

/** Open the database. Throws where the browser has no storage for us. */
export async function openStore() {
  const opening = indexedDB.open(NAME, VERSION);
  opening.onupgradeneeded = () => {
    const db = opening.result;
    db.createObjectStore("journals", { keyPath: "journal" });
    const lines = db.createObjectStore("lines", { keyPath: ["journal", "sequence"] });
    lines.createIndex("waiting", ["waiting", "journal", "sequence"]); // a line that was taken has no `waiting`
    lines.createIndex("taken_ms", "taken_ms");
    db.createObjectStore("spent", { keyPath: "what" }).createIndex("until_s", "until_s");
    db.createObjectStore("kept");
  };
  return new Store(await done(opening));
}

class Store {
  constructor(db) { this.db = db; }

  /** Run `work(store of each name, tell)`, which only makes requests, and wait until all of it is written. */
  #write(names, work) {
    const transaction = this.db.transaction(names, "readwrite", { durability: "strict" });
    return new Promise((resolve, reject) => {
      let told;
      transaction.oncomplete = () => resolve(told);
      transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error("not written"));
      work(...names.map((name) => transaction.objectStore(name)), (value) => { told = value; });
    });
  }

  #read(name, work) { return done(work(this.db.transaction(name).objectStore(name))); }

  // --- the terminal ---

  /** The journal at work, with who we are; undefined before the first pairing. */
  async terminal() {
    const id = await this.kept("journal");
    return id && this.#read("journals", (journals) => journals.get(id));
  }

  /** Every journal, the one at work last: lines of an older one may still be on their way. */
  async journals() {
    const [id, all] = [await this.kept("journal"), await this.#read("journals", (journals) => journals.getAll())];
    return all.sort((one, two) => Number(one.journal === id) - Number(two.journal === id));
  }

  /** Begin as a newly paired terminal: another journal, from 1 on. What was handed out to the one before goes, but not the time. */
  pair(terminal) {
    return this.#write(["journals", "kept"], (journals, kept) => {
      kept.get("shift_ms").onsuccess = ({ target: { result: shift_ms } }) => {
        kept.clear();
        if (shift_ms !== undefined) kept.put(shift_ms, "shift_ms");
        journals.put({ ...terminal, sequence: 0, previous: terminal.journal, through: -1 });
        kept.put(terminal.journal, "journal");
      };
    });
  }

  /** Take the next sequence. It is on disk before it is told, so that none is taken twice whenever the power goes. */
  take(journal) { return this.#goOn(journal, 1); }

  /** Go on far above, since the next sequences may be used: this storage may be an older copy of the one before. */
  leap(journal) { return this.#goOn(journal, SEQUENCES_LEAPT); }

  #goOn(journal, by) {
    return this.#write(["journals"], (journals, tell) => {
      journals.get(journal).onsuccess = ({ target: { result: held } }) => {
        journals.put({ ...held, sequence: held.sequence + by });
        tell(held.sequence + by);
      };
    });
  }

  // --- the journal ---

  /** Write a line down, and what it uses up: all of it is on disk when the promise comes. */
  append(line, spends) {
    return this.#write(["journals", "lines", "spent"], (journals, lines, spent) => {
      lines.add({ ...line, waiting: 1 });
      if (spends) spent.put(spends);
      journals.get(line.journal).onsuccess = ({ target: { result: held } }) => journals.put({ ...held, previous: line.mac });
    });
  }

  /** How many lines the platform has not said that it has. */
  waiting() { return this.#read("lines", (lines) => lines.index("waiting").count()); }

  /** The next lines of a journal to be uploaded, in their order. */
  nextLines(journal, most) {
    const range = IDBKeyRange.bound([1, journal, 0], [1, journal, Infinity]);
    return this.#read("lines", (lines) => lines.index("waiting").getAll(range, most));
  }

  /** The newest lines of a journal, the newest first. */
  newestLines(journal, most) {
    const found = [];
    const range = IDBKeyRange.bound([journal, 0], [journal, Infinity]);
    const cursor = this.db.transaction("lines").objectStore("lines").openCursor(range, "prev");
    return new Promise((resolve, reject) => {
      cursor.onerror = () => reject(cursor.error);
      cursor.onsuccess = () => {
        if (!cursor.result || found.length === most) return resolve(found);
        found.push(cursor.result.value);
        cursor.result.continue();
      };
    });
  }

  /** One line, as it was written and what the platform said of it. */
  line(journal, sequence) { return this.#read("lines", (lines) => lines.get([journal, sequence])); }

  /** Up to which sequence the platform has all lines of a journal; -1 for none. */
  async through(journal) { return (await this.#read("journals", (journals) => journals.get(journal))).through; }

  /** Whether what the platform has is what stands here, or stood here before it was dropped. */
  async isOf(journal, { through, chain }) {
    const range = IDBKeyRange.bound([journal, 0], [journal, Infinity]);
    const [first] = await this.#read("lines", (lines) => lines.getAll(range, 1));
    return !first || through < first.sequence || (await this.line(journal, through))?.mac === chain;
  }

  /** Keep what the platform said of lines: [{sequence, …}]. */
  answered(journal, results) {
    return this.#write(["lines"], (lines) => {
      for (const result of results) {
        lines.get([journal, result.sequence]).onsuccess = ({ target: { result: line } }) => line && lines.put({ ...line, platform: result });
      }
    });
  }

  /** Keep up to which sequence the platform has all lines. Less than before means that it lost some: they wait again. */
  acknowledge(journal, through, now_ms) {
    return this.#write(["journals", "lines"], (journals, lines) => {
      journals.get(journal).onsuccess = ({ target: { result: held } }) => {
        journals.put({ ...held, through });
        const waiting = lines.index("waiting").openCursor(IDBKeyRange.bound([1, journal, 0], [1, journal, Math.max(0, through)]));
        each(waiting, ({ waiting: _, ...line }) => ({ ...line, taken_ms: now_ms }));
        if (through >= held.through) return;
        const lost = lines.openCursor(IDBKeyRange.bound([journal, through + 1], [journal, held.through]));
        each(lost, ({ taken_ms: _, ...line }) => ({ ...line, waiting: 1 }));
      };
    });
  }

  /** Drop lines that the platform has had for 30 days, and what may be used again because it has expired. */
  dropOld(now_ms) {
    return this.#write(["lines", "spent"], (lines, spent) => {
      each(lines.index("taken_ms").openCursor(IDBKeyRange.upperBound(now_ms - KEPT_MS)), () => null);
      each(spent.index("until_s").openCursor(IDBKeyRange.upperBound(now_ms / 1000 - EXPIRED_S)), () => null);
    });
  }

  // --- what was used here ---

  /** When and under which line something was used here; undefined where it was not. */
  spentAs(what) { return this.#read("spent", (spent) => spent.get(what)); }

  /** Remember what an online use spent. */
  spend(spends) { return this.#write(["spent"], (spent) => spent.put(spends)); }

  // --- what is kept by name ---

  kept(name) { return this.#read("kept", (kept) => kept.get(name)); }

  keep(name, value) { return this.#write(["kept"], (kept) => kept.put(value, name)); }

  drop(name) { return this.#write(["kept"], (kept) => kept.delete(name)); }

  /** The names that begin so. */
  async keptNames(start) {
    const names = await this.#read("kept", (kept) => kept.getAllKeys(IDBKeyRange.bound(start, `${start}\uffff`)));
    return names.filter((name) => name.startsWith(start));
  }
}

/** What a presentation spends, as the store keeps it; null where it spends nothing. */
export const spendsOf = ({ spends, goodUntil }, at_ms, journal, sequence, isWritten) => spends && {
  what: spends, until_s: goodUntil ?? FOR_EVER_S, at_ms, journal, sequence, isWritten,
};
