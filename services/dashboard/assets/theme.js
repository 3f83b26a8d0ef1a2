// Dark or light: an earlier choice on this page wins over the system's setting. It runs before anything is drawn, so that no
// page flashes in the wrong colours.
"use strict";

(() => {
  const chosen = localStorage.getItem("theme");
  if (chosen === "dark" || chosen === "light") {
    document.documentElement.dataset.theme = chosen;
  }
})();
