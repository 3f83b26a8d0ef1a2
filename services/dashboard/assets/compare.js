// Other symbols on the same chart: their closes, or the ratio or the spread of one to the chart's own.

import { askJson } from "./fetching.js";

// `MSFT` adds a line, `/MSFT` shows the ratio to it, and `-MSFT` the spread.
export async function comparisons(names, candles, { folder, from, to, signal }) {
  return Promise.all(names.map((name) => one(name, candles, { folder, from, to, signal })));
}

async function one(name, candles, range) {
  const kind = "/-".includes(name[0]) ? name[0] : "";
  const symbol = name.slice(kind.length).toUpperCase();
  try {
    const points = onBars(await closes(symbol, candles, range), candles.bars);
    return { name: kind ? `${kind === "/" ? "ratio to" : "spread to"} ${symbol}` : symbol, points: kind ? against(points, kind, candles) : points, ownScale: kind !== "" };
  } catch (error) {
    return { name, error: error.message };
  }
}

// The chart has a place for each of its own bars, and another symbol may trade at other times: each bar gets the last close since
// the bar before it. More places would shift the bars away from their own.
export function onBars(points, bars) {
  const placed = [];
  let next = 0;
  for (const { at } of bars) {
    let last = null;
    for (; next < points.length && points[next].at <= at; next += 1) last = points[next];
    if (last) placed.push({ at, value: last.value });
  }
  return placed;
}

async function closes(symbol, candles, { folder, from, to, signal }) {
  const path = folder.replace(/[^/]+$/, encodeURIComponent(symbol));
  const query = new URLSearchParams({ from, to, fields: "time,close" });
  const { time, close } = await askJson(`${path}/${candles.level}/candles?${query}`, { wait: candles.wait, signal });
  return time.map((text, at) => ({ at: candles.clock.at(text), value: Number(close[at]) }));
}

// Only at times at which both have a candle.
function against(points, kind, candles) {
  const own = new Map(candles.bars.filter((bar) => !bar.gap).map((bar) => [bar.at, Number(bar.close)]));
  const value = (mine, other) => (kind === "/" ? mine / other : mine - other);
  return points.filter((point) => own.has(point.at)).map((point) => ({ at: point.at, value: value(own.get(point.at), point.value) }));
}
