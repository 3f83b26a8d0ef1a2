// A small chart of several variables: candles, lines, and bars for volumes.

import { CandlestickSeries, HistogramSeries, LineSeries, createChart } from "../lightweight-charts-5.2.1.js";
import { MODES, colours, optionsOf } from "./chart.js";
import { clockText, exact, fixed, placesOf } from "./figures.js";

const NAMES = ["accent", "down", "ma-short", "ma-long", "filled", "warn", "good", "soft"];
const STYLES = [0, 2, 1, 3];
const QUIET = { lastValueVisible: false, priceLineVisible: false };

export class Lines {
  constructor(element, legend) {
    Object.assign(this, { element, legend, drawn: [], answer: null, clock: null });
    this.chart = createChart(element, { width: element.clientWidth, height: element.clientHeight, ...optionsOf(colours(), false) });
    new ResizeObserver(() => this.chart.resize(element.clientWidth, element.clientHeight)).observe(element);
    this.chart.subscribeCrosshairMove(({ time, sourceEvent }) => sourceEvent && this.describe(time));
  }

  show(answer, clock) {
    const isFirst = this.answer === null;
    Object.assign(this, { answer, clock });
    this.drawn.forEach(({ series }) => this.chart.removeSeries(series));
    this.drawn = answer.lines.flatMap((line) => this.parts(line)).map((part, at) => this.add(part, at));
    this.chart.priceScale("right").applyOptions({ mode: MODES[answer.scale] });
    this.isIntraday = answer.lines.some((line) => line.is_intraday);
    this.chart.applyOptions({ timeScale: { timeVisible: this.isIntraday }, localization: { timeFormatter: (at) => clockText(at, this.isIntraday) } });
    if (isFirst) this.chart.timeScale().fitContent();
    this.describe();
    this.element.dataset.points = this.drawn.reduce((sum, { values }) => sum + values.size, 0);
  }

  // Whole candles are one part; otherwise each column is one.
  parts(line) {
    const name = (column) => (line.columns.length === 1 ? line.variable : `${line.symbol} ${column}`);
    if (line.is_missing) return [{ name: line.variable, line, kind: "missing" }];
    if (line.columns.length === 5) return [{ name: line.variable, line, kind: "candles" }];
    return line.columns.map((column, at) => ({ name: name(column), line, kind: column === "volume" || column.endsWith("_histogram") ? "bars" : "line", at }));
  }

  add({ name, line, kind, at }, place) {
    const shades = colours();
    const colour = shades[NAMES[place % NAMES.length]];
    const times = line.time.map((time) => this.clock.at(time));
    const column = line.values[kind === "candles" ? 3 : at] ?? [];
    const values = new Map(times.map((time, row) => [time, column[row]]).filter(([, value]) => value != null));
    const series = this.make(kind, colour, shades, place);
    const places = placesOf([...values.values()].slice(-200).filter((value) => typeof value === "string"));
    series.applyOptions({ priceFormat: { type: "custom", minMove: 10 ** -places, formatter: (price) => fixed(price, places) } });
    series.setData(kind === "candles" ? bars(times, line.values) : [...values].map(([time, value]) => ({ time, value: Number(value) })));
    return { name, series, values, colour, kind, places, dash: kind === "line" ? STYLES[Math.floor(place / NAMES.length) % STYLES.length] : 0 };
  }

  make(kind, colour, { up, down }, place) {
    if (kind === "candles") return this.chart.addSeries(CandlestickSeries, { ...QUIET, upColor: "rgba(0, 0, 0, 0)", downColor: down, borderUpColor: up, borderDownColor: down, wickUpColor: up, wickDownColor: down });
    if (kind !== "bars") return this.chart.addSeries(LineSeries, { ...QUIET, color: colour, lineWidth: 2, lineStyle: STYLES[Math.floor(place / NAMES.length) % STYLES.length] });
    const series = this.chart.addSeries(HistogramSeries, { ...QUIET, color: `${colour}88`, priceScaleId: "bars" });
    series.priceScale().applyOptions({ scaleMargins: { top: 0.8, bottom: 0 } });
    return series;
  }

  // The values at a time, or else the last ones.
  describe(time) {
    const label = document.createElement("span");
    const last = Math.max(...this.drawn.map(({ values }) => [...values.keys()].at(-1) ?? 0));
    label.textContent = last > 0 ? clockText(time ?? last, this.isIntraday) : "";
    this.legend.replaceChildren(label, ...this.drawn.map((drawn) => this.figure(drawn, time)));
  }

  figure({ name, values, colour, places, kind }, time) {
    const figure = document.createElement("span");
    const mark = document.createElement("i");
    const label = document.createElement("b");
    mark.className = "mark";
    mark.style.backgroundColor = colour;
    label.textContent = name;
    const value = time === undefined ? [...values.values()].at(-1) : values.get(time);
    const text = value == null ? "–" : typeof value === "string" ? exact(value, places) : fixed(value, Math.max(places, 2));
    figure.append(mark, label, ` ${kind === "missing" ? "not in the store" : text}`);
    return figure;
  }

  // The page's theme changed.
  paint() {
    this.chart.applyOptions(optionsOf(colours(), this.isIntraday));
    this.show(this.answer, this.clock);
  }
}

function bars(times, [open, high, low, close]) {
  return times.map((time, at) => ({ time, open: Number(open[at]), high: Number(high[at]), low: Number(low[at]), close: Number(close[at]) }));
}
