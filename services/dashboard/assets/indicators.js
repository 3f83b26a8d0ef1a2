// Indicators over a list of closes. Where there are not enough closes yet, there is null.

// The average of the last `length` closes.
export function average(closes, length) {
  let sum = 0;
  return Array.from(closes, (close, at) => {
    sum += close - (at >= length ? closes[at - length] : 0);
    return at >= length - 1 ? sum / length : null;
  });
}

// Bollinger's bands: the average, and so many standard deviations (of the population) above and below it.
export function bollinger(closes, length = 20, deviations = 2) {
  const middle = average(closes, length);
  const upper = [];
  const lower = [];
  middle.forEach((mean, at) => {
    if (mean === null) {
      upper.push(null);
      lower.push(null);
      return;
    }
    let squares = 0;
    for (let each = at - length + 1; each <= at; each += 1) squares += (closes[each] - mean) ** 2;
    const width = deviations * Math.sqrt(squares / length);
    upper.push(mean + width);
    lower.push(mean - width);
  });
  return { middle, upper, lower };
}

// Wilder's relative strength index, from 0 to 100: his smoothing begins with a plain average.
export function strength(closes, length = 14) {
  let gain = 0;
  let loss = 0;
  return Array.from(closes, (close, at) => {
    if (at === 0) return null;
    const change = close - closes[at - 1];
    const [up, down] = [Math.max(change, 0), Math.max(-change, 0)];
    if (at <= length) {
      gain += up / length;
      loss += down / length;
    } else {
      gain += (up - gain) / length;
      loss += (down - loss) / length;
    }
    if (at < length) return null;
    return loss === 0 ? (gain === 0 ? 50 : 100) : 100 - 100 / (1 + gain / loss);
  });
}
