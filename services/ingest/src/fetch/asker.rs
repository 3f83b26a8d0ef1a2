//! Requests a window from the API, and once more if the answer lacks candles that an earlier answer had.

use candlewick_shared::core::key::Part;
use candlewick_shared::core::metadata::Instrument;
use candlewick_shared::core::raw_csv::SourceRow;
use candlewick_shared::core::watchlist::CleaningSettings;
use candlewick_shared::runtime::outcome::Setback;
use jiff::civil::Date;

use crate::context::Ingest;
use crate::credits::allowance::Allowance;
use crate::credits::budget::{Closed, Period};
use crate::credits::pool::Credit;
use crate::fetch::alerts::SeriesAlerts;
use crate::fetch::answer::{Answer, ApiError, Meta};
use crate::fetch::candles::Rules;
use crate::fetch::failure;
use crate::fetch::identity::{self, Evidence};
use crate::fetch::kept_object::KeptObject;
use crate::fetch::loss::{self, Missing};
use crate::fetch::overlap::{self, Overlap};
use crate::fetch::plan::{self, MOST_CANDLES, Window};
use crate::fetch::task::{Against, Fetched, Stop, Task};

/// The error of a full answer whose candles are all outside the requested window.
const OUTSIDE_WINDOW: &str = "a full answer without a candle of the requested window";

/// The reason for keeping a series that the API now answers with nothing.
const NO_REPLACEMENT: &str =
    "there is not one candle to replace the stored ones (remove a series that has ended from the watchlist)";

/// Everything that the API has in a window. `meta` is missing if it has nothing.
#[derive(Default)]
struct Answers {
    meta: Option<Meta>,
    rows: Vec<SourceRow>,
}

/// The result of comparing an answer with the stored candles.
struct Verdict {
    instrument: Instrument,
    overlap: Overlap,
    missing: Missing,
    /// Why the answer is probably about another instrument.
    doubt: Option<String>,
}

impl Verdict {
    /// Whether to ask again. A loss that an earlier refresh met was already confirmed by a second answer then.
    fn needs_second_answer(&self, kept: &KeptObject) -> bool {
        self.doubt.is_some() || self.missing.losses.iter().any(|loss| !kept.reported_losses.contains(&loss.fetched_at))
    }
}

/// Requests the candles of one series.
pub(crate) struct Asker<'a> {
    ingest: &'a Ingest,
    task: &'a Task,
    allowance: Allowance,
    cleaning: CleaningSettings,
    /// The window of the whole history.
    pub(crate) history: Window,
    /// The date of the first candle of an intraday series, once known.
    pub(crate) earliest: Option<Date>,
}

impl<'a> Asker<'a> {
    pub(crate) fn new(
        ingest: &'a Ingest,
        task: &'a Task,
        allowance: Allowance,
        history: Window,
        cleaning: CleaningSettings,
    ) -> Self {
        Self { ingest, task, allowance, cleaning, history, earliest: None }
    }

    /// Asks when the series begins, so that no credit is spent on earlier months. Returns `false` if it has no candle.
    pub(crate) async fn ask_earliest(&mut self) -> Result<bool, Stop> {
        let credit = self.allowance.try_take().map_err(|closed| self.later(closed))?;
        let answer = self.ingest.client.earliest(&self.task.series, credit).await;
        self.earliest = answer.map_err(Stop::Api)?;
        Ok(self.earliest.is_some())
    }

    /// Everything that the API has in a window, compared and merged with the stored candles of the part.
    pub(crate) async fn fetch(
        &mut self,
        part: Part,
        window: Window,
        kept: Option<&KeptObject>,
        against: Against,
    ) -> Result<Fetched, Stop> {
        let credit = self.allowance.try_take().map_err(|closed| self.later(closed))?;
        let answers = self.ask_all(window, credit).await.or_else(|stop| self.nothing_yet(stop, kept))?;
        let Some(kept) = kept else { return Ok(self.without_comparison(answers)) };
        if self.task.replace {
            return self.replacement(part, answers, kept, window).await;
        }
        let verdict = self.judge(&answers, kept, window, against);
        if !verdict.needs_second_answer(kept) {
            return Ok(fetched(answers, verdict));
        }
        let (answers, verdict) = self.ask_again(answers, verdict, kept, window, against).await?;
        match &verdict.doubt {
            Some(reason) => Err(self.alerts().other_instrument(part, kept, reason).await),
            None => Ok(fetched(answers, verdict)),
        }
    }

    /// "No data" for a month means an empty month if the series is known to have candles and either no candle of the month
    /// was fetched before or the owner accepts the loss.
    fn nothing_yet(&self, stop: Stop, kept: Option<&KeptObject>) -> Result<Answers, Stop> {
        let may_be_empty = self.task.replace || kept.is_none_or(|kept| kept.is_by_hand);
        match stop {
            Stop::Api(ApiError::NoData(_)) if may_be_empty && self.earliest.is_some() => Ok(Answers::default()),
            stop => Err(stop),
        }
    }

    /// The replacement of the stored candles that the owner asked for. Only a month may be replaced by nothing, and only if
    /// the second answer is empty too.
    async fn replacement(
        &mut self,
        part: Part,
        first: Answers,
        kept: &KeptObject,
        window: Window,
    ) -> Result<Fetched, Stop> {
        if !first.rows.is_empty() || kept.rows.is_empty() {
            return Ok(self.without_comparison(first));
        }
        let second = self.second_answer(window, Some(kept)).await?;
        match part {
            _ if !second.rows.is_empty() => Ok(self.without_comparison(second)),
            Part::Whole => Err(Stop::Api(ApiError::NoData(NO_REPLACEMENT.to_owned()))),
            Part::Month(_) => Ok(Fetched { instrument: kept.instrument.clone(), ..self.without_comparison(second) }),
        }
    }

    async fn second_answer(&mut self, window: Window, kept: Option<&KeptObject>) -> Result<Answers, Stop> {
        tokio::time::sleep(self.ingest.pause).await;
        let credit = self.allowance.take().await.map_err(|closed| self.later(closed))?;
        self.ask_all(window, credit).await.or_else(|stop| self.nothing_yet(stop, kept))
    }

    /// The second answer, completed by the first one if that was about the same instrument.
    async fn ask_again(
        &mut self,
        first: Answers,
        verdict: Verdict,
        kept: &KeptObject,
        window: Window,
        against: Against,
    ) -> Result<(Answers, Verdict), Stop> {
        let series = &self.task.series;
        tracing::warn!(%series, losses = ?verdict.missing.losses, doubt = verdict.doubt, "asking again");
        let second = self.second_answer(window, Some(kept)).await?;
        let first = Some(first).filter(|_| verdict.doubt.is_none()).unwrap_or_default();
        let answers = Answers { meta: second.meta.or(first.meta), rows: loss::union(first.rows, second.rows) };
        let verdict = self.judge(&answers, kept, window, against);
        Ok((answers, verdict))
    }

    fn judge(&self, answers: &Answers, kept: &KeptObject, window: Window, against: Against) -> Verdict {
        let interval = self.task.series.interval;
        let instrument = answers.meta.clone().map(|meta| self.instrument(meta));
        let instrument = instrument.unwrap_or_else(|| kept.instrument.clone());
        let rules = Rules::new(interval, &instrument, &self.cleaning);
        let missing = loss::find(kept, &answers.rows, window, self.history_of(window), &rules);
        if against == Against::Split {
            return Verdict { instrument, overlap: Overlap::default(), missing, doubt: None };
        }
        let overlap = overlap::compare(&kept.rows, &answers.rows, plan::open_from(interval, kept.fetched_at));
        let lost = missing.losses.iter().map(|loss| loss.candles).sum();
        let was = &kept.instrument;
        let is = &instrument;
        let evidence = Evidence { kept: &kept.rows, fetched: &answers.rows, interval, was, is, lost };
        let doubt = identity::doubt(&overlap, &evidence);
        Verdict { instrument, overlap, missing, doubt }
    }

    /// The part of the history that a window belongs to. A month is fetched in pieces, and all of it counts as history.
    fn history_of(&self, window: Window) -> Window {
        if !self.task.series.interval.is_intraday() {
            return self.history;
        }
        let first = window.from.date().first_of_month();
        Window { from: first.to_datetime(jiff::civil::Time::midnight()), ..window }
    }

    /// An answer with no stored candles to compare it with.
    fn without_comparison(&self, answers: Answers) -> Fetched {
        let instrument = self.instrument(answers.meta.unwrap_or_default());
        Fetched {
            instrument,
            rows: answers.rows,
            overlap: Overlap::default(),
            losses: Vec::new(),
            refetched_since: None,
        }
    }

    /// Asks as often as a window needs, from the newest candle back to the oldest.
    async fn ask_all(&mut self, window: Window, credit: Credit) -> Result<Answers, Stop> {
        let mut left = window;
        let mut credit = credit;
        let mut answers = Answers::default();
        loop {
            let answer = self.ingest.client.time_series(&self.task.series, left, credit).await;
            let Answer::Candles(meta, candles) = answer.map_err(Stop::Api)? else { break };
            if let Some(words) = meta.mismatch(&self.task.series) {
                return Err(Stop::Api(ApiError::Transient(words)));
            }
            let rest = rest(&candles, left)?;
            answers.meta = Some(meta);
            answers.rows.extend(candles.into_iter().filter(|row| is_within(row, left)));
            let Some(rest) = rest else { break };
            left = rest;
            credit = self.allowance.take().await.map_err(|closed| self.later(closed))?;
        }
        Ok(answers)
    }

    /// Whether the API lists the symbol. A symbol that the API refuses to describe is not listed.
    pub(crate) async fn is_listed(&mut self) -> Result<bool, Setback> {
        let credit = self.allowance.take().await.map_err(|closed| self.later(closed))?;
        match self.ingest.client.is_listed(&self.task.series.symbol, credit).await {
            Ok(is_listed) => Ok(is_listed),
            Err(ApiError::NoData(_) | ApiError::UnknownSymbol(_) | ApiError::Plan(..) | ApiError::Request(_)) => {
                Ok(false)
            }
            Err(error) => Err(self.setback(error)),
        }
    }

    pub(crate) fn alerts(&self) -> SeriesAlerts<'a> {
        SeriesAlerts { notifier: &*self.ingest.notifier, task: self.task }
    }

    fn later(&self, closed: Closed) -> Setback {
        let period = if closed.period == Period::Day { "day" } else { "minute" };
        let until = closed.until;
        let reason = format!("{}: the credits of this {period} are used up until {until}", self.task.series);
        Setback::Later { wait: self.allowance.pool().wait_for(until), reason }
    }

    pub(crate) fn setback(&self, error: ApiError) -> Setback {
        let wait = self.allowance.pool().wait_after(&error);
        failure::setback(&self.task.series, self.task.trace, error, wait)
    }

    /// Intraday times are requested in UTC, whatever the exchange's time zone.
    fn instrument(&self, meta: Meta) -> Instrument {
        let is_intraday = self.task.series.interval.is_intraday();
        Instrument {
            instrument_type: meta.instrument_type,
            currency: meta.currency.or(meta.currency_quote),
            calendar: meta.mic_code,
            timezone: if is_intraday { Some("UTC".to_owned()) } else { meta.exchange_timezone },
        }
    }
}

/// An empty window without a loss writes nothing, so that the stored object stays as it is.
fn fetched(answers: Answers, verdict: Verdict) -> Fetched {
    let Verdict { instrument, overlap, missing, .. } = verdict;
    let losses = missing.losses.clone();
    let is_nothing = answers.rows.is_empty() && losses.is_empty();
    let rows = if is_nothing { Vec::new() } else { missing.with(answers.rows) };
    Fetched { instrument, rows, overlap, losses, refetched_since: None }
}

/// The rest of a window after a full answer: what is older than its oldest candle or, if the API ignored the requested
/// order, newer than its newest one.
fn rest(candles: &[SourceRow], left: Window) -> Result<Option<Window>, Stop> {
    if candles.len() < MOST_CANDLES {
        return Ok(None);
    }
    let times: Vec<_> = candles.iter().filter(|row| is_within(row, left)).filter_map(overlap::time).collect();
    let (Some(first), Some(last)) = (times.first().copied(), times.last().copied()) else {
        return Err(Stop::Api(ApiError::Transient(OUTSIDE_WINDOW.to_owned())));
    };
    let rest = if first < last {
        let newest = times.iter().max().copied().unwrap_or(last);
        Window { from: newest.saturating_add(jiff::Span::new().seconds(1)), ..left }
    } else {
        Window { until: times.iter().min().copied().unwrap_or(last), ..left }
    };
    Ok((rest.from < rest.until).then_some(rest))
}

/// Candles outside the window were not requested. One whose time cannot be read stays, and cleaning quarantines it.
fn is_within(row: &SourceRow, window: Window) -> bool {
    overlap::time(row).is_none_or(|time| window.contains(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: usize, ascending: bool) -> Vec<SourceRow> {
        let row = |at: usize| SourceRow {
            datetime: (jiff::civil::date(2000, 1, 1) + jiff::SignedDuration::from_hours(24 * at as i64)).to_string(),
            prices: ["1"; 4].map(str::to_owned),
            volume: None,
            fetched_at: None,
        };
        let rows = (0..count).map(row);
        if ascending { rows.collect() } else { rows.rev().collect() }
    }

    #[test]
    fn what_a_full_answer_leaves_is_on_the_side_that_it_does_not_reach() {
        let window = Window::of_dates(jiff::civil::date(1990, 1, 1), jiff::civil::date(2020, 1, 1));
        let rest = |rows: &[SourceRow]| rest(rows, window).ok().flatten();
        assert_eq!(rest(&rows(MOST_CANDLES - 1, false)), None);
        let older = rest(&rows(MOST_CANDLES, false)).unwrap();
        assert_eq!((older.from, older.until.to_string().as_str()), (window.from, "2000-01-01T00:00:00"));
        // The API ignored the requested order: these are the oldest, and the newest are still missing.
        let newer = rest(&rows(MOST_CANDLES, true)).unwrap();
        assert_eq!((newer.from.to_string().as_str(), newer.until), ("2013-09-08T00:00:01", window.until));
        let elsewhere = Window { until: window.from, ..window };
        assert!(super::rest(&rows(MOST_CANDLES, false), elsewhere).is_err());
    }
}
