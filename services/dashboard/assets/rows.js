// The rows of the watchlist: those of series that were loaded are fetched, and no others.

import { askRegion } from "./fetching.js";
import { Later } from "./later.js";
import { nameOf, wordsOf } from "./regions.js";

const MOST = 200;

export class Rows {
  // `askAll` fetches the whole page, where rows alone do not do.
  constructor(askAll) {
    Object.assign(this, { askAll, changed: new Set() });
    this.later = new Later((signal) => this.refresh(signal), 250, 2000);
    this.summaries = new Later(summarise, 1000, 5000);
  }

  // Whether the change needs no more than these rows and the summary above them.
  take({ kind, symbol, interval }) {
    if (!document.getElementById("watchlist")) return false;
    if (kind === "run" || kind === "alert") {
      this.summaries.ask();
      return true;
    }
    if (kind !== "loaded") return false;
    const name = `${symbol} ${interval}`;
    if (!rowOf(name)) {
      // A list that goes on has no place for one that it did not show.
      if (document.getElementById("watchlist-live").dataset.isWhole === "true" && fits(symbol)) return false;
    } else {
      this.changed.add(name);
      this.later.ask();
    }
    this.summaries.ask();
    return true;
  }

  async refresh(signal) {
    const names = [...this.changed].slice(0, MOST);
    names.forEach((name) => this.changed.delete(name));
    if (this.changed.size > 0) this.later.ask();
    try {
      const fresh = await askRegion(`/parts/rows?${new URLSearchParams({ series: names.join(",") })}`, signal);
      if (!signal.aborted) fresh.querySelectorAll("tr").forEach(put);
    } catch {
      this.askAll();
    }
  }
}

const rowOf = (name) => document.querySelector(`#watchlist tr[data-search="${CSS.escape(name)}"]`);

// Whether the search of the page finds a symbol. Other filters need the whole page anyway.
function fits(symbol) {
  const search = new URLSearchParams(location.search).get("search")?.trim().toUpperCase() ?? "";
  return symbol.toUpperCase().includes(search);
}

function put(fresh) {
  const row = rowOf(nameOf(fresh));
  if (!row) return;
  const isNew = wordsOf(row) !== wordsOf(fresh);
  row.replaceWith(fresh);
  if (isNew) fresh.classList.add("arrived");
}

async function summarise(signal) {
  const fresh = await askRegion(`/parts/summary${location.search}`, signal);
  const region = document.getElementById("summary-live");
  if (region && !signal.aborted) region.replaceChildren(...fresh.body.childNodes);
}
