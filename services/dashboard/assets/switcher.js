// Switches to another symbol and keeps range, indicators and scale.

import { askJson } from "./fetching.js";

export function armSwitcher(input, list, interval) {
  let known = "";
  input.addEventListener("input", async () => {
    const wanted = input.value.trim();
    if (wanted === known) return;
    known = wanted;
    const { rows } = await askJson(`/api/v1/series?${new URLSearchParams({ search: wanted, limit: 50 })}`).catch(() => ({ rows: [] }));
    if (wanted !== known) return;
    const symbols = [...new Set(rows.map((row) => row.symbol))];
    list.replaceChildren(...symbols.map((symbol) => new Option(symbol, symbol)));
  });
  input.addEventListener("change", () => {
    const symbol = input.value.trim().toUpperCase();
    if (symbol) location.assign(`/symbol/${encodeURIComponent(symbol)}/${interval}${location.search}`);
  });
}
