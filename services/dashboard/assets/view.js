// What is seen of a series: it stands in the page's address, so that the address is all that somebody else needs.

export const RANGES = ["1D", "5D", "1M", "3M", "6M", "YTD", "1Y", "5Y", "All"];

export function readView(address, isIntraday) {
  const query = new URL(address).searchParams;
  const range = RANGES.includes(query.get("range")) ? query.get("range") : isIntraday ? "5D" : "1Y";
  const on = (name) => query.get(name) === "1";
  return {
    range,
    from: query.get("from"),
    to: query.get("to"),
    ma: on("ma"),
    bb: on("bb"),
    rsi: on("rsi"),
    log: on("log"),
  };
}

export function writeView(address, view) {
  const next = new URL(address);
  const set = (name, value) => (value ? next.searchParams.set(name, value) : next.searchParams.delete(name));
  set("range", view.from ? null : view.range);
  set("from", view.from);
  set("to", view.to);
  for (const name of ["ma", "bb", "rsi", "log"]) set(name, view[name] ? "1" : null);
  return next.toString();
}

// A month that has no such day ends before it: from the 31st of March it is one back to the end of February.
function backBy(date, months) {
  const day = date.getUTCDate();
  date.setUTCMonth(date.getUTCMonth() - months);
  if (date.getUTCDate() !== day) date.setUTCDate(0);
}

// The date from which on a range shows candles, going by the last one; none where it shows all.
export function firstDate(range, last) {
  const date = new Date(`${last.slice(0, 10)}T00:00:00Z`);
  const back = { "1M": 1, "3M": 3, "6M": 6, "1Y": 12, "5Y": 60 }[range];
  if (back) backBy(date, back);
  // Five sessions are a week of dates.
  else if (range === "5D") date.setUTCDate(date.getUTCDate() - 6);
  else if (range === "YTD") date.setUTCMonth(0, 1);
  else if (range !== "1D") return null;
  return date.toISOString().slice(0, 10);
}
