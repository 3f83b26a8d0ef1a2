// Candles from the API. Prices stay text for whoever reads them, and become numbers for the drawing alone.

export async function fetchSeries(api, { from, to, points }) {
  const query = new URLSearchParams({ points });
  if (from) query.set("from", from);
  if (to) query.set("to", to);
  const [columns, gaps] = await Promise.all([get(`${api}/candles?${query}`), get(`${api}/gaps`)]);
  return prepare(columns, gaps);
}

async function get(address) {
  const answer = await fetch(address);
  if (answer.ok) return answer.json();
  const problem = await answer.json().catch(() => null);
  throw new Error(problem?.detail ?? `the dashboard answered ${answer.status}`);
}

export function prepare(columns, gaps) {
  const numbers = (name) => Float64Array.from(columns[name], Number);
  const within = placesOf(gaps, columns.time);
  return {
    ...columns,
    count: columns.time.length,
    numbers: { open: numbers("open"), high: numbers("high"), low: numbers("low"), close: numbers("close"), volume: numbers("volume") },
    hasVolume: columns.volume.some((volume) => volume !== null),
    isFilled: new Set(columns.filled),
    gaps: within.gaps,
    places: within.places,
  };
}

// Where each candle stands from left to right. Closed hours take no room; a gap takes that of one candle, before the first
// candle behind it.
function placesOf(gaps, times) {
  const places = new Array(times.length);
  const within = [];
  let [next, room] = [0, 0];
  times.forEach((time, at) => {
    let slots = 0;
    let [first, last] = ["", ""];
    while (next < gaps.length && gaps[next].first < time) {
      if (at > 0 && gaps[next].last > times[at - 1]) {
        first ||= gaps[next].first;
        last = gaps[next].last;
        slots += gaps[next].slots;
      }
      next += 1;
    }
    if (slots > 0) {
      within.push({ place: at + room, first, last, slots });
      room += 1;
    }
    places[at] = at + room;
  });
  return { gaps: within, places };
}
