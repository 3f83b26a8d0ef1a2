// A dashboard: draws the charts of its tiles, and draws them again when their series change.

import { Clock } from "./figures.js";
import { askJson } from "./fetching.js";
import { Later } from "./later.js";
import { refresh } from "./live.js";
import { Lines } from "./lines.js";

const MINUTE = 60_000;

class Tile {
  constructor(element) {
    Object.assign(this, { element, lines: null, symbols: element.dataset.symbols.split(" ") });
    this.later = new Later((signal) => this.draw(signal), 250, 2000);
  }

  async draw(signal) {
    const { dataset } = this.element;
    try {
      // A read-only link has its key in the query.
      const key = new URLSearchParams(location.search).get("key");
      const answer = await askJson(`${dataset.candles}${key ? `?key=${key}` : ""}`, { signal });
      this.lines ??= new Lines(this.element, this.element.nextElementSibling);
      this.lines.show(answer, new Clock(answer.lines[0]?.timezone ?? "UTC"));
      dataset.state = "ready";
    } catch (error) {
      // A chart that is drawn stays.
      if (this.lines) return;
      dataset.state = "error";
      this.element.nextElementSibling.textContent = `The candles cannot be shown: ${error.message}`;
    }
  }

  concerns({ kind, symbol }) {
    return kind === "resync" || this.symbols.includes(symbol);
  }
}

const tiles = [...document.querySelectorAll("[data-candles]")].map((element) => new Tile(element));

// One after the other: an address gets two answers with candles at a time.
for (const tile of tiles) await tile.draw();

window.addEventListener("candlewick:change", ({ detail }) => tiles.filter((tile) => tile.concerns(detail)).forEach((tile) => tile.later.ask()));
window.addEventListener("candlewick:theme", () => tiles.forEach((tile) => tile.lines?.paint()));

// A shared dashboard has no event stream, which takes a login.
if ("shared" in document.body.dataset) {
  const pages = new Later(refresh, 0, 0);
  setInterval(() => {
    if (document.visibilityState !== "visible") return;
    pages.ask();
    tiles.forEach((tile) => tile.later.ask());
  }, MINUTE);
}
