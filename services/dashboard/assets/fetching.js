// Sends requests to the API, and repeats them after 429 and 503, when Retry-After says.

const TRIES = 6;
const LONGEST = 30;

export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

// The response of an address. `wait` is called with the number of seconds before each retry.
export async function ask(address, { signal, headers, wait } = {}) {
  for (let tried = 1; ; tried += 1) {
    const answer = await fetch(address, { signal, headers });
    if (answer.ok) return answer;
    const isBusy = answer.status === 429 || answer.status === 503;
    if (!isBusy || tried === TRIES) throw await refusal(answer);
    const seconds = Math.min(Number(answer.headers.get("retry-after")) || 2 ** tried, LONGEST);
    wait?.(seconds);
    await pause(seconds, signal);
  }
}

export async function askJson(address, options) {
  return (await ask(address, options)).json();
}

// This page as the server has it now.
export const askPage = (signal) => askRegion(location.href, signal);

// A page, or a part of one.
export async function askRegion(address, signal) {
  const answer = await ask(address, { signal, headers: { accept: "text/html" } });
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

async function refusal(answer) {
  const problem = await answer.json().catch(() => null);
  return new Refused(answer.status, problem?.detail ?? `the dashboard answered ${answer.status}`);
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
