// The loaded candles of a series. Windows are added on both sides as they are needed.

import { askJson } from "./fetching.js";
import { isIntraday, secondsOf } from "./levels.js";

export const WINDOW = 1500;
const MOST_KEPT = 12_000;

export class Candles {
  constructor(folder, clock, options) {
    Object.assign(this, { folder, clock, bars: [], hasEarlier: false, hasLater: false, abort: new AbortController(), wait: options.wait });
    this.stored = options.stored;
    this.level = null;
    this.indicators = [];
    this.busy = { earlier: false, later: false };
  }

  address(level, part, query) {
    const text = new URLSearchParams(query).toString();
    return `${this.folder}/${level}/${part}${text ? `?${text}` : ""}`;
  }

  candles(level, indicators, query) {
    const more = indicators.length > 0 ? { indicators: indicators.join(",") } : {};
    return askJson(this.address(level, "candles", { ...query, ...more }), { signal: this.abort.signal, wait: this.wait });
  }

  // If the gaps cannot be loaded, the candles are shown without them.
  async gaps(level, from, to) {
    const gaps = askJson(this.address(level, "gaps", { from, to }), { signal: this.abort.signal });
    return gaps.catch(() => []);
  }

  // Aborts the requests that were sent before a new start.
  restart() {
    this.abort.abort();
    this.abort = new AbortController();
    this.busy = { earlier: false, later: false };
  }

  // Loads a window: the newest, or the one that ends at or before a time. The previous candles stay until it is loaded.
  async load(level, indicators, { to = null, before = null, from = null } = {}) {
    this.restart();
    const { signal } = this.abort;
    // Nothing is added to candles that are about to be replaced.
    this.busy = { earlier: true, later: true };
    const query = from ? { from, limit: MOST_KEPT } : { ...(to && { to }), ...(before && { before }), last: WINDOW };
    try {
      const columns = await this.candles(level, indicators, query);
      const bars = await this.barsOf(level, columns, null);
      signal.throwIfAborted();
      this.take(level, indicators, columns, bars);
      this.hasEarlier = from ? this.hasEarlier : columns.previous !== null;
      this.hasLater = Boolean(from ? columns.next : to || before) && bars.length > 0;
    } finally {
      if (!signal.aborted) this.busy = { earlier: false, later: false };
    }
  }

  take(level, indicators, columns, bars) {
    Object.assign(this, { level, indicators, bars });
    this.columns = Object.keys(columns.indicators ?? {});
    this.derivedFrom = columns.derived_from ?? null;
  }

  // Loads the window before the first bar; returns how many bars it added at the start.
  async earlier() {
    if (!this.hasEarlier || this.busy.earlier) return 0;
    return this.extend("earlier", { before: this.first.time, last: WINDOW }, (bars, columns) => {
      this.bars = [...bars, ...this.bars];
      this.hasEarlier = columns.previous !== null && bars.length > 0;
      return bars.length;
    });
  }

  // Loads the window after the last bar; returns how many bars it added at the end.
  async later() {
    if (!this.hasLater || this.busy.later) return 0;
    return this.extend("later", { after: this.last.time, limit: WINDOW }, (bars, columns) => {
      this.bars = [...this.bars, ...bars];
      this.hasLater = columns.next !== null;
      return bars.length;
    });
  }

  async extend(side, query, join) {
    const { signal } = this.abort;
    this.busy[side] = true;
    try {
      const columns = await this.candles(this.level, this.indicators, query);
      const bars = await this.barsOf(this.level, columns, side);
      return signal.aborted ? 0 : join(bars, columns);
    } finally {
      if (!signal.aborted) this.busy[side] = false;
    }
  }

  // Drops bars that are far from the visible ones; returns how many were dropped at the start.
  trim(from, to) {
    if (this.bars.length <= MOST_KEPT) return 0;
    const cut = Math.max(0, Math.min(from - WINDOW, this.bars.length - WINDOW));
    const end = Math.min(this.bars.length, to + WINDOW);
    if (cut > 0) this.hasEarlier = true;
    if (end < this.bars.length) this.hasLater = true;
    this.bars = this.bars.slice(cut, end);
    return cut;
  }

  get first() {
    return this.bars.find((bar) => !bar.gap);
  }

  get last() {
    return this.bars.findLast((bar) => !bar.gap);
  }

  // Candles and gaps in one row. A gap between the window and what is there already belongs to the window.
  async barsOf(level, columns, side) {
    const bars = columns.time.map((time, at) => this.bar(columns, time, at));
    columns.filled.forEach((at) => (bars[at].isFilled = true));
    if (bars.length === 0) return bars;
    const from = side === "later" ? this.last.time : bars[0].time;
    const to = side === "earlier" ? this.first.time : bars.at(-1).time;
    const gaps = await this.gaps(level, from, to);
    const edges = { before: side === "later" ? this.last : null, after: side === "earlier" ? this.first : null };
    return gaps.length === 0 ? bars : this.between(bars, gaps, edges, level === this.stored ? 0 : secondsOf(level));
  }

  bar(columns, time, at) {
    const { open, high, low, close, volume } = columns;
    const values = Object.values(columns.indicators ?? {}).map((column) => column[at]);
    return { time, at: this.clock.at(time), open: open[at], high: high[at], low: low[at], close: close[at], volume: volume[at], values };
  }

  // Inserts one bar without a candle for all gaps between two candles.
  between(bars, gaps, { before, after }, length) {
    const all = [...(before ? [before] : []), ...bars, ...(after ? [after] : [])];
    const shown = [];
    let next = 0;
    all.forEach((bar, at) => {
      let gap = null;
      for (; next < gaps.length && gaps[next].first < bar.time; next += 1) {
        if (at > 0 && this.isOutside(gaps[next], all[at - 1], length)) gap = this.joined(gap, gaps[next]);
      }
      if (gap) shown.push(gap);
      if (bar !== before && bar !== after) shown.push(bar);
    });
    return shown;
  }

  // A gap within a derived candle gets no bar.
  isOutside(gap, before, length) {
    return length === 0 ? gap.last > before.time : this.clock.at(gap.first) >= before.at + length;
  }

  joined(known, gap) {
    const slots = (known?.slots ?? 0) + gap.slots;
    return { gap: true, first: known?.first ?? gap.first, last: gap.last, slots, at: known?.at ?? this.clock.at(gap.first) };
  }

  get isIntraday() {
    return isIntraday(this.level);
  }
}
