// Keeps a page up to date: the server sends changes, and the affected parts of the page are fetched again.

import { askPage } from "./fetching.js";
import { Later } from "./later.js";
import { replace } from "./regions.js";
import { Rows } from "./rows.js";

const SETTLE = 250;
const AT_MOST = 2000;
const AGES = 60_000;

export function keepUpToDate() {
  const pages = new Later(refresh, SETTLE, AT_MOST);
  const rows = new Rows(() => pages.ask());
  listen((change) => {
    window.dispatchEvent(new CustomEvent("candlewick:change", { detail: change }));
    if (!rows.take(change) && concerns(change)) pages.ask();
  });
  // Ages grow without any change on the server.
  setInterval(() => document.visibilityState === "visible" && pages.ask(), AGES);
}

// Whether this page shows what changed. A page of one series ignores other series.
function concerns(change) {
  const { symbol } = document.querySelector("[data-live='symbol']")?.dataset ?? {};
  return change.kind !== "loaded" || !symbol || symbol === change.symbol;
}

function listen(hear) {
  const worker = typeof SharedWorker === "function" ? shared(hear) : alone(hear);
  let wasHidden = document.visibilityState !== "visible";
  const tell = () => {
    const isVisible = document.visibilityState === "visible";
    worker.tell(isVisible ? "visible" : "hidden");
    if (isVisible && wasHidden) hear({ kind: "resync" });
    wasHidden = !isVisible;
  };
  document.addEventListener("visibilitychange", tell);
  window.addEventListener("pagehide", () => worker.tell("gone"));
  window.addEventListener("pageshow", (event) => event.persisted && tell());
  worker.tell(wasHidden ? "hidden" : "visible");
}

// All tabs of a browser share one stream.
function shared(hear) {
  const worker = new SharedWorker(new URL("./stream.js", import.meta.url), { name: "candlewick" });
  worker.port.addEventListener("message", ({ data }) => {
    if (data.isThere) worker.port.postMessage("here");
    if (data.state) say(data.state);
    if (data.change) hear(data.change);
  });
  worker.port.start();
  return { tell: (word) => worker.port.postMessage(word) };
}

// Browsers without shared workers are on phones, which show one tab at a time.
function alone(hear) {
  let source = null;
  let retry = 0;
  const close = () => {
    clearTimeout(retry);
    source?.close();
    source = null;
  };
  const open = () => {
    close();
    source = new EventSource("/api/v1/events");
    source.addEventListener("open", () => say("live"));
    source.addEventListener("message", (message) => hear(JSON.parse(message.data)));
    source.addEventListener("error", () => {
      say("offline");
      if (source?.readyState === EventSource.CLOSED) retry = setTimeout(open, 10_000);
    });
  };
  return { tell: (word) => (word === "visible" ? source ?? open() : close()) };
}

const WHY = { live: "This page updates by itself", offline: "The dashboard does not answer; it is tried again" };

function say(state) {
  const label = document.getElementById("live");
  label.textContent = state;
  label.dataset.state = state;
  label.title = WHY[state];
}

// Fetches the page again, and replaces the parts that changed.
export async function refresh(signal) {
  const regions = [...document.querySelectorAll("[data-live]")];
  if (regions.length === 0) return;
  const page = await askPage(signal);
  if (signal.aborted) return;
  for (const region of regions) {
    const fresh = page.getElementById(region.id);
    if (fresh && fresh.innerHTML !== region.innerHTML) replace(region, fresh);
  }
  window.dispatchEvent(new Event("candlewick:refreshed"));
}
