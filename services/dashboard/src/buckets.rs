//! Which stored candles make up one candle of a longer interval: those of a slot, a session, a week or a month.

use candlewick_shared::core::calendar::Calendar;
use candlewick_shared::core::calendar::error::BeyondHorizon;
use candlewick_shared::core::calendar::period::{first_date, last_date};
use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;
use jiff::civil::Date;

const DAY: i64 = 86_400;

/// The stored candles from `start` to the start of the next bucket make up the candle stamped `label`. Both are in
/// seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The first second of the bucket.
    pub start: i64,
    /// The stamp of the derived candle.
    pub label: i64,
}

/// Buckets in ascending order, and the second at which the last one ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buckets {
    pub buckets: Vec<Bucket>,
    /// The first second after the last bucket.
    pub end: i64,
    /// Whether the range has more stored candles beyond these buckets, at the end opposite to the one they were taken
    /// from.
    pub is_more: bool,
}

/// How candles of one interval are derived from those of a shorter one.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    calendar: &'static Calendar,
    stored: Interval,
    target: Interval,
}

/// The requested buckets: the range of their labels and of the stored candles, in seconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The lowest and the highest label.
    pub labels: (i64, i64),
    /// The times of the first and the last stored candle.
    pub data: (i64, i64),
}

/// Whether candles of one interval can be derived from those of another.
pub fn can_derive(stored: Interval, target: Interval) -> bool {
    match (stored.seconds(), target.seconds()) {
        (Some(short), Some(long)) => short < long && long % short == 0,
        (Some(_), None) => true,
        (None, None) => stored == Interval::Day1 && target != Interval::Day1,
        (None, Some(_)) => false,
    }
}

impl Rule {
    /// A rule that derives candles of `target` from those of `stored`, by the sessions of a calendar.
    pub fn new(calendar: &'static Calendar, stored: Interval, target: Interval) -> Self {
        Self { calendar, stored, target }
    }

    pub fn first(&self, wanted: Wanted, count: usize) -> Result<Buckets, BeyondHorizon> {
        let from = wanted.labels.0.max(wanted.data.0 - self.room());
        self.collect(wanted, from, Some(count))
    }

    pub fn last(&self, wanted: Wanted, count: usize) -> Result<Buckets, BeyondHorizon> {
        let lowest = wanted.labels.0.max(wanted.data.0 - self.room());
        let highest = wanted.labels.1.min(wanted.data.1);
        let mut span = self.room().saturating_add(self.usual_span(count));
        loop {
            let from = highest.saturating_sub(span).max(lowest);
            let mut found = self.collect(wanted, from, None)?;
            if found.buckets.len() >= count || from <= lowest {
                let surplus = found.buckets.len().saturating_sub(count);
                found.buckets.drain(..surplus);
                let begins = found.buckets.first().map_or(wanted.data.0, |bucket| bucket.start);
                found.is_more = surplus > 0 || (from > lowest && wanted.data.0 < begins);
                return Ok(found);
            }
            span = span.saturating_mul(2);
        }
    }

    /// The buckets with labels from `from` that can contain a stored candle, up to a maximum number.
    fn collect(&self, wanted: Wanted, from: i64, most: Option<usize>) -> Result<Buckets, BeyondHorizon> {
        let mut all = self.starting(from.max(wanted.labels.0))?.peekable();
        let is_wanted = |bucket: &Bucket| bucket.label <= wanted.labels.1 && bucket.start <= wanted.data.1;
        let mut found = Buckets { end: i64::MAX, ..Buckets::default() };
        while let Some(bucket) = all.next() {
            if !is_wanted(&bucket) {
                found.end = bucket.start;
                break;
            }
            let end = all.peek().map_or(i64::MAX, |next| next.start);
            if end <= wanted.data.0 {
                continue;
            }
            found.buckets.push(bucket);
            if most.is_some_and(|most| found.buckets.len() >= most) {
                found.end = end;
                found.is_more = all.peek().is_some_and(is_wanted);
                break;
            }
        }
        Ok(found)
    }

    /// All buckets whose labels are at least `label`, ascending.
    fn starting(&self, label: i64) -> Result<Box<dyn Iterator<Item = Bucket>>, BeyondHorizon> {
        if self.stored == Interval::Day1 {
            return Ok(Box::new(periods(self.target, label)));
        }
        if self.target.is_intraday() {
            let covered = self.calendar.covered_stamps(self.target);
            let slots = self.calendar.possible_slots(self.target, label.max(*covered.start())..=*covered.end())?;
            return Ok(Box::new(slots.map(|slot| Bucket { start: slot, label: slot })));
        }
        self.sessions(label)
    }

    /// The buckets of days, weeks or months. Each starts with its first session.
    fn sessions(&self, label: i64) -> Result<Box<dyn Iterator<Item = Bucket>>, BeyondHorizon> {
        let target = self.target;
        let covered = self.calendar.coverage();
        let from = CandleTime::from_seconds(label).date().unwrap_or(*covered.start()).max(*covered.start());
        let sessions = self.calendar.sessions(from..=*covered.end())?;
        let bucket = move |open: i64, date: Date| Bucket { start: open, label: stamp(first_date(target, date)) };
        let mut last = None;
        let is_new = move |bucket: &Bucket| bucket.label >= label && last.replace(bucket.label) != Some(bucket.label);
        Ok(Box::new(sessions.map(move |session| bucket(session.open, session.date)).filter(is_new)))
    }

    /// How many seconds a stored candle can be after the label of its bucket.
    fn room(&self) -> i64 {
        match self.target {
            Interval::Month1 => 33 * DAY,
            Interval::Week1 => 9 * DAY,
            _ => 2 * DAY,
        }
    }

    /// How many seconds this many buckets usually cover, closed hours included.
    fn usual_span(&self, count: usize) -> i64 {
        let each = match (self.target, self.target.seconds()) {
            (_, Some(seconds)) => seconds * 6,
            (Interval::Week1, None) => 7 * DAY,
            (Interval::Month1, None) => 31 * DAY,
            (_, None) => 2 * DAY,
        };
        each.saturating_mul(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

/// The weeks or months from a label on, regardless of their sessions.
fn periods(interval: Interval, label: i64) -> impl Iterator<Item = Bucket> {
    let date = CandleTime::from_seconds(label).date();
    let first = date.map(|date| first_date(interval, date));
    let first = first.filter(|first| stamp(*first) >= label).or_else(|| after(interval, first?));
    let dates = std::iter::successors(first, move |date| after(interval, *date));
    dates.map(|date| Bucket { start: stamp(date), label: stamp(date) })
}

/// The first date of the next week or month.
fn after(interval: Interval, first: Date) -> Option<Date> {
    last_date(interval, stamp(first)).tomorrow().ok()
}

fn stamp(date: Date) -> i64 {
    CandleTime::from_date(date).seconds()
}

#[cfg(test)]
mod tests;
