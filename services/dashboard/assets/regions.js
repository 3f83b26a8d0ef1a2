// Puts the parts of a page that changed in their places, and highlights the rows that did.

// Replaces a region and highlights the rows that changed.
export function replace(region, fresh) {
  const before = new Map([...region.querySelectorAll("tbody tr")].map((row) => [nameOf(row), wordsOf(row)]));
  const open = [...region.querySelectorAll("details")].map((details) => details.open);
  put(region, fresh);
  region.querySelectorAll("details").forEach((details, at) => (details.open = open[at] ?? false));
  for (const row of region.querySelectorAll("tbody tr")) {
    if (before.size > 0 && before.get(nameOf(row)) !== wordsOf(row)) row.classList.add("arrived");
  }
}

export const nameOf = (row) => row.dataset.search ?? row.cells[0]?.textContent ?? "";

// A changed age is not a change of the row.
export const wordsOf = (row) => [...row.cells].filter((cell) => cell.dataset.label !== "Age").map((cell) => cell.textContent).join("|");

// Without the highlights.
export function put(region, fresh) {
  region.replaceChildren(...fresh.childNodes);
  Object.assign(region.dataset, fresh.dataset);
}
