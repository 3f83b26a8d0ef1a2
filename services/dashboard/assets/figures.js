// Numbers and times as people read them: grouped digits, one minus sign, a fixed number of places.

const MINUS = "\u2212";
const GROUP = "\u202f";

const group = (whole) => whole.replace(/\B(?=(\d{3})+(?!\d))/g, GROUP);

// An exact decimal with grouped digits. Trailing zeros are dropped beyond `places`.
export function exact(text, places) {
  const [whole, rest = ""] = text.replace("-", "").split(".");
  const kept = rest.replace(/0+$/, "").padEnd(places, "0");
  const sign = text.startsWith("-") ? MINUS : "";
  return `${sign}${group(whole)}${kept ? `.${kept}` : ""}`;
}

export function fixed(number, places) {
  return exact(number.toFixed(Math.min(places, 20)), places);
}

export function signed(number, places) {
  return number < 0 ? fixed(number, places) : `+${fixed(number, places)}`;
}

// How many places prices have: the most of any, at least two and at most ten.
export function placesOf(texts) {
  let places = 2;
  for (const text of texts) {
    const rest = text.split(".")[1]?.replace(/0+$/, "") ?? "";
    places = Math.max(places, rest.length);
  }
  return Math.min(places, 10);
}

// The local time of a market, expressed as if it were UTC.
export class Clock {
  constructor(timezone) {
    const parts = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" };
    this.format = new Intl.DateTimeFormat("sv-SE", { timeZone: timezone, ...parts });
    this.offsets = new Map();
  }

  // A candle's time in seconds since 1970, shifted so that UTC shows the market's local time.
  at(time) {
    const seconds = Date.parse(time) / 1000;
    return time.length === 10 ? seconds : seconds + this.offset(seconds);
  }

  // Offsets change only at a quarter of an hour.
  offset(seconds) {
    const quarter = Math.floor(seconds / 900) * 900;
    let offset = this.offsets.get(quarter);
    if (offset === undefined) {
      const shown = this.format.format(new Date(quarter * 1000)).replace(" ", "T");
      offset = Date.parse(`${shown}:00Z`) / 1000 - quarter;
      this.offsets.set(quarter, offset);
    }
    return offset;
  }
}

// A shifted time as text: 2024-12-30, or 2024-12-30 09:30.
export function clockText(at, isIntraday) {
  const text = new Date(at * 1000).toISOString();
  return isIntraday ? `${text.slice(0, 10)} ${text.slice(11, 16)}` : text.slice(0, 10);
}
