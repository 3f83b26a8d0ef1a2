// The editor of a dashboard: a form for each tile, the document that they make, and how it is saved.

import { askJson } from "./fetching.js";
import { documentOf } from "./document.js";
import { KINDS, TileForm } from "./tile_form.js";

const form = document.getElementById("editor");
const list = document.getElementById("tiles-to-edit");
const title = document.getElementById("title");
const toml = document.getElementById("toml");
const trouble = document.getElementById("trouble");
let forms = [];
let isSaved = true;

function say(words) {
  trouble.textContent = words;
  trouble.hidden = words === "";
}

const text = () => documentOf(title.value.trim(), forms.map((each) => each.tile));

function changed() {
  toml.textContent = text();
  isSaved = false;
}

function add(tile) {
  const made = new TileForm(tile, { changed, move, remove });
  forms.push(made);
  list.append(made.element);
  return made;
}

function remove(gone) {
  forms = forms.filter((each) => each !== gone);
  gone.element.remove();
  document.querySelector("#adders button").focus();
  changed();
}

function move(moved, by) {
  const at = forms.indexOf(moved);
  const to = at + by;
  if (to < 0 || to >= forms.length) return;
  forms.splice(at, 1);
  forms.splice(to, 0, moved);
  list.insertBefore(moved.element, forms[to + 1]?.element ?? null);
  changed();
}

async function save(event) {
  event.preventDefault();
  const token = document.getElementById("edit-token");
  if (!token) return;
  const { name, version } = form.dataset;
  const condition = version ? { "if-match": version } : { "if-none-match": "*" };
  const headers = { "content-type": "application/toml", "edit-token": token.value, ...condition };
  const answer = await fetch(`/api/v1/dashboards/${name}`, { method: "PUT", headers, body: text() }).catch(() => null);
  if (!answer?.ok) {
    const problem = await answer?.json().catch(() => null);
    return say(problem?.detail ?? "The dashboard does not answer.");
  }
  isSaved = true;
  location.assign(`/dashboards/${name}`);
}

async function suggest() {
  const { rows } = await askJson("/api/v1/series?limit=1000").catch(() => ({ rows: [] }));
  const symbols = [...new Set(rows.map((row) => row.symbol))];
  document.getElementById("symbols").replaceChildren(...symbols.map((symbol) => new Option(symbol, symbol)));
}

function edit() {
  const { title: name, tiles } = JSON.parse(form.dataset.document);
  title.value = name;
  tiles.forEach(add);
  changed();
  isSaved = true;
  for (const [kind, { label }] of Object.entries(KINDS)) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "button", textContent: `Add ${label}` });
    button.dataset.kind = kind;
    button.addEventListener("click", () => {
      add({ kind, variables: [] }).focus();
      changed();
    });
    document.getElementById("adders").append(button, " ");
  }
  title.addEventListener("input", changed);
  form.addEventListener("submit", save);
  document.getElementById("copy").addEventListener("click", () => navigator.clipboard?.writeText(text()));
  window.addEventListener("beforeunload", (event) => !isSaved && event.preventDefault());
  suggest();
}

if (form) edit();
document.getElementById("new-dashboard")?.addEventListener("submit", (event) => {
  event.preventDefault();
  location.assign(`/dashboards/${document.getElementById("new-name").value}/edit`);
});
