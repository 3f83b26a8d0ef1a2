// The page of a symbol: fetches candles, draws them, and answers mouse, keyboard and address.

import { layout, priceRange, ticks, traces, volumeRange, within } from "./chart.js";
import { listenToKeys } from "./keys.js";
import { fetchSeries } from "./series.js";
import { RANGES, firstDate, readView, writeView } from "./view.js";

// More candles than this cannot be told apart on a screen: the server merges them.
const POINTS = 1500;

const chart = document.getElementById("chart");
const veil = document.getElementById("veil");
const { api, symbol, interval, timezone, lineage } = chart.dataset;
const isIntraday = !/^1(day|week|month)$/.test(interval);
const state = { view: readView(location.href, isIntraday), series: null, whole: null, window: null, cursor: null, asked: 0 };

// Times as the exchange's own clocks show them, in a form that sorts: 2024-12-30 09:30.
const clock = new Intl.DateTimeFormat("sv-SE", { timeZone: timezone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" });
const local = (time) => (isIntraday ? clock.format(new Date(time)) : time);

function colours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["up", "down", "filled", "gap", "gap-fill", "grid", "soft", "text", "back", "raised", "line", "ma-short", "ma-long", "band", "band-fill", "font"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

const isNarrow = () => chart.clientWidth < 640;

function veilWith(words, stage) {
  veil.textContent = words;
  veil.hidden = words === "";
  chart.dataset.state = stage;
}

// Fetches what the view shows. A series that fits is fetched whole, once, and ranges only move the window.
async function load() {
  const mine = (state.asked += 1);
  try {
    const series = await fetchFor(state.view);
    if (mine !== state.asked) return;
    series.shown = series.time.map(local);
    state.series = series;
    if (series.count === 0) return veilWith("No candles in this range.", "empty");
    state.window = windowOf(state.view, series);
    veilWith("", "drawing");
    await draw();
    chart.dataset.state = "ready";
    performance.mark("candlewick:drawn");
  } catch (error) {
    if (mine === state.asked) veilWith(`The candles cannot be shown: ${error.message}`, "error");
  }
}

async function fetchFor(view) {
  state.whole ??= await fetchSeries(api, { points: POINTS });
  if (state.whole.merged === 1) return state.whole;
  const last = state.whole.time.at(-1);
  const from = view.from ?? firstDate(view.range, last);
  return from ? fetchSeries(api, { from, to: view.to, points: POINTS }) : state.whole;
}

function windowOf(view, series) {
  const last = series.places.at(-1) + 0.6;
  const from = view.from ?? firstDate(view.range, series.time.at(-1));
  if (!from) return [-0.6, last];
  const first = series.time.findIndex((time) => time >= from);
  const end = view.to ? series.time.findLastIndex((time) => time.slice(0, view.to.length) <= view.to) : series.count - 1;
  if (first < 0 || end < first) return [-0.6, last];
  return [series.places[first] - 0.6, series.places[end] + 0.6];
}

async function draw() {
  const [paint, { series, view, window: range }] = [colours(), state];
  const options = { responsive: true, displayModeBar: false, scrollZoom: true, doubleClick: false, showTips: false };
  await Plotly.react(chart, traces(series, view, paint), layout(series, view, paint, range, isNarrow()), options);
  if (!chart.dataset.armed) arm();
  show(null);
  note();
  press();
}

function note() {
  const { merged, count, in_range: all } = state.series;
  const words = merged > 1 ? `Each candle here stands for ${merged} of the ${all} in this range; zoom in to see them apart.` : count === 1 ? "1 candle" : `${count} candles`;
  document.getElementById("note").textContent = isIntraday ? `${words} Times are those of ${timezone}.` : words;
}

// Which buttons are pressed, and where the links lead.
function press() {
  const { view } = state;
  document.querySelectorAll("[data-range]").forEach((button) => {
    button.setAttribute("aria-pressed", String(!view.from && button.dataset.range === view.range));
    button.hidden = !isIntraday && /^\dD$/.test(button.dataset.range);
  });
  document.querySelectorAll("[data-toggle]").forEach((button) => button.setAttribute("aria-pressed", String(view[button.dataset.toggle])));
  const from = view.from ?? firstDate(view.range, state.series.time.at(-1));
  const query = new URLSearchParams(from ? { from } : {});
  if (view.to) query.set("to", view.to);
  document.getElementById("csv").href = `${api}/candles.csv?${query}`;
}

function change(part) {
  Object.assign(state.view, part);
  history.replaceState(null, "", writeView(location.href, state.view));
  load();
}

const chooseRange = (range) => change({ range, from: null, to: null });
const toggle = (name) => change({ [name]: !state.view[name] });

// The candle under the mouse or the keyboard's cursor in figures, with the digits that the store has.
function show(at) {
  const { series } = state;
  const here = at ?? series.count - 1;
  const before = here > 0 ? series.numbers.close[here - 1] : null;
  const percent = before ? (100 * (series.numbers.close[here] - before)) / before : null;
  const legend = document.getElementById("legend");
  const place = document.createElement("a");
  place.href = `${lineage}?time=${encodeURIComponent(series.time[here])}`;
  place.textContent = series.merged > 1 ? `from ${series.shown[here]}` : series.shown[here];
  place.title = "Where this candle comes from";
  const figure = (name, text, tone = "") => {
    const span = document.createElement("span");
    const label = document.createElement("b");
    label.textContent = name;
    span.append(label, ` ${text}`);
    span.className = tone;
    return span;
  };
  const parts = ["open", "high", "low", "close"].map((name) => figure(name[0].toUpperCase(), trim(series[name][here])));
  if (percent !== null) {
    parts.push(figure("", `${percent < 0 ? "−" : "+"}${Math.abs(percent).toFixed(2)} %`, percent < 0 ? "down" : "up"));
  }
  if (series.volume[here] !== null) parts.push(figure("V", grouped(series.volume[here])));
  if (series.isFilled.has(here)) parts.push(figure("", "filled by cleaning", "tag"));
  legend.replaceChildren(place, ...parts);
}

// Zeros behind the last digit say nothing.
const trim = (text) => (text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text);
const grouped = (text) => text.replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");

function arm() {
  chart.dataset.armed = "1";
  chart.on("plotly_hover", ({ points }) => {
    const point = points.find((each) => each.data.type === "candlestick" || each.data.type === "bar");
    if (point) show((state.cursor = point.pointNumber));
  });
  chart.on("plotly_unhover", () => show((state.cursor = null)));
  // A click leads to the candle's origin, unless it is the first half of two.
  chart.on("plotly_click", ({ event }) => {
    if (state.cursor !== null && event.detail < 2) leaving = setTimeout(origin, TWICE);
  });
  chart.on("plotly_relayout", (what) => "xaxis.range[0]" in what && moveTo([what["xaxis.range[0]"], what["xaxis.range[1]"]]));
  chart.on("plotly_doubleclick", () => {
    clearTimeout(leaving);
    chooseRange("All");
  });
}

// How long the chart library waits for a second click, in milliseconds: its doubleClickDelay.
const TWICE = 300;

let leaving = 0;
let refining = 0;

// The window moved: prices and labels follow at once, and merged candles come apart when the hand rests.
function moveTo(range) {
  const { series, view } = state;
  state.window = range;
  const part = { "yaxis.range": priceRange(series, range, view.log), "yaxis2.range": volumeRange(series, range) };
  const { tickvals, ticktext } = ticks(series, range, isNarrow() ? 4 : 9);
  Plotly.relayout(chart, { ...part, "xaxis.tickvals": tickvals, "xaxis.ticktext": ticktext });
  clearTimeout(refining);
  refining = setTimeout(settle, 400);
}

function settle() {
  const { series, window: range } = state;
  const [first, behind] = within(series, range);
  if (behind <= first) return;
  const [from, to] = [series.time[first], series.time[behind - 1]];
  if (series.merged > 1 && behind - first < POINTS / 2) return change({ from, to });
  Object.assign(state.view, { from, to });
  history.replaceState(null, "", writeView(location.href, state.view));
  press();
}

function zoom(factor) {
  const [left, right] = state.window;
  const [middle, half] = [(left + right) / 2, Math.max(((right - left) / 2) * factor, 3)];
  const range = [Math.max(middle - half, -0.6), Math.min(middle + half, state.series.places.at(-1) + 0.6)];
  Plotly.relayout(chart, { "xaxis.range": range }).then(() => moveTo(range));
}

function step(by) {
  const [first, behind] = within(state.series, state.window);
  const at = Math.min(Math.max((state.cursor ?? (by < 0 ? behind : behind - 2)) + by, first), behind - 1);
  state.cursor = at;
  Plotly.Fx.hover(chart, [{ curveNumber: 0, pointNumber: at }]);
  show(at);
}

const origin = () => location.assign(`${lineage}?time=${encodeURIComponent(state.series.time[state.cursor ?? state.series.count - 1])}`);

function picture() {
  const name = `${symbol}_${interval}`.replace(/[^A-Za-z0-9._-]/g, "_");
  Plotly.downloadImage(chart, { format: "png", width: 1600, height: 900, filename: name });
}

async function copyLink(event) {
  const button = event.currentTarget;
  const done = await navigator.clipboard?.writeText(location.href).then(() => true, () => false);
  button.textContent = done ? "Copied" : "See the address";
  setTimeout(() => (button.textContent = "Link"), 1500);
}

document.getElementById("ranges").addEventListener("click", ({ target }) => target.dataset.range && chooseRange(target.dataset.range));
document.getElementById("toggles").addEventListener("click", ({ target }) => target.dataset.toggle && toggle(target.dataset.toggle));
document.getElementById("png").addEventListener("click", picture);
document.getElementById("link").addEventListener("click", copyLink);
window.addEventListener("candlewick:theme", () => state.series?.count && draw());
window.addEventListener("candlewick:change", ({ detail }) => {
  if (detail.kind === "resync" || (detail.symbol === symbol && detail.interval === interval)) {
    state.whole = null;
    load();
  }
});
const ready = (action) => () => state.series?.count && action();
listenToKeys({
  ArrowLeft: ready(() => step(-1)),
  ArrowRight: ready(() => step(1)),
  "+": ready(() => zoom(0.6)),
  "-": ready(() => zoom(1.6)),
  m: () => toggle("ma"),
  b: () => toggle("bb"),
  r: () => toggle("rsi"),
  l: () => toggle("log"),
  Enter: ready(() => document.activeElement === chart && origin()),
  ...Object.fromEntries(RANGES.map((range, at) => [String(at + 1), () => chooseRange(range)])),
});
load();
