// What the browser keeps: the terminal with its key, the journal, what the gateway handed out. IndexedDB.
//
//   terminal  one record, "this": who we are, the key (which no script can read), the sequence last taken, the mac of the
//             journal's last line
//   lines     the journal by sequence, each line as it will be uploaded
//   spent     nonces of codes that were used here, until they expire
//   kept      everything else by name: pack, lists, settings
//
// What must not be lost when the power goes is written with durability "strict": the promise comes when it is on disk.

const NAME = "onecard-terminal";
const VERSION = 1;

const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** Open the database. Throws where the browser has no storage for us. */
export async function openStore() {
  const opening = indexedDB.open(NAME, VERSION);
  opening.onupgradeneeded = () => {
    const db = opening.result;
    db.createObjectStore("terminal");
    db.createObjectStore("lines", { keyPath: "sequence" }).createIndex("waiting", "waiting");
    db.createObjectStore("spent", { keyPath: "nonce" }).createIndex("until_s", "until_s");
    db.createObjectStore("kept");
  };
  return new Store(await done(opening));
}

class Store {
  constructor(db) { this.db = db; }

  /** Run `work(transaction)`, which only makes requests, and wait until all of it is written. */
  #write(stores, work) {
    const transaction = this.db.transaction(stores, "readwrite", { durability: "strict" });
    return new Promise((resolve, reject) => {
      let result;
      transaction.oncomplete = () => resolve(result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error("not written"));
      work(transaction, (value) => { result = value; });
    });
  }

  #read(store, work) { return done(work(this.db.transaction(store).objectStore(store))); }

  // --- the terminal ---

  terminal() { return this.#read("terminal", (store) => store.get("this")); }

  /** Begin as a newly paired terminal: another journal, from 1 on. Lines of the one before go with it. */
  pair(terminal) {
    return this.#write(["terminal", "lines", "spent", "kept"], (transaction) => {
      for (const name of ["lines", "spent"]) transaction.objectStore(name).clear();
      for (const name of ["pack", "withdrawn"]) transaction.objectStore("kept").delete(name);
      transaction.objectStore("terminal").put({ ...terminal, sequence: 0, previous: terminal.journal }, "this");
    });
  }

  /** Forget everything: the terminal has to be paired again. */
  unpair() {
    return this.#write(["terminal", "lines", "spent", "kept"], (transaction) => {
      for (const name of ["terminal", "lines", "spent", "kept"]) transaction.objectStore(name).clear();
    });
  }

  /** Take the next sequence. It is on disk before it is told, so that none is taken twice whenever the power goes. */
  take() {
    return this.#write(["terminal"], (transaction, tell) => {
      const store = transaction.objectStore("terminal");
      store.get("this").onsuccess = ({ target: { result: terminal } }) => {
        store.put({ ...terminal, sequence: terminal.sequence + 1 }, "this");
        tell(terminal.sequence + 1);
      };
    });
  }

  // --- what was kept by name ---

  kept(name) { return this.#read("kept", (store) => store.get(name)); }

  keep(name, value) {
    return this.#write(["kept"], (transaction) => transaction.objectStore("kept").put(value, name));
  }
}
