// Shows the figures of the bar under the cursor, with the stored digits.

import { clockText, exact, fixed, signed } from "./figures.js";

export class Legend {
  constructor(element, lineage) {
    this.element = element;
    this.lineage = lineage;
  }

  // The texts about a bar, with a class each.
  parts(bar, before, { chart, candles }) {
    if (bar.gap) return [["gap", `${bar.slots} candles missing, ${bar.first} to ${bar.last}`, "tag"]];
    const { places } = chart;
    const prices = ["open", "high", "low", "close"].map((name) => [name[0].toUpperCase(), exact(bar[name], places), ""]);
    return [...prices, ...change(bar, before), ...volume(bar), ...filled(bar), ...lines(bar, chart, candles), ...compared(bar, chart)];
  }

  show(bar, before, context) {
    const { candles } = context;
    const label = bar.gap ? document.createElement("span") : this.link(bar, candles);
    label.textContent = clockText(bar.at, candles.isIntraday);
    this.element.replaceChildren(label, ...this.parts(bar, before, context).map(figure));
    this.element.dataset.time = bar.time ?? "";
  }

  // A stored candle links to its origin.
  link(bar, candles) {
    if (candles.derivedFrom) {
      const label = document.createElement("span");
      label.title = `Derived from ${candles.derivedFrom}`;
      return label;
    }
    const link = document.createElement("a");
    link.href = `${this.lineage}?time=${encodeURIComponent(bar.time)}`;
    link.title = "Where this candle comes from";
    return link;
  }
}

function change(bar, before) {
  const close = Number(before?.close);
  if (!close) return [];
  const percent = (100 * (Number(bar.close) - close)) / close;
  return [["", `${signed(percent, 2)} %`, percent < 0 ? "down" : "up"]];
}

const volume = (bar) => (bar.volume === null ? [] : [["V", exact(bar.volume, 0), ""]]);
const filled = (bar) => (bar.isFilled ? [["", "filled by cleaning", "tag"]] : []);

function lines(bar, chart, candles) {
  return candles.columns.map((column, at) => {
    const value = bar.values[at];
    const places = column.startsWith("rsi") ? 2 : chart.places;
    return [column, value === null ? "–" : fixed(value, places), `line ${chart.lines[at]?.colour ?? ""}`];
  });
}

function compared(bar, chart) {
  return chart.compared.map(({ name, values }) => [name, values.has(bar.at) ? fixed(values.get(bar.at), chart.places) : "–", "line"]);
}

function figure([name, text, tone]) {
  const span = document.createElement("span");
  const label = document.createElement("b");
  label.textContent = name;
  span.append(label, ` ${text}`);
  span.className = tone;
  return span;
}
