// From a series and a view to what the chart library draws. Nothing here touches the page.

import { average, bollinger, strength } from "./indicators.js";

const LINES = { 20: "ma-short", 50: "ma-long" };

export function traces(series, view, colours) {
  const shown = [candlesticks(series, colours)];
  if (series.isFilled.size > 0) shown.push(filledMarks(series, colours));
  if (series.hasVolume) shown.push(volumeBars(series, colours));
  if (view.ma) shown.push(...Object.keys(LINES).map((length) => movingAverage(series, Number(length), colours)));
  if (view.bb) shown.push(...bands(series, colours));
  if (view.rsi) shown.push(strengthLine(series, colours));
  if (series.gaps.length > 0) shown.push(gapMarks(series, colours));
  return shown;
}

function candlesticks({ places, numbers }, colours) {
  const side = (colour) => ({ line: { color: colour, width: 1 }, fillcolor: colour });
  return {
    type: "candlestick", name: "candles", x: places, yaxis: "y", hoverinfo: "none", showlegend: false,
    open: numbers.open, high: numbers.high, low: numbers.low, close: numbers.close,
    increasing: side(colours.up), decreasing: side(colours.down), whiskerwidth: 0,
  };
}

function filledMarks({ places, numbers, isFilled }, colours) {
  const at = [...isFilled];
  return {
    type: "scatter", mode: "markers", name: "filled", yaxis: "y", hoverinfo: "skip", showlegend: false,
    x: at.map((each) => places[each]), y: at.map((each) => numbers.close[each]),
    marker: { symbol: "circle-open", size: 8, line: { width: 1.5 }, color: colours.filled },
  };
}

function volumeBars({ places, numbers }, colours) {
  const colour = (_, at) => (numbers.close[at] >= numbers.open[at] ? colours.up : colours.down);
  return {
    type: "bar", name: "volume", x: places, y: numbers.volume, yaxis: "y2", hoverinfo: "none", showlegend: false,
    marker: { color: Array.from(numbers.volume, colour), opacity: 0.45 },
  };
}

function line(name, x, y, colour, more = {}) {
  return {
    type: "scatter", mode: "lines", name, x, y, yaxis: "y", hoverinfo: "skip", showlegend: false,
    line: { color: colour, width: 1.4 }, ...more,
  };
}

function movingAverage({ places, numbers }, length, colours) {
  return line(`average of ${length}`, places, average(numbers.close, length), colours[LINES[length]]);
}

function bands({ places, numbers }, colours) {
  const { upper, lower } = bollinger(numbers.close);
  const thin = { line: { color: colours.band, width: 1 } };
  return [
    line("upper band", places, upper, colours.band, thin),
    line("lower band", places, lower, colours.band, { ...thin, fill: "tonexty", fillcolor: colours["band-fill"] }),
  ];
}

function strengthLine({ places, numbers }, colours) {
  return line("RSI 14", places, strength(numbers.close), colours["ma-short"], { yaxis: "y3" });
}

function gapMarks({ gaps }, colours) {
  return {
    type: "scatter", mode: "markers", name: "gap", yaxis: "y4", hoverinfo: "text", showlegend: false,
    x: gaps.map((gap) => gap.place), y: gaps.map(() => 0.985),
    text: gaps.map((gap) => `${gap.slots} missing: ${gap.first}${gap.last === gap.first ? "" : ` … ${gap.last}`}`),
    marker: { symbol: "triangle-down", size: 9, color: colours.gap },
  };
}

// From top to bottom: candles, volume, strength.
function domains(hasVolume, hasStrength) {
  const strengthTop = hasStrength ? 0.17 : 0;
  const volumeTop = strengthTop + (hasVolume ? 0.17 : 0);
  const space = (bottom) => (bottom > 0 ? bottom + 0.03 : 0);
  return { price: [space(volumeTop), 1], volume: [space(strengthTop), Math.max(volumeTop, 0.001)], strength: [0, Math.max(strengthTop, 0.001)] };
}

export function layout(series, view, colours, window, isNarrow) {
  const { price, volume, strength: rsi } = domains(series.hasVolume, view.rsi);
  const axis = { gridcolor: colours.grid, zeroline: false, fixedrange: true, side: "right", tickfont: { color: colours.soft, size: 11 }, automargin: false };
  return {
    // With no end to the distance, the chart library takes the last candle for the nearest to every place.
    hoverdistance: 100,
    paper_bgcolor: colours.back, plot_bgcolor: colours.back, font: { family: colours.font, color: colours.text, size: 12 },
    margin: { l: 8, r: isNarrow ? 48 : 64, t: 8, b: 28 }, dragmode: "pan", hovermode: "x", spikedistance: -1,
    bargap: 0.25, showlegend: false, hoverlabel: { bgcolor: colours.raised, bordercolor: colours.line, font: { color: colours.text } },
    xaxis: {
      range: window, ...ticks(series, window, isNarrow ? 4 : 9), rangeslider: { visible: false }, showgrid: true, gridcolor: colours.grid, zeroline: false,
      tickfont: { color: colours.soft, size: 11 }, showspikes: true, spikemode: "across", spikecolor: colours.soft, spikethickness: 1, spikedash: "dot", anchor: view.rsi ? "y3" : "y2",
      domain: [0, 1],
    },
    yaxis: { ...axis, domain: price, type: view.log ? "log" : "linear", range: priceRange(series, window, view.log), showspikes: true, spikemode: "across", spikecolor: colours.soft, spikethickness: 1, spikedash: "dot" },
    yaxis2: { ...axis, domain: volume, visible: series.hasVolume, showgrid: false, nticks: 3, rangemode: "tozero", range: [0, highest(series.numbers.volume, series, window) * 1.05 || 1] },
    yaxis3: { ...axis, domain: rsi, visible: view.rsi, range: [0, 100], tickvals: [30, 70] },
    yaxis4: { domain: price, overlaying: "y", visible: false, range: [0, 1], fixedrange: true },
    shapes: series.gaps.map((gap) => gapShade(gap, colours)),
  };
}

function gapShade({ place }, colours) {
  return {
    type: "rect", xref: "x", yref: "paper", x0: place - 0.5, x1: place + 0.5, y0: 0, y1: 1, layer: "below",
    fillcolor: colours["gap-fill"], line: { color: colours.gap, width: 1, dash: "dot" },
  };
}

// The candles that a window of places shows: the first, and one behind the last.
export function within(series, [left, right]) {
  const behind = (limit) => {
    let [low, high] = [0, series.count];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (series.places[middle] < limit) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return [behind(left), behind(right)];
}

function highest(values, series, window) {
  const [from, to] = within(series, window);
  let most = 0;
  for (let at = from; at < to; at += 1) most = Math.max(most, values[at] || 0);
  return most;
}

export function priceRange(series, window, isLog) {
  const [from, to] = within(series, window);
  let [low, high] = [Infinity, -Infinity];
  for (let at = from; at < to; at += 1) {
    low = Math.min(low, series.numbers.low[at]);
    high = Math.max(high, series.numbers.high[at]);
  }
  if (low > high) return undefined;
  if (isLog) [low, high] = [Math.log10(low), Math.log10(high)];
  const room = (high - low) * 0.06 || Math.abs(high) * 0.01 || 1;
  return [low - room, high + room];
}

export function volumeRange(series, window) {
  return [0, highest(series.numbers.volume, series, window) * 1.05 || 1];
}

// Labels at places where something changes that a reader counts by: years, months, days, hours.
export function ticks(series, window, most) {
  const [from, to] = within(series, window);
  const units = [4, 7, 10, 13, 16];
  const label = (at) => series.shown?.[at] ?? series.time[at];
  let best = { tickvals: [], ticktext: [] };
  for (const unit of units) {
    const marks = [];
    for (let at = Math.max(from, 1); at < to; at += 1) {
      if (label(at).slice(0, unit) !== label(at - 1).slice(0, unit)) marks.push(at);
    }
    if (marks.length === 0) continue;
    const every = Math.ceil(marks.length / most);
    const kept = marks.filter((_, at) => at % every === 0);
    best = { tickvals: kept.map((at) => series.places[at]), ticktext: kept.map((at) => tickText(label(at), label(at - 1), unit)) };
    if (marks.length >= most / 2) break;
  }
  return best;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function tickText(label, before, unit) {
  const [year, month, day] = label.slice(0, 10).split("-");
  if (unit === 4 || label.slice(0, 4) !== before.slice(0, 4)) return year;
  if (unit === 7) return MONTHS[Number(month) - 1];
  if (unit === 10 || label.slice(0, 10) !== before.slice(0, 10)) return `${Number(day)} ${MONTHS[Number(month) - 1]}`;
  return label.slice(11, 16);
}
