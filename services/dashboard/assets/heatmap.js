// Shows the text of a heatmap cell under the mouse, at a tap, and by the arrow keys. A second tap, a click or Enter opens the
// chart of that day.

const card = () => document.getElementById("card");

function dateOf(cell) {
  const at = [...cell.parentElement.children].indexOf(cell);
  return document.querySelectorAll("#heatmap .heads i")[at]?.dataset.date;
}

function show(cell) {
  document.querySelector("#heatmap .here")?.classList.remove("here");
  cell.classList.add("here");
  const [actual, expected, filled] = cell.dataset.says.split("/");
  const name = cell.closest(".heat").querySelector(".name").textContent.trim().replace(/\s+/g, " ");
  const box = card();
  box.textContent = `${name}, ${dateOf(cell)}: ${actual} of ${expected} candles${filled === "0" ? "" : `, ${filled} of them filled`}`;
  box.hidden = false;
  const { left, bottom } = cell.getBoundingClientRect();
  box.style.left = `${Math.max(8, Math.min(left, innerWidth - box.offsetWidth - 8))}px`;
  box.style.top = `${Math.min(bottom + 6, innerHeight - box.offsetHeight - 8)}px`;
}

function hide() {
  document.querySelector("#heatmap .here")?.classList.remove("here");
  if (card()) card().hidden = true;
}

function jump(cell) {
  const day = dateOf(cell);
  const address = cell.closest(".heat").querySelector("a.name").href;
  location.assign(`${address}?from=${day}&to=${day}`);
}

const cellOf = (target) => target.closest?.("#heatmap i[data-says]");

document.addEventListener("pointerover", ({ target, pointerType }) => pointerType === "mouse" && (cellOf(target) ? show(cellOf(target)) : hide()));
document.addEventListener("click", ({ target, pointerType }) => {
  const cell = cellOf(target);
  if (!cell) return hide();
  if (pointerType === "touch" && !cell.classList.contains("here")) return show(cell);
  jump(cell);
});
document.addEventListener("focusout", ({ target }) => target.matches?.("#heatmap .cells") && hide());
document.addEventListener("keydown", (event) => {
  const row = event.target.closest?.("#heatmap .cells");
  if (!row) return;
  const cells = [...row.querySelectorAll("i[data-says]")];
  const at = cells.findIndex((cell) => cell.classList.contains("here"));
  const next = { ArrowLeft: at < 0 ? cells.length - 1 : at - 1, ArrowRight: at < 0 ? 0 : at + 1, Home: 0, End: cells.length - 1 }[event.key];
  if (event.key === "Enter" && at >= 0) jump(cells[at]);
  if (next === undefined) return;
  event.preventDefault();
  if (cells[next]) show(cells[next]);
});
