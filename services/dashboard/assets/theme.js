// Dark or light: what was chosen here before goes before what the system says. It runs before anything is drawn, so that
// no page flashes in the wrong colours.
"use strict";

(() => {
  const chosen = localStorage.getItem("theme");
  if (chosen === "dark" || chosen === "light") {
    document.documentElement.dataset.theme = chosen;
  }
})();
