// What is seen of a series. It is in the page's address, so that the address is all that somebody else needs.

export const RANGES = ["1D", "5D", "1M", "3M", "6M", "YTD", "1Y", "5Y", "All"];

const DAY = 86_400;
const SPANS = { "1D": DAY, "5D": 7 * DAY, "1M": 31 * DAY, "3M": 92 * DAY, "6M": 183 * DAY, YTD: 366 * DAY, "1Y": 366 * DAY, "5Y": 1827 * DAY, All: Infinity };

export const spanOf = (range) => SPANS[range];

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

// A month that has no such day ends before it: from the 31st of March it is one back to the end of February.
function backBy(date, months) {
  const day = date.getUTCDate();
  date.setUTCMonth(date.getUTCMonth() - months);
  if (date.getUTCDate() !== day) date.setUTCDate(0);
}

// The date from which on a range shows candles, going by the date of the last one; none where it shows all, or so many sessions.
export function firstDate(range, last) {
  const date = new Date(`${last.slice(0, 10)}T00:00:00Z`);
  const back = { "1M": 1, "3M": 3, "6M": 6, "1Y": 12, "5Y": 60 }[range];
  if (back) backBy(date, back);
  else if (range === "YTD") date.setUTCMonth(0, 1);
  else return null;
  return date.toISOString().slice(0, 10);
}

// Which bars a range shows, from the end: the first of them. Times are those of the market's clock, in seconds.
export function firstBar(bars, range) {
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
