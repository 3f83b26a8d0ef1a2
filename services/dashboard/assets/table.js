// Tables that sort by their heads and show only what is searched for. What was chosen outlives an update of the table.

const chosen = { search: new URLSearchParams(location.search).get("search") ?? "", column: null, descending: false };

export function armTables() {
  const search = document.getElementById("search");
  if (search) {
    search.value = chosen.search;
    search.addEventListener("input", () => {
      chosen.search = search.value;
      const address = new URL(location.href);
      search.value ? address.searchParams.set("search", search.value) : address.searchParams.delete("search");
      history.replaceState(null, "", address);
      filter();
    });
  }
  document.addEventListener("click", (event) => {
    const head = event.target.closest?.("th[data-sort]");
    if (head && event.target.closest("button")) choose(head);
  });
  window.addEventListener("candlewick:refreshed", apply);
  apply();
}

function apply() {
  filter();
  document.querySelectorAll("table.sortable").forEach((table) => chosen.column !== null && sort(table));
}

function choose(head) {
  const column = head.cellIndex;
  chosen.descending = chosen.column === column ? !chosen.descending : head.dataset.sort === "number";
  chosen.column = column;
  sort(head.closest("table"));
}

function sort(table) {
  const heads = [...table.tHead.rows[0].cells];
  const head = heads[chosen.column];
  if (!head) return;
  heads.forEach((other) => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", chosen.descending ? "descending" : "ascending");
  const value = (row) => row.cells[chosen.column]?.dataset.value ?? "";
  const compare = head.dataset.sort === "number" ? (one, other) => one - other : (one, other) => one.localeCompare(other);
  const [known, unknown] = [(row) => value(row) !== "", (row) => value(row) === ""].map((are) => [...table.tBodies[0].rows].filter(are));
  known.sort((one, other) => (chosen.descending ? -1 : 1) * compare(value(one), value(other)));
  // What has no value comes behind all that have, whichever way they are sorted.
  table.tBodies[0].append(...known, ...unknown);
}

function filter() {
  const wanted = chosen.search.trim().toLowerCase();
  let shown = 0;
  document.querySelectorAll("tr[data-search]").forEach((row) => {
    row.hidden = !row.dataset.search.toLowerCase().includes(wanted);
    shown += row.hidden ? 0 : 1;
  });
  const none = document.getElementById("none");
  if (none) none.hidden = shown > 0;
}
