// Chooses the interval that shows a span of time best: the finest one that does not show too many candles at once.

export const MOST_SEEN = 1500;
const FEWEST_SEEN = 120;

const MINUTES = { "1min": 1, "5min": 5, "15min": 15, "30min": 30, "45min": 45, "1h": 60, "2h": 120, "4h": 240, "8h": 480, "1day": 1440, "1week": 10080, "1month": 43800 };

export const isIntraday = (interval) => MINUTES[interval] < 1440;

export const secondsOf = (interval) => MINUTES[interval] * 60;

// Estimates how many candles of an interval a span has, from the number of candles in the whole series.
export function estimate(interval, seconds, series) {
  if (interval !== series.interval && !isIntraday(interval)) return seconds / secondsOf(interval);
  const share = Math.min(1, seconds / Math.max(series.seconds, 1));
  return (series.candles * share * MINUTES[series.interval]) / MINUTES[interval];
}

export function levelFor(levels, seconds, series) {
  return levels.find((level) => estimate(level, seconds, series) <= MOST_SEEN) ?? levels.at(-1);
}

// The level for a window with that many candles: the same, a coarser or a finer one.
export function nextLevel(levels, level, seen) {
  const at = levels.indexOf(level);
  if (seen > MOST_SEEN * 1.2 && at + 1 < levels.length) return levels[at + 1];
  const finer = levels[at - 1];
  if (finer && seen < FEWEST_SEEN && (seen * MINUTES[level]) / MINUTES[finer] < MOST_SEEN) return finer;
  return level;
}
