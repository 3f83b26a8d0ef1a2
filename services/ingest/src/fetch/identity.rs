//! Decides whether an answer is about the instrument whose candles are stored, or about another one under the same name.

use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::metadata::Instrument;
use candlewick_shared::core::raw_csv::SourceRow;

use crate::fetch::overlap::{self, Overlap, Ratio};

/// How many common closes a statistical comparison needs.
const LEAST: usize = 3;

/// From which change on a price counts as a different price, as a logarithm: about 5 %.
const FAR: f64 = 0.05;

/// How far the factor of a price may deviate from that of the candle before and still count as the same, as a logarithm:
/// 0.2 %.
const SLACK: f64 = 0.002;

/// The same limit for two instruments with similar prices, as a logarithm: 1 %.
const UNLIKE: f64 = 0.01;

/// From which change on a price jumps between the last stored and the first new candle if no candle is in both, as a
/// logarithm: about 50 %.
const JUMP: f64 = 0.405;

/// How many intraday candles are compared at most. Successive minutes differ by too little.
const MOST_SAMPLES: usize = 30;

/// The stored and the new close at one time.
type Pair = (f64, f64);

/// Why an answer is probably about another instrument; `None` if it has enough in common with the stored candles.
pub fn doubt(overlap: &Overlap, evidence: &Evidence<'_>) -> Option<String> {
    let Evidence { kept, fetched, interval, was, is, lost } = *evidence;
    if let Some(ratio) = overlap.split {
        return doubtful_factor(ratio, was, is);
    }
    let closes = &overlap.closes;
    match closes.len() {
        0 => (lost > 0).then(|| jump(kept, fetched)).flatten(),
        few if few < LEAST => has_jumped(closes, lost).then(|| description(closes)),
        _ => (has_jumped(closes, lost) || is_unlike(&sampled(closes, interval))).then(|| description(closes)),
    }
}

/// What the decision is based on.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    pub kept: &'a [SourceRow],
    pub fetched: &'a [SourceRow],
    pub interval: Interval,
    /// The source's description of the instrument when the stored candles were fetched.
    pub was: &'a Instrument,
    /// The source's description now.
    pub is: &'a Instrument,
    /// How many stored candles the answer lacks.
    pub lost: usize,
}

/// Why a constant factor is probably not a split: it is implausible, or the currency or type changed too.
fn doubtful_factor(ratio: Ratio, was: &Instrument, is: &Instrument) -> Option<String> {
    let value = ratio.value();
    let is_hundredfold = [100.0, 0.01].iter().any(|hundred| (value / hundred - 1.0).abs() < SLACK);
    let change = changed("currency", was.currency.as_ref(), is.currency.as_ref())
        .or_else(|| changed("type", was.instrument_type.as_ref(), is.instrument_type.as_ref()));
    let times = format!("every past close is {ratio} times its former value");
    match change {
        Some(change) => Some(format!("{times}, and {change}")),
        None if is_hundredfold => Some(format!("{times}, as if pounds had become pence or the reverse")),
        None if !(0.001..=1000.0).contains(&value) => Some(format!("{times}, which no split explains")),
        None => None,
    }
}

/// Whether the source's description changed: the currency, the type or the exchange.
pub fn is_changed(was: &Instrument, is: &Instrument) -> bool {
    let pairs =
        [(&was.currency, &is.currency), (&was.instrument_type, &is.instrument_type), (&was.calendar, &is.calendar)];
    pairs.into_iter().any(|(was, is)| changed("", was.as_ref(), is.as_ref()).is_some())
}

fn changed(what: &str, was: Option<&String>, is: Option<&String>) -> Option<String> {
    let (was, is) = was.zip(is)?;
    (!was.eq_ignore_ascii_case(is)).then(|| format!("its {what} is now {is} and was {was}"))
}

fn sampled(pairs: &[Pair], interval: Interval) -> Vec<Pair> {
    let step = if interval.is_intraday() { pairs.len().div_ceil(MOST_SAMPLES) } else { 1 };
    pairs.iter().copied().step_by(step).collect()
}

fn factor((kept, fetched): &Pair) -> f64 {
    (fetched / kept).ln()
}

/// Whether more than half of the closes differ without a common factor from one to the next. Adjustments for dividends or
/// splits multiply many successive candles by the same factor, and corrections are small.
fn is_unlike(pairs: &[Pair]) -> bool {
    let factors: Vec<_> = pairs.iter().map(factor).collect();
    let is_most = |count: usize, of: usize| of > 0 && 2 * count > of;
    let changed = |limit: f64| factors.iter().filter(|factor| factor.abs() > limit).count();
    let deviations = |limit: f64| factors.windows(2).filter(|pair| (pair[1] - pair[0]).abs() > limit).count();
    let pairs = factors.len().saturating_sub(1);
    let has_other_prices = is_most(changed(FAR), factors.len()) && is_most(deviations(SLACK), pairs);
    let has_other_moves = is_most(changed(UNLIKE), factors.len()) && is_most(deviations(UNLIKE), pairs);
    has_other_prices || has_other_moves
}

/// Whether all common closes are far apart, in an answer that lacks more candles than it has in common.
fn has_jumped(pairs: &[Pair], lost: usize) -> bool {
    lost > pairs.len() && pairs.iter().all(|pair| factor(pair).abs() > 4.0 * FAR)
}

fn description(pairs: &[Pair]) -> String {
    let others = pairs.iter().filter(|pair| factor(pair).abs() > SLACK).count();
    let (kept, fetched) = pairs.last().copied().unwrap_or_default();
    format!(
        "of {} closes in both, {others} differ and have no factor in common; the newest is {fetched} and was {kept}",
        pairs.len()
    )
}

/// Describes the jump between the stored candles and an answer that has none of them; `None` if the price continues.
pub fn jump(kept: &[SourceRow], fetched: &[SourceRow]) -> Option<String> {
    let dated = |row: &SourceRow| Some((overlap::time(row)?, overlap::price(row)?));
    let last = kept.iter().filter_map(dated).max_by_key(|(time, _)| *time)?;
    let after = fetched.iter().filter_map(dated).filter(|(time, _)| *time > last.0).min_by_key(|(time, _)| *time);
    let next = after.or_else(|| fetched.iter().filter_map(dated).min_by_key(|(time, _)| *time))?;
    let is_far = factor(&(last.1, next.1)).abs() > JUMP;
    is_far.then(|| {
        format!("no candle is in both, and the close goes from {} at {} to {} at {}", last.1, last.0, next.1, next.0)
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::DateTime;

    use super::*;

    fn row(at: usize, close: f64) -> SourceRow {
        let date = "2024-01-01".parse::<DateTime>().unwrap() + jiff::SignedDuration::from_hours(24 * at as i64);
        SourceRow {
            datetime: date.date().to_string(),
            prices: [close; 4].map(|price| format!("{price:.2}")),
            volume: None,
            fetched_at: None,
        }
    }

    fn rows(closes: impl IntoIterator<Item = f64>) -> Vec<SourceRow> {
        closes.into_iter().enumerate().map(|(at, close)| row(at, close)).collect()
    }

    fn instrument(currency: &str, kind: &str) -> Instrument {
        let some = |text: &str| Some(text.to_owned());
        Instrument { currency: some(currency), instrument_type: some(kind), ..Instrument::default() }
    }

    fn doubt_of(kept: &[SourceRow], fetched: &[SourceRow], lost: usize) -> Option<String> {
        let same = instrument("USD", "Common Stock");
        doubt_as(kept, fetched, lost, &same)
    }

    fn doubt_as(kept: &[SourceRow], fetched: &[SourceRow], lost: usize, is: &Instrument) -> Option<String> {
        let overlap = overlap::compare(kept, fetched, "2025-01-01".parse().unwrap());
        let was = instrument("USD", "Common Stock");
        let interval = Interval::Day1;
        doubt(&overlap, &Evidence { kept, fetched, interval, was: &was, is, lost })
    }

    /// A random walk of about 2 % a day.
    fn walk(seed: u64, days: usize, from: f64) -> Vec<f64> {
        let mut state = seed;
        let step = move |price: &f64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            Some(price * (1.0 + ((state >> 33) as f64 / f64::from(1_u32 << 31) - 0.5) * 0.06))
        };
        std::iter::successors(Some(from), step).take(days).collect()
    }

    #[test]
    fn another_instrument_has_no_factor_in_common() {
        for (from, lost) in [(50.0, 0), (300.0, 700), (100.0, 0), (104.0, 0)] {
            let old = rows(walk(1, 1000, 100.0));
            let new = rows(walk(2, 1000, from));
            let doubt = doubt_of(&old, &new, lost).unwrap_or_else(|| panic!("{from} is believed"));
            assert!(doubt.contains("no factor in common"), "{doubt}");
        }
    }

    #[test]
    fn restatements_adjustments_and_splits_are_the_same_instrument() {
        let closes = walk(1, 1000, 100.0);
        let believed = |name: &str, new: Vec<f64>| {
            assert_eq!(doubt_of(&rows(closes.clone()), &rows(new), 0), None, "{name}");
        };
        believed("nothing", closes.clone());
        let scale = |factor: &dyn Fn(usize) -> f64| {
            closes.iter().enumerate().map(|(at, close)| close * factor(at)).collect::<Vec<_>>()
        };
        believed("a split", scale(&|_| 0.25));
        believed("a split in the middle", scale(&|at| if at < 600 { 0.1 } else { 1.0 }));
        believed("quarterly dividends", scale(&|at| 0.98_f64.powi(((1000 - at) / 63) as i32)));
        believed("weekly dividends", scale(&|at| 0.99_f64.powi(((1000 - at) / 5) as i32)));
        believed("some corrections", scale(&|at| if at % 50 == 3 { 1.4 } else { 1.0 }));
        believed("another exchange's closes", scale(&|at| if at % 2 == 0 { 1.004 } else { 0.997 }));
        believed("one wrong candle of three", rows_of_three());
    }

    fn rows_of_three() -> Vec<f64> {
        walk(1, 1000, 100.0)
            .into_iter()
            .enumerate()
            .map(|(at, close)| if at == 1 { close * 9.0 } else { close })
            .collect()
    }

    #[test]
    fn a_factor_that_is_no_split_is_doubted() {
        let closes = walk(1, 50, 100.0);
        let times = |factor: f64| rows(closes.iter().map(|close| close * factor));
        let kept = rows(closes.clone());
        assert!(doubt_of(&kept, &times(100.0), 0).unwrap().contains("pence"));
        assert!(doubt_of(&kept, &times(5000.0), 0).unwrap().contains("no split"));
        assert_eq!(doubt_of(&kept, &times(20.0), 0), None);
        let pounds = instrument("GBP", "Common Stock");
        let words = doubt_as(&kept, &times(0.5), 0, &pounds).unwrap();
        assert!(words.contains("its currency is now GBP and was USD"), "{words}");
        assert_eq!(doubt_as(&kept, &kept, 0, &pounds), None, "the same prices are the same instrument");
    }

    #[test]
    fn an_answer_with_little_in_common_is_doubted_where_its_price_jumps() {
        let kept = rows(walk(1, 20, 100.0));
        let later = |close: f64| vec![row(25, close), row(26, close * 1.01)];
        assert!(doubt_of(&kept, &later(900.0), 20).unwrap().contains("no candle is in both"));
        assert_eq!(doubt_of(&kept, &later(110.0), 20), None, "values of today only, of the same instrument");
        assert_eq!(doubt_of(&kept, &later(900.0), 0), None, "it lacks nothing");
        let overlapping = vec![row(18, 900.0), row(19, 905.0)];
        assert!(doubt_of(&kept, &overlapping, 18).is_some());
        assert_eq!(doubt_of(&kept[18..], &overlapping, 0), None, "two corrections");
    }
}
