// Runs on every page: the theme switch, keyboard shortcuts, search and live updates.

import { listenToKeys } from "./keys.js";
import { keepUpToDate } from "./live.js";
import { armSearch } from "./table.js";

const root = document.documentElement;

function isDark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function switchTheme() {
  root.dataset.theme = isDark() ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
  window.dispatchEvent(new Event("candlewick:theme"));
}

function showKeys() {
  document.getElementById("keys").showModal();
}

const go = (address) => () => location.assign(address);

document.getElementById("theme").addEventListener("click", switchTheme);
document.getElementById("help").addEventListener("click", showKeys);
listenToKeys({
  "g w": go("/"),
  "g d": go("/dashboards"),
  "g p": go("/pipeline"),
  "g q": go("/quality"),
  "g c": go("/changes"),
  "g a": go("/api"),
  "/": () => document.querySelector("#search, #symbol-switch")?.focus(),
  d: switchTheme,
  "?": showKeys,
});
armSearch();
keepUpToDate();
