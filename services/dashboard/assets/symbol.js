// The page of a symbol: which part of a series is visible, and how mouse, touch, keyboard and address change it.

import { Chart, colours } from "./chart.js";
import { comparisons } from "./compare.js";
import { listen, press } from "./controls.js";
import { Cursor } from "./cursor.js";
import { Clock } from "./figures.js";
import { listenToKeys } from "./keys.js";
import { Legend } from "./legend.js";
import { isIntraday, levelFor, nextLevel } from "./levels.js";
import { Notice } from "./notice.js";
import { savePicture } from "./picture.js";
import { Candles } from "./series.js";
import { Later } from "./later.js";
import { armSwitcher } from "./switcher.js";
import { RANGES, readView, seenTimes, spanBetween, spanOf, windowOf, writeView } from "./view.js";

const element = document.getElementById("chart");
const notice = new Notice(element);
const { folder, symbol, interval, stored, timezone, lineage, levels: levelNames, candles: candleCount, first, last, close } = element.dataset;
const levels = levelNames.split(",");
const series = { interval, candles: Number(candleCount), seconds: (Date.parse(last) - Date.parse(first)) / 1000 };
const clock = new Clock(timezone);
const state = { view: readView(location.href, isIntraday(interval)), isReady: false, isByHand: false, newest: close };
const candles = new Candles(folder, clock, { stored, wait: (seconds) => notice.say(`The dashboard is busy; trying again in ${seconds} s.`) });
const legend = new Legend(document.getElementById("legend"), lineage);
let chart = null;

// Records that the user moved the window, and not the page itself.
const byHand = () => (state.isByHand = true);
const cursor = new Cursor(element, { candles, legend, lineage, byHand });

// Loads what the view asks for, at the level that fits it.
async function open() {
  notice.stage("loading");
  try {
    const { view } = state;
    const span = view.from ? spanBetween(view.from, view.to ?? last) : spanOf(view.range);
    await candles.load(levelFor(levels, Math.min(span, series.seconds), series), view.indicators, { to: view.to });
    if (candles.bars.length === 0 && view.to) await candles.load(candles.level, view.indicators);
    draw();
    if (candles.bars.length === 0) return;
    state.isByHand = false;
    chart.moveTo(...windowOf(candles.bars, clock, view));
    // The price axis has its width after the first frame.
    await nextFrame();
    if (!state.isByHand) chart.moveTo(...windowOf(candles.bars, clock, view));
    settle();
    await compare();
  } catch (error) {
    notice.fail(error, state.isReady);
  }
}

const nextFrame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));

function draw() {
  if (candles.bars.length === 0) {
    return notice.empty(series.candles > 0 ? "No candles in this range." : null);
  }
  chart ??= makeChart();
  chart.isIntraday = candles.isIntraday;
  chart.chart.applyOptions({ timeScale: { timeVisible: candles.isIntraday } });
  chart.show(candles.bars, candles.columns);
  chart.scale(state.view.scale);
  if (!candles.hasLater) state.newest = candles.last?.close ?? state.newest;
  chart.markLast(state.newest ?? null);
  state.isReady = true;
  notice.clear();
}

function makeChart() {
  const made = new Chart(element, colours(), candles.isIntraday);
  made.chart.timeScale().subscribeVisibleLogicalRangeChange(moved);
  cursor.follow(made);
  made.chart.subscribeDblClick(() => {
    cursor.stay();
    chooseRange("All");
  });
  return made;
}

let frame = 0;
let resting = 0;

// The window moved: missing candles are requested at once, and the address follows when the movement ends.
function moved() {
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(fetchAround);
  clearTimeout(resting);
  resting = setTimeout(rest, 250);
}

// Requests the next window before it becomes visible.
async function fetchAround() {
  const { window } = chart;
  if (!window) return;
  const ahead = Math.max(window.to - window.from, 300);
  try {
    if (window.from < ahead) added(await candles.earlier(), true);
    if (window.to > candles.bars.length - ahead) added(await candles.later(), false);
  } catch (error) {
    notice.fail(error, state.isReady);
  }
}

function added(count, isBefore) {
  if (count === 0) return;
  const window = chart.window;
  const place = Math.max(0, Math.floor(window.from)) + (isBefore ? count : 0);
  const cut = candles.trim(place, place + Math.ceil(window.to - window.from));
  chart.show(candles.bars, candles.columns);
  const by = (isBefore ? count : 0) - cut;
  chart.window = { from: window.from + by, to: window.to + by };
  settle();
  compare();
}

async function rest() {
  const { window } = chart;
  if (!window) return;
  if (!state.isByHand) return settle();
  const level = nextLevel(levels, candles.level, window.to - window.from);
  if (level !== candles.level && !state.isChanging) return changeLevel(level);
  const [from, to] = seenTimes(candles.bars, chart.seen);
  const isAtEnd = !candles.hasLater && chart.seen[1] >= candles.bars.length - 2;
  Object.assign(state.view, { from, to: isAtEnd ? null : to });
  writeAddress();
  settle();
}

// Shows the same span at another level. The window may move until the candles are there.
async function changeLevel(level) {
  const { bars } = chart;
  const after = bars.slice(chart.seen[1] + 1).find((bar) => !bar.gap);
  state.isChanging = true;
  try {
    await candles.load(level, state.view.indicators, { before: after?.time ?? null });
    const [from, to] = chart.seen.map((place) => bars[place].at);
    draw();
    const at = candles.bars.findIndex((bar) => bar.at >= from);
    const end = candles.bars.findLastIndex((bar) => bar.at <= to);
    chart.moveTo(Math.max(at, 0), Math.max(end, at + 5));
    compare();
  } catch (error) {
    notice.fail(error, state.isReady);
  } finally {
    state.isChanging = false;
  }
}

// Describes the visible part.
function settle() {
  const { bars } = candles;
  const [left, right] = chart.seen;
  const [from, to] = seenTimes(candles.bars, chart.seen);
  const count = bars.slice(left, right + 1).filter((bar) => !bar.gap).length;
  const words = [count === 1 ? "1 candle" : `${count} candles`];
  if (candles.derivedFrom) words.push(`of ${candles.level}, derived from ${candles.derivedFrom}`);
  if (candles.level !== interval) words.push("zoom in to see shorter ones");
  if (candles.isIntraday) words.push(`times of ${timezone}`);
  document.getElementById("note").textContent = `${words.join(", ")}.`;
  Object.assign(element.dataset, { from, to, level: candles.level });
  press(state.view, { from, to }, `${folder}/${interval}/candles.csv`);
  cursor.show();
  notice.stage("ready");
  performance.mark("candlewick:drawn");
}

function writeAddress() {
  history.replaceState(null, "", writeView(location.href, state.view));
}

// A movement that has not ended yet must not overwrite what is chosen now.
function change(part) {
  clearTimeout(resting);
  state.isByHand = false;
  Object.assign(state.view, part);
  writeAddress();
  open();
}

function chooseRange(range) {
  if (!document.querySelector(`[data-range="${range}"]`)) return;
  cursor.clear();
  change({ range, from: null, to: null });
}

// Shows the same window with other indicators.
async function changeIndicators(indicators) {
  state.view.indicators = indicators;
  writeAddress();
  await reload();
}

function toggle(names) {
  const { indicators } = state.view;
  const isOn = names.every((name) => indicators.includes(name));
  changeIndicators(isOn ? indicators.filter((name) => !names.includes(name)) : [...new Set([...indicators, ...names])]);
}

// Fetches the visible part again and keeps its position, also if it moves until the candles are there.
async function reload() {
  if (!state.isReady) return open();
  // Another load would abort the one that is under way.
  if (state.isChanging) return changes.ask();
  const start = candles.bars.slice(Math.max(0, chart.seen[0] - 300)).find((bar) => !bar.gap);
  const isWhole = !candles.hasEarlier && start === candles.first;
  const { hasLater } = candles;
  notice.stage("loading");
  try {
    await candles.load(candles.level, state.view.indicators, { from: isWhole ? BEGINNING : start.time });
    candles.hasEarlier = !isWhole;
  } catch (error) {
    return notice.fail(error, state.isReady);
  }
  const { window, bars } = chart;
  const anchor = bars[chart.seen[0]].at;
  const wasAtEnd = !hasLater && window.to >= bars.length - 1.5;
  draw();
  if (state.view.from || state.isByHand) keep(window, anchor, wasAtEnd);
  else chart.moveTo(...windowOf(candles.bars, clock, state.view));
  await nextFrame();
  settle();
  compare();
}

// Earlier than any candle.
const BEGINNING = "1000-01-01";

function keep(window, anchor, wasAtEnd) {
  const width = window.to - window.from;
  const at = wasAtEnd ? candles.bars.length - 0.5 - width : candles.bars.findIndex((bar) => bar.at >= anchor) - 0.5;
  chart.window = { from: at, to: at + width };
}

// Several loads in a short time cause one reload, and only one runs at a time.
const changes = new Later(() => (series.candles > 0 ? reload() : location.reload()), 250, 2000);

let comparing = new AbortController();

// A newer comparison ends an older one, whose answer could come later.
async function compare() {
  comparing.abort();
  comparing = new AbortController();
  const { signal } = comparing;
  const [from, to] = [candles.first?.time, candles.last?.time];
  if (!chart || !from) return;
  const lines = await comparisons(state.view.compare, candles, { folder, from, to, signal });
  if (signal.aborted) return;
  chart.compare(lines.filter((line) => line.points));
  const failed = lines.filter((line) => line.error).map((line) => `${line.name}: ${line.error}`);
  if (failed.length > 0) notice.say(failed.join("; "));
  cursor.show();
}

listen(state.view, {
  chooseRange,
  toggle,
  changeScale,
  changeIndicators,
  compare: (names) => change({ compare: names, scale: names.length > 0 ? "percent" : "plain" }),
  picture: () => state.isReady && savePicture(chart, colours(), { symbol, candles, legend }),
});
element.addEventListener("wheel", byHand, { passive: true });
element.addEventListener("pointermove", (event) => event.buttons > 0 && byHand());
element.addEventListener("touchmove", byHand, { passive: true });
window.addEventListener("candlewick:theme", () => {
  chart?.paint(colours());
  if (state.isReady) draw();
});
window.addEventListener("candlewick:change", ({ detail }) => {
  if (detail.kind === "resync" || (detail.symbol === symbol && detail.interval === stored)) changes.ask();
});

function changeScale(name) {
  state.view.scale = state.view.scale === name ? "plain" : name;
  writeAddress();
  chart?.scale(state.view.scale);
  press(state.view, element.dataset, `${folder}/${interval}/candles.csv`);
}

armSwitcher(document.getElementById("symbol-switch"), document.getElementById("symbols"), interval);

const move = (action) => {
  byHand();
  action();
};
const ready = (action) => () => state.isReady && action();
listenToKeys({
  ArrowLeft: ready(() => cursor.step(-1)),
  ArrowRight: ready(() => cursor.step(1)),
  PageUp: ready(() => move(() => chart.page(-0.8))),
  PageDown: ready(() => move(() => chart.page(0.8))),
  "+": ready(() => move(() => chart.zoom(0.6, cursor.place))),
  "-": ready(() => move(() => chart.zoom(1.6, cursor.place))),
  m: () => toggle(["sma20", "sma50"]),
  b: () => toggle(["bb20x2"]),
  r: () => toggle(["rsi14"]),
  l: () => changeScale("log"),
  "%": () => changeScale("percent"),
  Enter: ready(() => document.activeElement === element && cursor.origin()),
  ...Object.fromEntries(RANGES.map((range, at) => [String(at + 1), () => chooseRange(range)])),
});
if (series.candles > 0) open();
else notice.stage("waiting");
