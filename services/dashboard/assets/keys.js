// Keyboard shortcuts. A shortcut may be two keys in sequence: "g w".

const PAUSE = 1000;

// Whether the user is typing into a field, where keys are not shortcuts.
function isWriting(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

export function listenToKeys(actions) {
  let first = "";
  let when = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || document.querySelector("dialog[open]")) {
      return;
    }
    if (isWriting(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const pair = event.timeStamp - when < PAUSE ? `${first} ${event.key}` : event.key;
    const action = actions[pair] ?? actions[event.key];
    [first, when] = [event.key, event.timeStamp];
    if (action) {
      event.preventDefault();
      action();
    }
  });
}
