// The terminal's clock: the browser's, set right by the moment that each answer of the gateway carries.

const WORTH_SETTING_MS = 1500;
const CHINA_S = 8 * 3600;
const DAY_S = 86_400;

export class Clock {
  /** `shift_ms` is what was added the last time; null: no time signal yet. */
  constructor(shift_ms = null, changed = () => {}) {
    this.shift_ms = shift_ms;
    this.changed = changed;
  }

  now_ms() { return Date.now() + (this.shift_ms ?? 0); }

  now_s() { return Math.floor(this.now_ms() / 1000); }

  /** What the machine's own clock shows, whatever the platform said of it. */
  shown_s() { return Math.floor(Date.now() / 1000); }

  /** Take a time signal: the moment an answer was made, in whole Unix seconds. Smaller differences are the line's. */
  hear(server_s) {
    const shift_ms = server_s * 1000 + 500 - Date.now();
    if (this.shift_ms === null || Math.abs(shift_ms - this.shift_ms) > WORTH_SETTING_MS) {
      this.shift_ms = Math.abs(shift_ms) > WORTH_SETTING_MS ? Math.round(shift_ms) : 0;
      this.changed(this.shift_ms);
    }
  }

  /** The same from an HTTP date; anything else is passed over. */
  hearDate(text) {
    const heard_ms = Date.parse(text ?? "");
    if (!Number.isNaN(heard_ms)) this.hear(heard_ms / 1000);
  }
}

/** The China day of a moment (Unix seconds) as YYYY-MM-DD; right from 1992 on. */
export const dayOf = (unix_s) => new Date((unix_s + CHINA_S) * 1000).toISOString().slice(0, 10);

/** The minute of its China day. */
export const minuteOf = (unix_s) => Math.floor(((((unix_s + CHINA_S) % DAY_S) + DAY_S) % DAY_S) / 60);

/** The time of day in China, HH:MM:SS. */
export const timeOf = (unix_ms) => new Date(unix_ms + CHINA_S * 1000).toISOString().slice(11, 19);
