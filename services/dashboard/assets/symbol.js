// The page of a symbol: what is seen of a series, and how mouse, finger, keyboard and address change it.

import { Chart } from "./chart.js";
import { comparisons } from "./compare.js";
import { Clock, clockText } from "./figures.js";
import { listenToKeys } from "./keys.js";
import { Legend } from "./legend.js";
import { isIntraday, levelFor, nextLevel } from "./levels.js";
import { drawPicture, give } from "./picture.js";
import { Candles } from "./series.js";
import { Later } from "./later.js";
import { armSwitcher } from "./switcher.js";
import { RANGES, firstBar, readView, spanOf, writeView } from "./view.js";

const element = document.getElementById("chart");
const veil = document.getElementById("veil");
const trouble = document.getElementById("trouble");
const { folder, symbol, interval, stored, timezone, lineage, levels: levelNames, candles: candleCount, first, last, close } = element.dataset;
const levels = levelNames.split(",");
const series = { interval, candles: Number(candleCount), seconds: (Date.parse(last) - Date.parse(first)) / 1000 };
const clock = new Clock(timezone);
const state = { view: readView(location.href, isIntraday(interval)), cursor: null, isReady: false, isByHand: false, newest: close };
const candles = new Candles(folder, clock, { stored, wait: (seconds) => say(`The dashboard is busy; trying again in ${seconds} s.`) });
const legend = new Legend(document.getElementById("legend"), lineage);
let chart = null;

function colours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["up", "down", "filled", "gap", "gap-fill", "grid", "soft", "text", "back", "raised", "line", "label-back", "accent", "warn", "ma-short", "ma-long", "band", "font"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

function say(words) {
  trouble.textContent = words;
  trouble.hidden = words === "";
}

function stage(name) {
  element.dataset.state = name;
}

// A chart that is drawn stays, whatever an answer says.
function fail(error) {
  if (error.name === "AbortError") return;
  if (!state.isReady) {
    veil.textContent = `The candles cannot be shown: ${error.message}`;
    veil.hidden = false;
    return stage("error");
  }
  say(`This is what was there before; the newest cannot be shown: ${error.message}`);
  stage("ready");
}

// Loads what the view asks for, at the level that fits it.
async function open() {
  stage("loading");
  try {
    const { view } = state;
    const span = view.from ? spanBetween(view.from, view.to ?? last) : spanOf(view.range);
    await candles.load(levelFor(levels, Math.min(span, series.seconds), series), view.indicators, { to: view.to });
    if (candles.bars.length === 0 && view.to) await candles.load(candles.level, view.indicators);
    draw();
    if (candles.bars.length === 0) return;
    state.isByHand = false;
    chart.moveTo(...windowOf(view));
    // The price axis has its width after the first frame.
    await nextFrame();
    chart.moveTo(...windowOf(view));
    settle();
    await compare();
  } catch (error) {
    fail(error);
  }
}

const nextFrame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));

const spanBetween = (from, to) => Math.max(Date.parse(to) - Date.parse(from), 86_400_000) / 1000;

function windowOf(view) {
  const { bars } = candles;
  const end = bars.length - 1;
  if (!view.from) return [firstBar(bars, view.range), end];
  const from = clock.at(view.from);
  const at = bars.findIndex((bar) => bar.at >= from);
  return at < 0 ? [Math.max(0, end - 100), end] : [at, Math.max(end, at + 5)];
}

function draw() {
  if (candles.bars.length === 0) {
    veil.textContent = series.candles > 0 ? "No candles in this range." : veil.textContent;
    veil.hidden = false;
    return stage("empty");
  }
  chart ??= makeChart();
  chart.isIntraday = candles.isIntraday;
  chart.chart.applyOptions({ timeScale: { timeVisible: candles.isIntraday } });
  chart.show(candles.bars, candles.columns);
  chart.scale(state.view.scale);
  if (!candles.hasLater) state.newest = candles.last?.close ?? state.newest;
  chart.markLast(state.newest ?? null);
  veil.hidden = true;
  state.isReady = true;
  say("");
}

function makeChart() {
  const made = new Chart(element, colours(), candles.isIntraday);
  made.chart.timeScale().subscribeVisibleLogicalRangeChange(moved);
  made.chart.subscribeCrosshairMove(hovered);
  made.chart.subscribeClick(clicked);
  made.chart.subscribeDblClick(() => {
    clearTimeout(leaving);
    chooseRange("All");
  });
  return made;
}

let frame = 0;
let resting = 0;

// What the page moves itself is no choice of the reader's.
const byHand = () => (state.isByHand = true);

// The window moved: what is missing is asked for at once, and the address follows when the hand rests.
function moved() {
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(fetchAround);
  clearTimeout(resting);
  resting = setTimeout(rest, 250);
}

// Asks for the next window ahead before it is seen.
async function fetchAround() {
  const { window } = chart;
  if (!window) return;
  const ahead = Math.max(window.to - window.from, 300);
  try {
    if (window.from < ahead) added(await candles.earlier(), true);
    if (window.to > candles.bars.length - ahead) added(await candles.later(), false);
  } catch (error) {
    fail(error);
  }
}

function added(count, isBefore) {
  if (count === 0) return;
  const window = chart.window;
  const place = Math.max(0, Math.floor(window.from)) + (isBefore ? count : 0);
  const cut = candles.trim(place, place + Math.ceil(window.to - window.from));
  chart.show(candles.bars, candles.columns);
  const by = (isBefore ? count : 0) - cut;
  chart.chart.timeScale().setVisibleLogicalRange({ from: window.from + by, to: window.to + by });
  settle();
  compare();
}

async function rest() {
  const { window } = chart;
  if (!window) return;
  if (!state.isByHand) return settle();
  const level = nextLevel(levels, candles.level, window.to - window.from);
  if (level !== candles.level && !state.isChanging) return changeLevel(level);
  const [from, to] = seenTimes();
  const isAtEnd = !candles.hasLater && chart.seen[1] >= candles.bars.length - 2;
  Object.assign(state.view, { from, to: isAtEnd ? null : to });
  history.replaceState(null, "", writeView(location.href, state.view));
  settle();
}

// The same span at another level.
async function changeLevel(level) {
  const { bars } = candles;
  const [left, right] = chart.seen;
  const [from, to] = [bars[left].at, bars[right].at];
  const after = bars.slice(right + 1).find((bar) => !bar.gap);
  state.isChanging = true;
  try {
    await candles.load(level, state.view.indicators, { before: after?.time ?? null });
    draw();
    const at = candles.bars.findIndex((bar) => bar.at >= from);
    const end = candles.bars.findLastIndex((bar) => bar.at <= to);
    chart.moveTo(Math.max(at, 0), Math.max(end, at + 5));
    compare();
  } catch (error) {
    fail(error);
  } finally {
    state.isChanging = false;
  }
}

function seenTimes() {
  const { bars } = candles;
  const [left, right] = chart.seen;
  const timeAt = (place, step) => {
    let at = place;
    while (bars[at]?.gap) at += step;
    return bars[at]?.time ?? null;
  };
  return [timeAt(left, 1), timeAt(right, -1)];
}

// What the page says of what is seen.
function settle() {
  const { bars } = candles;
  const [left, right] = chart.seen;
  const [from, to] = seenTimes();
  const count = bars.slice(left, right + 1).filter((bar) => !bar.gap).length;
  const words = [count === 1 ? "1 candle" : `${count} candles`];
  if (candles.derivedFrom) words.push(`of ${candles.level}, derived from ${candles.derivedFrom}`);
  if (candles.level !== interval) words.push("zoom in to see shorter ones");
  if (candles.isIntraday) words.push(`times of ${timezone}`);
  document.getElementById("note").textContent = `${words.join(", ")}.`;
  Object.assign(element.dataset, { from, to, level: candles.level });
  press(from, to);
  showBar(state.cursor);
  stage("ready");
  performance.mark("candlewick:drawn");
}

// Which buttons are pressed, and where the links lead.
function press(from, to) {
  const { view } = state;
  document.querySelectorAll("[data-range]").forEach((button) => {
    button.setAttribute("aria-pressed", String(!view.from && button.dataset.range === view.range));
  });
  document.querySelectorAll("[data-indicator]").forEach((button) => {
    button.setAttribute("aria-pressed", String(button.dataset.indicator.split(",").every((name) => view.indicators.includes(name))));
  });
  document.querySelectorAll("[data-scale]").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.scale === view.scale)));
  document.getElementById("indicators").value = view.indicators.join(", ");
  const query = new URLSearchParams(!view.from && view.range === "All" ? {} : { from, ...(view.to && { to }) });
  if (view.indicators.length > 0) query.set("indicators", view.indicators.join(","));
  document.getElementById("csv").href = `${folder}/${interval}/candles.csv?${query}`;
}

function change(part) {
  Object.assign(state.view, part);
  history.replaceState(null, "", writeView(location.href, state.view));
  open();
}

function chooseRange(range) {
  if (!document.querySelector(`[data-range="${range}"]`)) return;
  state.cursor = null;
  chart?.unpoint();
  change({ range, from: null, to: null });
}

// The same window with other lines.
async function changeIndicators(indicators) {
  state.view.indicators = indicators;
  history.replaceState(null, "", writeView(location.href, state.view));
  await reload();
}

function toggle(names) {
  const { indicators } = state.view;
  const isOn = names.every((name) => indicators.includes(name));
  changeIndicators(isOn ? indicators.filter((name) => !names.includes(name)) : [...new Set([...indicators, ...names])]);
}

// What is seen is fetched anew, and stays where it is.
async function reload() {
  if (!state.isReady) return open();
  const { window } = chart;
  const [place] = chart.seen;
  const start = candles.bars.slice(Math.max(0, place - 300)).find((bar) => !bar.gap);
  const anchor = candles.bars[place].at;
  const isWhole = !candles.hasEarlier && start === candles.first;
  const wasAtEnd = !candles.hasLater && window.to >= candles.bars.length - 1.5;
  stage("loading");
  try {
    await candles.load(candles.level, state.view.indicators, { from: isWhole ? BEGINNING : start.time });
    candles.hasEarlier = !isWhole;
  } catch (error) {
    return fail(error);
  }
  draw();
  if (state.view.from) keep(window, anchor, wasAtEnd);
  else chart.moveTo(...windowOf(state.view));
  await nextFrame();
  settle();
  compare();
}

// Earlier than any candle.
const BEGINNING = "1000-01-01";

function keep(window, anchor, wasAtEnd) {
  const width = window.to - window.from;
  const at = wasAtEnd ? candles.bars.length - 0.5 - width : candles.bars.findIndex((bar) => bar.at >= anchor) - 0.5;
  chart.chart.timeScale().setVisibleLogicalRange({ from: at, to: at + width });
}

// A burst of loads is one reload, and never two at once.
const changes = new Later(() => (series.candles > 0 ? reload() : location.reload()), 250, 2000);

async function compare() {
  const [from, to] = [candles.first?.time, candles.last?.time];
  if (!chart || !from) return;
  const lines = await comparisons(state.view.compare, candles, { folder, symbol, from, to });
  chart.compare(lines.filter((line) => line.points));
  const failed = lines.filter((line) => line.error).map((line) => `${line.name}: ${line.error}`);
  if (failed.length > 0) say(failed.join("; "));
  showBar(state.cursor);
}

function showBar(place) {
  const { bars } = candles;
  const at = Math.min(place ?? bars.findLastIndex((bar) => !bar.gap), bars.length - 1);
  const before = bars.slice(0, at).findLast((bar) => !bar.gap);
  legend.show(bars[at], before, { chart, candles });
}

// The keyboard moves the crosshair too; only a hand's moves are heard here.
function hovered({ logical, sourceEvent }) {
  if (!sourceEvent || logical === undefined) return;
  const place = Math.round(logical);
  if (place < 0 || place >= candles.bars.length) return;
  state.cursor = place;
  showBar(place);
}

function left(event) {
  if (event.pointerType !== "mouse" || !state.isReady) return;
  state.cursor = null;
  showBar(null);
}

// How long a second click may take, in milliseconds.
const TWICE = 400;

let leaving = 0;
let isTouched = false;

// A tap reads a candle; a click of the mouse leads to its origin, unless it is the first half of two.
function clicked({ logical }) {
  if (logical === undefined) return;
  const bar = candles.bars[Math.round(logical)];
  if (!bar || bar.gap) return;
  if (!isTouched) {
    clearTimeout(leaving);
    if (!candles.derivedFrom) leaving = setTimeout(origin, TWICE);
    return;
  }
  state.cursor = Math.round(logical);
  chart.point(bar);
  showBar(state.cursor);
}

function step(by) {
  const [left, right] = chart.seen;
  const at = Math.min(Math.max((state.cursor ?? candles.bars.length) + by, 0), candles.bars.length - 1);
  state.cursor = at;
  if (at < left || at > right) {
    byHand();
    chart.shift(at < left ? at - left : at - right);
  }
  if (!candles.bars[at].gap) chart.point(candles.bars[at]);
  state.cursor = at;
  showBar(at);
}

function zoom(factor) {
  byHand();
  const { from, to } = chart.window;
  const middle = state.cursor ?? (from + to) / 2;
  chart.chart.timeScale().setVisibleLogicalRange({ from: middle - (middle - from) * factor, to: middle + (to - middle) * factor });
}

function page(by) {
  byHand();
  chart.shift((chart.window.to - chart.window.from) * by);
}

function origin() {
  const bar = candles.bars[state.cursor ?? candles.bars.length - 1];
  if (bar && !bar.gap && !candles.derivedFrom) location.assign(`${lineage}?time=${encodeURIComponent(bar.time)}`);
}

function picture() {
  const [left, right] = chart.seen;
  const day = (place) => clockText(candles.bars[place].at, candles.isIntraday);
  const made = drawPicture(chart, colours(), {
    title: `${symbol} ${candles.level}${candles.derivedFrom ? ` (derived from ${candles.derivedFrom})` : ""}`,
    range: `${day(left)} to ${day(right)}`,
    legend: [...legend.element.children].slice(1).map((part) => part.textContent.trim()).join("  "),
    source: `Candlewick, ${location.host}, ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC. Charts by TradingView Lightweight Charts.`,
  });
  give(made, `${symbol}_${candles.level}`.replace(/[^A-Za-z0-9._-]/g, "_") + ".png");
}

async function copyLink(event) {
  const button = event.currentTarget;
  const done = await navigator.clipboard?.writeText(location.href).then(() => true, () => false);
  button.textContent = done ? "Copied" : "See the address";
  setTimeout(() => (button.textContent = "Link"), 1500);
}

const listOf = (text) => text.split(/[\s,]+/).filter(Boolean);

document.getElementById("ranges").addEventListener("click", ({ target }) => target.dataset.range && chooseRange(target.dataset.range));
document.getElementById("toggles").addEventListener("click", ({ target }) => target.dataset.indicator && toggle(target.dataset.indicator.split(",")));
document.getElementById("scales").addEventListener("click", ({ target }) => target.dataset.scale && changeScale(target.dataset.scale));
document.getElementById("indicators").addEventListener("change", ({ target }) => changeIndicators(listOf(target.value)));
document.getElementById("compare").addEventListener("change", ({ target }) => change({ compare: listOf(target.value), scale: target.value.trim() ? "percent" : "plain" }));
document.getElementById("compare").value = state.view.compare.join(", ");
document.getElementById("png").addEventListener("click", () => state.isReady && picture());
document.getElementById("link").addEventListener("click", copyLink);
element.addEventListener("pointerleave", left);
element.addEventListener("wheel", byHand, { passive: true });
element.addEventListener("pointermove", (event) => event.buttons > 0 && byHand());
element.addEventListener("touchmove", byHand, { passive: true });
element.addEventListener("pointerdown", (event) => (isTouched = event.pointerType === "touch"), { capture: true });
window.addEventListener("candlewick:theme", () => {
  chart?.paint(colours());
  if (state.isReady) draw();
});
window.addEventListener("candlewick:change", ({ detail }) => {
  if (detail.kind === "resync" || (detail.symbol === symbol && detail.interval === stored)) changes.ask();
});

function changeScale(name) {
  state.view.scale = state.view.scale === name ? "plain" : name;
  history.replaceState(null, "", writeView(location.href, state.view));
  chart?.scale(state.view.scale);
  press(element.dataset.from, element.dataset.to);
}

armSwitcher(document.getElementById("symbol-switch"), document.getElementById("symbols"), interval);

const ready = (action) => () => state.isReady && action();
listenToKeys({
  ArrowLeft: ready(() => step(-1)),
  ArrowRight: ready(() => step(1)),
  PageUp: ready(() => page(-0.8)),
  PageDown: ready(() => page(0.8)),
  "+": ready(() => zoom(0.6)),
  "-": ready(() => zoom(1.6)),
  m: () => toggle(["sma20", "sma50"]),
  b: () => toggle(["bb20x2"]),
  r: () => toggle(["rsi14"]),
  l: () => changeScale("log"),
  "%": () => changeScale("percent"),
  Enter: ready(() => document.activeElement === element && origin()),
  ...Object.fromEntries(RANGES.map((range, at) => [String(at + 1), () => chooseRange(range)])),
});
if (series.candles > 0) open();
else stage("waiting");
