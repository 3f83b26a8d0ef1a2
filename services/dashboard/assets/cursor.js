// The bar that mouse, finger or keyboard points at: the legend shows it, and a click leads to its origin.

// How long a second click may take, in milliseconds.
const TWICE = 400;

export class Cursor {
  constructor(element, { candles, legend, lineage, byHand }) {
    Object.assign(this, { candles, legend, lineage, byHand, chart: null, place: null, leaving: 0, isTouched: false });
    element.addEventListener("pointerleave", (event) => this.left(event));
    element.addEventListener("pointerdown", (event) => (this.isTouched = event.pointerType === "touch"), { capture: true });
  }

  // Follows a chart, as soon as there is one.
  follow(chart) {
    this.chart = chart;
    chart.chart.subscribeCrosshairMove((move) => this.hovered(move));
    chart.chart.subscribeClick((click) => this.clicked(click));
  }

  clear() {
    this.place = null;
    this.chart?.unpoint();
  }

  // Cancels a click that would leave the page.
  stay() {
    clearTimeout(this.leaving);
  }

  // Shows the bar, or the last one if none is pointed at.
  show() {
    const { candles, chart } = this;
    const { bars } = candles;
    const at = Math.min(this.place ?? bars.findLastIndex((bar) => !bar.gap), bars.length - 1);
    const before = bars.slice(0, at).findLast((bar) => !bar.gap);
    this.legend.show(bars[at], before, { chart, candles });
  }

  // The keyboard moves the crosshair too; only moves of the pointer have a source event.
  hovered({ logical, sourceEvent }) {
    if (!sourceEvent || logical === undefined) return;
    const place = Math.round(logical);
    if (place < 0 || place >= this.candles.bars.length) return;
    this.place = place;
    this.show();
  }

  left(event) {
    if (event.pointerType !== "mouse" || !this.chart) return;
    this.place = null;
    this.show();
  }

  // A tap reads a candle; a click of the mouse leads to its origin, unless it is the first half of two.
  clicked({ logical }) {
    if (logical === undefined) return;
    const bar = this.candles.bars[Math.round(logical)];
    if (!bar || bar.gap) return;
    if (!this.isTouched) {
      this.stay();
      if (!this.candles.derivedFrom) this.leaving = setTimeout(() => this.origin(), TWICE);
      return;
    }
    this.place = Math.round(logical);
    this.chart.point(bar);
    this.show();
  }

  // Moves by a number of bars, and the window with it if necessary.
  step(by) {
    const { bars } = this.candles;
    const [left, right] = this.chart.seen;
    const at = Math.min(Math.max((this.place ?? bars.length) + by, 0), bars.length - 1);
    if (at < left || at > right) {
      this.byHand();
      this.chart.shift(at < left ? at - left : at - right);
    }
    if (!bars[at].gap) this.chart.point(bars[at]);
    this.place = at;
    this.show();
  }

  // Leads to where the bar comes from.
  origin() {
    const { bars, derivedFrom } = this.candles;
    const bar = bars[this.place ?? bars.length - 1];
    if (bar && !bar.gap && !derivedFrom) location.assign(`${this.lineage}?time=${encodeURIComponent(bar.time)}`);
  }
}
