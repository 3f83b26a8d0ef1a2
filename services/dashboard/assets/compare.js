// Other symbols on the same chart: their closes, or the ratio or the spread of one to the chart's own.

import { askJson } from "./fetching.js";

// `MSFT` adds a line, `/MSFT` shows the ratio to it, and `-MSFT` the spread.
export async function comparisons(names, candles, { folder, from, to }) {
  return Promise.all(names.map((name) => one(name, candles, { folder, from, to })));
}

async function one(name, candles, range) {
  const kind = "/-".includes(name[0]) ? name[0] : "";
  const symbol = name.slice(kind.length).toUpperCase();
  try {
    const points = await closes(symbol, candles, range);
    return { name: kind ? `${kind === "/" ? "ratio to" : "spread to"} ${symbol}` : symbol, points: kind ? against(points, kind, candles) : points, ownScale: kind !== "" };
  } catch (error) {
    return { name, error: error.message };
  }
}

async function closes(symbol, candles, { folder, from, to }) {
  const path = folder.replace(/[^/]+$/, encodeURIComponent(symbol));
  const query = new URLSearchParams({ from, to, fields: "time,close" });
  const { time, close } = await askJson(`${path}/${candles.level}/candles?${query}`, { wait: candles.wait });
  return time.map((text, at) => ({ at: candles.clock.at(text), value: Number(close[at]) }));
}

// Only at times at which both have a candle.
function against(points, kind, candles) {
  const own = new Map(candles.bars.filter((bar) => !bar.gap).map((bar) => [bar.at, Number(bar.close)]));
  const value = (mine, other) => (kind === "/" ? mine / other : mine - other);
  return points.filter((point) => own.has(point.at)).map((point) => ({ at: point.at, value: value(own.get(point.at), point.value) }));
}
