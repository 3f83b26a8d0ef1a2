// Draws bars with the chart library. The callers decide what is loaded and which part is visible.

import { CandlestickSeries, CrosshairMode, HistogramSeries, LineSeries, LineStyle, PriceScaleMode, createChart } from "../lightweight-charts-5.2.1.js";
import { clockText, fixed, placesOf } from "./figures.js";

export const MODES = { plain: PriceScaleMode.Normal, log: PriceScaleMode.Logarithmic, percent: PriceScaleMode.Percentage };
const LINES = ["ma-short", "ma-long", "accent", "filled", "warn"];
const OWN_PANES = /^(rsi|macd)/;
const QUIET = { lastValueVisible: false, priceLineVisible: false, crosshairMarkerVisible: false };

export class Chart {
  constructor(element, colours, isIntraday) {
    this.element = element;
    this.colours = colours;
    this.isIntraday = isIntraday;
    this.wanted = null;
    this.places = 2;
    this.lines = [];
    this.compared = [];
    this.chart = createChart(element, { width: element.clientWidth, height: element.clientHeight, ...this.options() });
    new ResizeObserver(() => this.chart.resize(element.clientWidth, element.clientHeight)).observe(element);
    this.gaps = this.chart.addSeries(HistogramSeries, { ...QUIET, priceScaleId: "gaps", color: colours["gap-fill"] });
    this.volume = this.chart.addSeries(HistogramSeries, { ...QUIET, priceScaleId: "volume", priceFormat: { type: "volume" } });
    this.candles = this.chart.addSeries(CandlestickSeries, { ...QUIET, ...this.candleColours() });
    this.chart.priceScale("gaps").applyOptions({ scaleMargins: { top: 0, bottom: 0 } });
    this.chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.84, bottom: 0 } });
    this.candles.priceScale().applyOptions({ scaleMargins: { top: 0.06, bottom: 0.2 } });
  }

  options() {
    return optionsOf(this.colours, this.isIntraday);
  }

  // Rising candles are hollow and falling ones are solid, so they differ without colours.
  candleColours() {
    const { up, down } = this.colours;
    return { upColor: "rgba(0, 0, 0, 0)", downColor: down, borderUpColor: up, borderDownColor: down, wickUpColor: up, wickDownColor: down };
  }

  paint(colours) {
    this.colours = colours;
    this.chart.applyOptions(this.options());
    this.candles.applyOptions(this.candleColours());
    this.gaps.applyOptions({ color: colours["gap-fill"] });
  }

  // Shows bars, with the indicators' columns in their order.
  show(bars, columns) {
    this.bars = bars;
    this.setPlaces(bars);
    this.candles.setData(bars.map((bar) => (bar.gap ? { time: bar.at } : this.candle(bar))));
    this.volume.setData(bars.filter((bar) => bar.volume != null).map((bar) => this.volumeOf(bar)));
    this.gaps.setData(bars.filter((bar) => bar.gap).map((bar) => ({ time: bar.at, value: 1 })));
    this.showLines(columns);
    this.element.dataset.bars = bars.length;
  }

  setPlaces(bars) {
    this.places = placesOf(bars.filter((bar) => !bar.gap).flatMap((bar) => [bar.high, bar.low]));
    const priceFormat = { type: "custom", minMove: 10 ** -this.places, formatter: (price) => fixed(price, this.places) };
    this.priceFormat = priceFormat;
    this.candles.applyOptions({ priceFormat });
  }

  candle(bar) {
    const { filled } = this.colours;
    const marked = bar.isFilled ? { color: filled, borderColor: filled, wickColor: filled } : {};
    return { time: bar.at, open: Number(bar.open), high: Number(bar.high), low: Number(bar.low), close: Number(bar.close), ...marked };
  }

  volumeOf(bar) {
    const { up, down } = this.colours;
    const colour = Number(bar.close) >= Number(bar.open) ? up : down;
    return { time: bar.at, value: Number(bar.volume), color: colour + "66" };
  }

  showLines(columns) {
    if (columns.join() !== this.lines.map((line) => line.column).join()) this.makeLines(columns);
    this.lines.forEach(({ series }, at) => {
      series.setData(this.bars.map((bar) => (bar.gap || bar.values[at] === null ? { time: bar.at } : { time: bar.at, value: bar.values[at] })));
    });
  }

  makeLines(columns) {
    this.lines.forEach(({ series }) => this.chart.removeSeries(series));
    const panes = [...new Set(columns.map((column) => column.match(OWN_PANES)?.[0]).filter(Boolean))];
    this.lines = columns.map((column, at) => {
      const own = column.match(OWN_PANES)?.[0];
      const pane = own ? panes.indexOf(own) + 1 : 0;
      const colour = column.startsWith("bb") ? "band" : LINES[at % LINES.length];
      const isBars = column.endsWith("_histogram");
      const format = own === "rsi" ? { type: "price", precision: 1, minMove: 0.1 } : this.priceFormat;
      const options = { ...QUIET, color: this.colours[colour], lineWidth: 1, priceFormat: format };
      const series = this.chart.addSeries(isBars ? HistogramSeries : LineSeries, options, pane);
      if (own === "rsi") [30, 70].forEach((price) => series.createPriceLine({ price, color: this.colours.line, lineWidth: 1, lineStyle: LineStyle.Dashed, axisLabelVisible: false }));
      return { column, series, colour };
    });
    this.chart.panes().forEach((pane, at) => pane.setStretchFactor(at === 0 ? 4 : 1));
  }

  // Marks the newest close of the series, whatever part is visible.
  markLast(close) {
    if (this.lastLine) this.candles.removePriceLine(this.lastLine);
    this.lastLine = close === null ? null : this.candles.createPriceLine({ price: Number(close), color: this.colours.accent, lineWidth: 1, lineStyle: LineStyle.Dotted, axisLabelVisible: true });
  }

  // Lines of other symbols, as { name, points: [{ at, value }] }.
  compare(others) {
    this.compared.forEach(({ series }) => this.chart.removeSeries(series));
    this.compared = others.map(({ name, points, ownScale }, at) => {
      const colour = this.colours[LINES[at % LINES.length]];
      const scale = ownScale ? { priceScaleId: "left" } : {};
      const series = this.chart.addSeries(LineSeries, { ...QUIET, ...scale, color: colour, lineWidth: 2, title: name, lastValueVisible: true });
      series.setData(points.map((point) => ({ time: point.at, value: point.value })));
      return { name, series, colour, values: new Map(points.map((point) => [point.at, point.value])) };
    });
    this.chart.applyOptions({ leftPriceScale: { visible: others.some((other) => other.ownScale), borderColor: this.colours.line } });
  }

  scale(name) {
    this.candles.priceScale().applyOptions({ mode: MODES[name], autoScale: true });
  }

  // The places at both ends of what is seen, or of what will be: the library moves with the next frame, and several keys
  // may be pressed before it.
  get window() {
    return this.wanted ?? this.chart.timeScale().getVisibleLogicalRange();
  }

  set window(window) {
    this.wanted = window;
    this.chart.timeScale().setVisibleLogicalRange(window);
    // The library asked for the frame first, so it has moved when this runs.
    requestAnimationFrame(() => {
      if (this.wanted === window) this.wanted = null;
    });
  }

  // Shows the bars between two places, both included.
  moveTo(from, to) {
    this.window = { from: from - 0.5, to: to + 0.5 };
  }

  shift(by) {
    const { window } = this;
    if (by !== 0 && window) this.window = { from: window.from + by, to: window.to + by };
  }

  // Shows as many bars, before or after those that are seen.
  page(share) {
    const { window } = this;
    this.shift((window.to - window.from) * share);
  }

  // Shows fewer or more bars around a place, or around the middle.
  zoom(factor, place) {
    const { from, to } = this.window;
    const middle = place ?? (from + to) / 2;
    this.window = { from: middle - (middle - from) * factor, to: middle + (to - middle) * factor };
  }

  // The places of the first and the last bar that are seen.
  get seen() {
    const { window } = this;
    const clamp = (place) => Math.min(Math.max(place, 0), this.bars.length - 1);
    return window ? [clamp(Math.ceil(window.from)), clamp(Math.floor(window.to))] : [0, this.bars.length - 1];
  }

  point(bar) {
    this.chart.setCrosshairPosition(Number(bar.close), bar.at, this.candles);
  }

  unpoint() {
    this.chart.clearCrosshairPosition();
  }

  picture() {
    return this.chart.takeScreenshot();
  }
}

// The colours of the page's theme, by name.
export function colours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["up", "down", "filled", "gap", "gap-fill", "grid", "soft", "text", "back", "raised", "line", "label-back", "accent", "warn", "good", "ma-short", "ma-long", "band", "font"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

// The options of every chart.
export function optionsOf(colours, isIntraday) {
  const label = { labelBackgroundColor: colours["label-back"] };
  return {
    // The library's logo writes a style into the page, which the content policy forbids. The page has its own link instead.
    layout: { attributionLogo: false, background: { color: colours.back }, textColor: colours.text, fontFamily: colours.font, panes: { separatorColor: colours.line, separatorHoverColor: colours.line } },
    grid: { vertLines: { color: colours.grid }, horzLines: { color: colours.grid } },
    crosshair: { mode: CrosshairMode.Normal, vertLine: { color: colours.soft, ...label }, horzLine: { color: colours.soft, ...label } },
    rightPriceScale: { borderColor: colours.line, minimumWidth: 64 },
    timeScale: { borderColor: colours.line, timeVisible: isIntraday, secondsVisible: false, rightOffset: 2, minBarSpacing: 0.25 },
    localization: { timeFormatter: (at) => clockText(at, isIntraday) },
    // A swipe up or down scrolls the page; a swipe to the side moves the chart.
    handleScroll: { vertTouchDrag: false },
    kineticScroll: { touch: true, mouse: false },
  };
}
