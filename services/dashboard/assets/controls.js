// The buttons and fields around a chart.

const listOf = (text) => text.split(/[\s,]+/).filter(Boolean);

// Calls the action of a button that is clicked, with what its attribute says.
function onClick(id, name, action) {
  document.getElementById(id).addEventListener("click", ({ target }) => target.dataset[name] && action(target.dataset[name]));
}

export function listen(view, { chooseRange, toggle, changeScale, changeIndicators, compare, picture }) {
  onClick("ranges", "range", chooseRange);
  onClick("toggles", "indicator", (names) => toggle(names.split(",")));
  onClick("scales", "scale", changeScale);
  document.getElementById("indicators").addEventListener("change", ({ target }) => changeIndicators(listOf(target.value)));
  document.getElementById("compare").addEventListener("change", ({ target }) => compare(listOf(target.value)));
  document.getElementById("compare").value = view.compare.join(", ");
  document.getElementById("png").addEventListener("click", picture);
  document.getElementById("link").addEventListener("click", copyLink);
}

// Shows which buttons are pressed, and lets the link to the CSV file follow what is seen.
export function press(view, { from, to }, csv) {
  const mark = (name, isPressed) => {
    document.querySelectorAll(`[data-${name}]`).forEach((button) => button.setAttribute("aria-pressed", String(isPressed(button.dataset[name]))));
  };
  mark("range", (range) => !view.from && range === view.range);
  mark("indicator", (names) => names.split(",").every((name) => view.indicators.includes(name)));
  mark("scale", (scale) => scale === view.scale);
  document.getElementById("indicators").value = view.indicators.join(", ");
  const query = new URLSearchParams(!view.from && view.range === "All" ? {} : { from, ...(view.to && { to }) });
  if (view.indicators.length > 0) query.set("indicators", view.indicators.join(","));
  document.getElementById("csv").href = `${csv}?${query}`;
}

async function copyLink(event) {
  const button = event.currentTarget;
  const done = await navigator.clipboard?.writeText(location.href).then(() => true, () => false);
  button.textContent = done ? "Copied" : "See the address";
  setTimeout(() => (button.textContent = "Link"), 1500);
}
