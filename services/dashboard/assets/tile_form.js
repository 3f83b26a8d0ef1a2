// The form of one tile in the editor of a dashboard.

import { RANGES } from "./view.js";

export const KINDS = {
  chart: { label: "chart", has: ["variables", "range", "scale"] },
  table: { label: "table", has: ["variables", "rows"] },
  value: { label: "last value", has: ["variables"] },
  gaps: { label: "gaps", has: ["variables"] },
  run: { label: "run state", has: [] },
};

const INTERVALS = ["1min", "5min", "15min", "30min", "45min", "1h", "2h", "4h", "8h", "1day", "1week", "1month"];
const COLUMNS = ["", "open", "high", "low", "close", "volume", "sma20", "sma50", "ema20", "bb20x2", "rsi14", "macd12x26x9", "vwap"];

export class TileForm {
  constructor(tile, actions) {
    this.tile = { ...tile, variables: [...(tile.variables ?? [])] };
    this.actions = actions;
    this.element = document.createElement("li");
    this.element.className = "tile-form";
    this.draw();
  }

  draw() {
    const { kind } = this.tile;
    const { label, has } = KINDS[kind];
    const head = part("div", "tile-head");
    head.append(part("strong", "", label[0].toUpperCase() + label.slice(1)), this.button("Up", () => this.actions.move(this, -1)), this.button("Down", () => this.actions.move(this, 1)), this.button("Remove", () => this.actions.remove(this)));
    const fields = part("div", "tools");
    fields.append(this.field("Heading", this.input("title", { maxLength: 100 })));
    fields.append(this.field("Columns", this.select("width", ["", "1", "2", "3", "4"], Number)));
    if (has.includes("range")) fields.append(this.field("Range", this.select("range", ["", ...RANGES])));
    if (has.includes("scale")) fields.append(this.field("Scale", this.select("scale", ["", "plain", "log", "percent"])));
    if (has.includes("rows")) fields.append(this.field("Rows", this.input("rows", { type: "number", min: 1, max: 500 }, Number)));
    this.element.replaceChildren(head, fields, ...(has.includes("variables") ? this.variables() : []));
  }

  focus() {
    this.element.querySelector("input[list]")?.focus();
  }

  variables() {
    const chosen = part("ul", "chips");
    this.tile.variables.forEach((variable, at) => {
      const item = part("li", "chip", `${variable} `);
      item.append(this.button("×", () => this.change("variables", this.tile.variables.toSpliced(at, 1)), `Remove ${variable}`));
      chosen.append(item);
    });
    const symbol = part("input");
    Object.assign(symbol, { placeholder: "Symbol", size: 10, autocomplete: "off", spellcheck: false });
    symbol.setAttribute("list", "symbols");
    const interval = options(INTERVALS, "1day");
    const column = part("input");
    Object.assign(column, { placeholder: this.tile.kind === "gaps" ? "" : "close, sma20 …", size: 12, autocomplete: "off", spellcheck: false, value: this.tile.kind === "gaps" ? "" : "close" });
    const take = () => {
      const name = symbol.value.trim().toUpperCase();
      if (!name) return symbol.focus();
      const more = column.value.trim();
      this.change("variables", [...this.tile.variables, [name, interval.value, more].filter(Boolean).join(" ")]);
      this.focus();
    };
    symbol.addEventListener("keydown", (event) => event.key === "Enter" && (event.preventDefault(), take()));
    const adder = part("div", "tools");
    adder.append(this.field("Symbol", symbol), this.field("Interval", interval));
    if (this.tile.kind !== "gaps") adder.append(this.field("Field or indicator", column), columnList(column));
    adder.append(this.button("Add the variable", take));
    return [chosen, adder];
  }

  change(name, value) {
    this.tile[name] = value || undefined;
    if (name === "variables") this.draw();
    this.actions.changed();
  }

  field(words, control) {
    const label = part("label", "field", `${words} `);
    label.append(control);
    return label;
  }

  input(name, attributes, read = String) {
    const input = Object.assign(part("input"), { autocomplete: "off", ...attributes, value: this.tile[name] ?? "" });
    input.addEventListener("input", () => this.change(name, read(input.value)));
    return input;
  }

  select(name, values, read = String) {
    const select = options(values, String(this.tile[name] ?? ""));
    select.addEventListener("change", () => this.change(name, read(select.value)));
    return select;
  }

  button(words, action, label) {
    const button = Object.assign(part("button", "button", words), { type: "button" });
    if (label) button.setAttribute("aria-label", label);
    button.addEventListener("click", action);
    return button;
  }
}

function part(name, className = "", words = "") {
  return Object.assign(document.createElement(name), { className, textContent: words });
}

function options(values, chosen) {
  const select = part("select");
  select.append(...values.map((value) => new Option(value || "as usual", value, false, value === chosen)));
  return select;
}

let lists = 0;

function columnList(input) {
  lists += 1;
  const list = part("datalist");
  list.id = `columns-${lists}`;
  list.append(...COLUMNS.filter(Boolean).map((name) => new Option(name, name)));
  input.setAttribute("list", list.id);
  return list;
}
