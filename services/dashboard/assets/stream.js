// A shared worker with one event stream for all tabs of a browser, and none while all of them are hidden. Browsers allow few
// connections per host, and a stream holds one of them.

const AGAIN = 10_000;
const ASK = 30_000;

const tabs = new Map();
let source = null;
let lastId = null;
let retry = 0;
let state = "offline";

function tell(message) {
  for (const port of tabs.keys()) port.postMessage(message);
}

function become(next) {
  state = next;
  tell({ state });
}

const isSeen = () => [...tabs.values()].some((tab) => tab.isVisible);

// Opens the stream when the first tab becomes visible, and closes it when the last one is hidden.
function follow() {
  if (isSeen() && !source) open(false);
  if (!isSeen() && source) close();
}

function close() {
  clearTimeout(retry);
  source?.close();
  source = null;
}

function open(wasRefused) {
  const query = lastId === null ? "" : `?after=${encodeURIComponent(lastId)}`;
  source = new EventSource(`/api/v1/events${query}`);
  source.addEventListener("open", () => {
    become("live");
    if (wasRefused && lastId === null) tell({ change: { kind: "resync" } });
  });
  source.addEventListener("error", () => {
    become("offline");
    // Browsers stop retrying after a refusal, which the dashboard sends when there are too many streams.
    if (source?.readyState !== EventSource.CLOSED) return;
    close();
    retry = setTimeout(() => isSeen() && !source && open(true), AGAIN);
  });
  source.addEventListener("message", (message) => {
    if (message.lastEventId) lastId = message.lastEventId;
    tell({ change: JSON.parse(message.data) });
  });
}

// A crashed tab sends nothing. One that was only asleep returns with its next message.
function count() {
  for (const [port, tab] of tabs) {
    if (tab.isAsked) tabs.delete(port);
    tab.isAsked = true;
    port.postMessage({ isThere: true });
  }
  follow();
}

self.addEventListener("connect", ({ ports: [port] }) => {
  port.addEventListener("message", ({ data }) => {
    if (data === "gone") tabs.delete(port);
    else tabs.set(port, { isVisible: data === "visible" || (data === "here" && (tabs.get(port)?.isVisible ?? true)), isAsked: false });
    follow();
    if (data === "visible") port.postMessage({ state, missed: !source || source.readyState !== EventSource.OPEN });
  });
  port.start();
});
setInterval(count, ASK);
