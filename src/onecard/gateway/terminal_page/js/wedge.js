// Scanners that type (keyboard wedge): keys in quick succession, ended by Enter, wherever the cursor is.
//
// What was typed is read twice: from the physical keys (event.code), which no input method can rewrite, as a scanner set to
// the US layout types; and from the characters (event.key), as one set to this machine's own layout types. A code is
// strict enough to say which of the two is meant.

import { CodeRefused, decode } from "./code.js";

const GAP_MS = 100;
const END_MS = 250;
const CHARS_MIN = 12;

const isCode = (text) => {
  try {
    return Boolean(decode(text));
  } catch (error) {
    if (error instanceof CodeRefused) return false;
    throw error;
  }
};

/** The character of a physical key on the US layout, upper case; "" for keys that no code holds. */
export function ofKey(code) {
  const found = /^(?:Key([A-Z])|(?:Digit|Numpad)([0-9]))$/.exec(code);
  if (found) return found[1] ?? found[2];
  return code === "Period" || code === "NumpadDecimal" ? "." : "";
}

export class Wedge {
  #physical = "";
  #typed = "";
  #last = -Infinity;
  #before = null; // the field that had the cursor when it began, and what was in it
  #timer = null;

  /** `scanned(text)` is told of each scan. */
  constructor(scanned) { this.scanned = scanned; }

  /** Listen for keys before anything else on the page does. */
  listen(target) { target.addEventListener("keydown", (event) => this.#key(event), { capture: true }); }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.repeat) return;
    const gap = event.timeStamp - this.#last;
    this.#last = event.timeStamp;
    if (gap > GAP_MS) this.#begin();
    if (["Enter", "NumpadEnter", "Tab"].includes(event.code)) return this.#end(event);
    this.#physical += ofKey(event.code);
    if (/^[\x21-\x7e]$/.test(event.key)) this.#typed += event.key.toUpperCase();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (isCode(this.#physical) || isCode(this.#typed)) && this.#end(null), END_MS); // a scanner without an Enter
  }

  #begin() {
    const field = document.activeElement?.matches?.("input,textarea") ? document.activeElement : null;
    this.#before = field && { field, value: field.value };
    [this.#physical, this.#typed] = ["", ""];
  }

  #end(event) {
    clearTimeout(this.#timer);
    const [physical, typed] = [this.#physical, this.#typed];
    [this.#physical, this.#typed] = ["", ""];
    if (Math.max(physical.length, typed.length) < CHARS_MIN) return;
    event?.preventDefault();
    event?.stopImmediatePropagation();
    this.#undo();
    this.scanned([physical, typed].find(isCode) ?? (typed || physical));
  }

  /** Take out of a field what the scanner typed into it, also what an input method still holds. */
  #undo() {
    const { field, value } = this.#before ?? {};
    if (!field) return;
    const put = () => { field.value = value; };
    field.blur();
    put();
    setTimeout(() => { put(); field.focus({ preventScroll: true }); });
  }
}
