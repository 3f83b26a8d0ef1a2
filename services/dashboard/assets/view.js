// The visible part of a series. It is in the page's address, so that the address can be shared.

export const RANGES = ["1D", "5D", "1M", "3M", "6M", "YTD", "1Y", "5Y", "All"];

const DAY = 86_400;
const SPANS = { "1D": DAY, "5D": 7 * DAY, "1M": 31 * DAY, "3M": 92 * DAY, "6M": 183 * DAY, YTD: 366 * DAY, "1Y": 366 * DAY, "5Y": 1827 * DAY, All: Infinity };

export const spanOf = (range) => SPANS[range];

// The seconds between two times, at least a day.
export const spanBetween = (from, to) => Math.max((Date.parse(to) - Date.parse(from)) / 1000, DAY);

const listOf = (text) => (text ?? "").split(",").map((name) => name.trim()).filter(Boolean);

export function readView(address, isIntraday) {
  const query = new URL(address).searchParams;
  const range = RANGES.includes(query.get("range")) ? query.get("range") : isIntraday ? "5D" : "1Y";
  const scale = ["log", "percent"].includes(query.get("scale")) ? query.get("scale") : "plain";
  return { range, from: query.get("from"), to: query.get("to"), indicators: listOf(query.get("indicators")), scale, compare: listOf(query.get("compare")) };
}

export function writeView(address, view) {
  const next = new URL(address);
  const set = (name, value) => (value ? next.searchParams.set(name, value) : next.searchParams.delete(name));
  set("range", view.from ? null : view.range);
  set("from", view.from);
  set("to", view.to);
  set("indicators", view.indicators.join(","));
  set("scale", view.scale === "plain" ? null : view.scale);
  set("compare", view.compare.join(","));
  return next.toString().replace(/%2C/g, ",");
}

// If the month has no such day, its last day is used: one month before 31 March is the end of February.
function backBy(date, months) {
  const day = date.getUTCDate();
  date.setUTCMonth(date.getUTCMonth() - months);
  if (date.getUTCDate() !== day) date.setUTCDate(0);
}

// The first date that a range shows, given the date of the last candle; null if the range shows all or counts sessions.
export function firstDate(range, last) {
  const date = new Date(`${last.slice(0, 10)}T00:00:00Z`);
  const back = { "1M": 1, "3M": 3, "6M": 6, "1Y": 12, "5Y": 60 }[range];
  if (back) backBy(date, back);
  else if (range === "YTD") date.setUTCMonth(0, 1);
  else return null;
  return date.toISOString().slice(0, 10);
}

// The first bar that a range shows, counted from the end. Times are seconds in the market's local time.
function firstBar(bars, range) {
  if (range === "All" || bars.length === 0) return 0;
  const sessions = { "1D": 1, "5D": 5 }[range];
  if (sessions) return firstOfSessions(bars, sessions);
  const from = Date.parse(firstDate(range, new Date(bars.at(-1).at * 1000).toISOString())) / 1000;
  return Math.max(0, bars.findIndex((bar) => bar.at >= from));
}

function firstOfSessions(bars, count) {
  let seen = 0;
  for (let at = bars.length - 1; at >= 0; at -= 1) {
    const isNew = at === bars.length - 1 || Math.floor(bars[at].at / DAY) !== Math.floor(bars[at + 1].at / DAY);
    seen += isNew ? 1 : 0;
    if (seen > count) return at + 1;
  }
  return 0;
}

// The places of the first and the last bar that a view shows.
export function windowOf(bars, clock, view) {
  const end = bars.length - 1;
  if (!view.from) return [firstBar(bars, view.range), end];
  const from = clock.at(view.from);
  const at = bars.findIndex((bar) => bar.at >= from);
  return at < 0 ? [Math.max(0, end - 100), end] : [at, Math.max(end, at + 5)];
}

// The times of the first and the last candle between two places. Gaps have no time.
export function seenTimes(bars, [left, right]) {
  const timeAt = (place, step) => {
    let at = place;
    while (bars[at]?.gap) at += step;
    return bars[at]?.time ?? null;
  };
  return [timeAt(left, 1), timeAt(right, -1)];
}
