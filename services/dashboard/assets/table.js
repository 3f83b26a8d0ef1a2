// Filters the list of series while the user types. Enter opens the first series.

import { askPage } from "./fetching.js";
import { Later } from "./later.js";
import { put } from "./regions.js";

const PATIENCE = 30_000;

export function armSearch() {
  const search = document.getElementById("search");
  const region = document.getElementById("watchlist-live");
  if (!search || !region) return;
  const lists = new Later((signal) => list(region, signal), 150, 600);
  search.addEventListener("input", () => {
    const address = new URL(location.href);
    address.searchParams.delete("after");
    search.value.trim() ? address.searchParams.set("search", search.value.trim()) : address.searchParams.delete("search");
    history.replaceState(null, "", address);
    lists.ask();
  });
  search.form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const wanted = search.value.trim().toUpperCase();
    // The list on the page may still be that of an earlier text.
    const isListed = await list(region, AbortSignal.timeout(PATIENCE)).then(() => true, () => false);
    const links = [...region.querySelectorAll("tbody th a")];
    const link = links.find((each) => each.textContent === wanted) ?? (isListed ? links[0] : undefined);
    if (link) location.assign(link.href);
  });
}

async function list(region, signal) {
  const page = await askPage(signal);
  for (const id of [region.id, "summary-live"]) {
    const fresh = page.getElementById(id);
    if (fresh && !signal.aborted) put(document.getElementById(id), fresh);
  }
}
