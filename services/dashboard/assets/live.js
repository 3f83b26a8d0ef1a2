// Pages update by themselves: the server says what happened, and the parts of the page that show it are fetched anew.

const SETTLE = 250;
const AGES = 60_000;
const AGAIN = 10_000;

export function keepUpToDate() {
  listen(false);
  // What is as old as it was, is older now.
  setInterval(() => document.visibilityState === "visible" && refresh(), AGES);
}

function listen(wasRefused) {
  const source = new EventSource("/api/v1/events");
  source.addEventListener("open", () => {
    say("live", "This page updates by itself");
    if (wasRefused) hear({ kind: "resync" });
  });
  source.addEventListener("error", () => {
    say("offline", "The dashboard does not answer; it is tried again");
    // Browsers give up an address that refuses them, as the dashboard does when too many listen.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN, true);
  });
  source.addEventListener("message", (message) => hear(JSON.parse(message.data)));
  // A page that is left must not keep its connection: browsers have few for each host.
  window.addEventListener("pagehide", () => source.close());
}

function say(state, why) {
  const label = document.getElementById("live");
  label.textContent = state;
  label.dataset.state = state;
  label.title = why;
}

let waiting = 0;

// Changes come in bursts: one look shows them all.
function hear(change) {
  window.dispatchEvent(new CustomEvent("candlewick:change", { detail: change }));
  clearTimeout(waiting);
  waiting = setTimeout(refresh, SETTLE);
}

async function refresh() {
  const regions = [...document.querySelectorAll("[data-live]")];
  if (regions.length === 0) return;
  const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const region of regions) {
    const fresh = page.getElementById(region.id);
    if (fresh && fresh.innerHTML !== region.innerHTML) replace(region, fresh);
  }
  window.dispatchEvent(new Event("candlewick:refreshed"));
}

function replace(region, fresh) {
  const before = new Map([...region.querySelectorAll("tbody tr")].map((row) => [nameOf(row), wordsOf(row)]));
  const open = [...region.querySelectorAll("details")].map((details) => details.open);
  region.replaceChildren(...fresh.childNodes);
  region.querySelectorAll("details").forEach((details, at) => (details.open = open[at] ?? false));
  for (const row of region.querySelectorAll("tbody tr")) {
    if (before.size > 0 && before.get(nameOf(row)) !== wordsOf(row)) row.classList.add("arrived");
  }
}

const nameOf = (row) => row.dataset.search ?? row.cells[0]?.textContent ?? "";

// Ages change by themselves, and are no news.
const wordsOf = (row) => [...row.cells].filter((cell) => cell.dataset.label !== "Age").map((cell) => cell.textContent).join("|");
