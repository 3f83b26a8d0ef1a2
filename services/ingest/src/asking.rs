//! Asks the API for a window, and once more where its answer lacks what an earlier one had.

use candlewick_shared::core::key::Part;
use candlewick_shared::core::metadata::Instrument;
use candlewick_shared::core::raw_csv::SourceRow;

use crate::answer::{Answer, ApiError, Meta};
use crate::candles::Rules;
use crate::fetch::{Against, Fetched, Fetching, Stop};
use crate::identity::{self, Evidence};
use crate::keeper::Credit;
use crate::kept::KeptObject;
use crate::loss::{self, Missing};
use crate::overlap::{self, Overlap};
use crate::plan::{self, MOST_CANDLES, Window};

/// What is wrong with a full answer that has nothing to go on from.
const ELSEWHERE: &str = "a full answer with no candle of the time that was asked for";

/// Why a series is not replaced by an answer with nothing in it.
const NOTHING_IN_ITS_PLACE: &str =
    "there is not one candle to take the place of what is kept (a series that has ended comes off the watchlist)";

/// All that the API has in a window. What it says of the instrument is missing where it has nothing.
#[derive(Default)]
struct Said {
    meta: Option<Meta>,
    rows: Vec<SourceRow>,
}

/// What an answer is held to be.
struct Verdict {
    instrument: Instrument,
    overlap: Overlap,
    missing: Missing,
    /// Why it is probably about another instrument.
    doubt: Option<String>,
}

impl Verdict {
    /// Whether the answer is to be asked for again. What it lacked at an earlier refresh too was asked for again then.
    fn is_to_be_asked_again(&self, kept: &KeptObject) -> bool {
        self.doubt.is_some() || self.missing.losses.iter().any(|loss| !kept.shrank.contains(&loss.fetched_at))
    }
}

impl Fetching<'_> {
    /// Asks where the series begins, so that no credit is spent on the months before; `false` where it has no candle.
    pub(crate) async fn ask_earliest(&mut self) -> Result<bool, Stop> {
        let credit = self.allowance.begin().map_err(|closed| self.later(closed))?;
        let answer = self.ingest.client.earliest(&self.task.series, credit).await;
        self.earliest = answer.map_err(Stop::Api)?;
        Ok(self.earliest.is_some())
    }

    /// All that the API has in a window, held against what is kept of the part, and put together with what of that stays.
    pub(crate) async fn fetch(
        &mut self,
        part: Part,
        window: Window,
        kept: Option<&KeptObject>,
        against: Against,
    ) -> Result<Fetched, Stop> {
        let credit = self.allowance.begin().map_err(|closed| self.later(closed))?;
        let said = self.answers(window, credit).await.or_else(|stop| self.nothing_yet(stop, kept))?;
        let Some(kept) = kept else { return Ok(self.alone(said)) };
        if self.task.replace {
            return self.replacement(part, said, kept, window).await;
        }
        let verdict = self.judge(&said, kept, window, against);
        if !verdict.is_to_be_asked_again(kept) {
            return Ok(fetched(said, verdict));
        }
        let (said, verdict) = self.ask_again(said, verdict, kept, window, against).await?;
        match &verdict.doubt {
            Some(reason) => Err(self.other(part, kept, reason).await),
            None => Ok(fetched(said, verdict)),
        }
    }

    /// Of a month, no data is an empty month where it is known that the series has candles and none of the month was fetched,
    /// or the owner accepts what there is.
    fn nothing_yet(&self, stop: Stop, kept: Option<&KeptObject>) -> Result<Said, Stop> {
        let may_be_empty = self.task.replace || kept.is_none_or(|kept| kept.is_by_hand);
        match stop {
            Stop::Api(ApiError::NoData(_)) if may_be_empty && self.earliest.is_some() => Ok(Said::default()),
            stop => Err(stop),
        }
    }

    /// What takes the place of what is kept, because the owner said so. Nothing does so only of a month, and only if the second
    /// answer has nothing as well: a series of which the source has no candle at all is not replaced by that.
    async fn replacement(
        &mut self,
        part: Part,
        first: Said,
        kept: &KeptObject,
        window: Window,
    ) -> Result<Fetched, Stop> {
        if !first.rows.is_empty() || kept.rows.is_empty() {
            return Ok(self.alone(first));
        }
        let second = self.second_answer(window, Some(kept)).await?;
        match part {
            _ if !second.rows.is_empty() => Ok(self.alone(second)),
            Part::Whole => Err(Stop::Api(ApiError::NoData(NOTHING_IN_ITS_PLACE.to_owned()))),
            Part::Month(_) => Ok(Fetched { instrument: kept.instrument.clone(), ..self.alone(second) }),
        }
    }

    async fn second_answer(&mut self, window: Window, kept: Option<&KeptObject>) -> Result<Said, Stop> {
        tokio::time::sleep(self.ingest.pause).await;
        let credit = self.allowance.go_on().await.map_err(|closed| self.later(closed))?;
        self.answers(window, credit).await.or_else(|stop| self.nothing_yet(stop, kept))
    }

    /// The second of two answers, completed by the first one if that was about the same instrument.
    async fn ask_again(
        &mut self,
        first: Said,
        verdict: Verdict,
        kept: &KeptObject,
        window: Window,
        against: Against,
    ) -> Result<(Said, Verdict), Stop> {
        let series = &self.task.series;
        tracing::warn!(%series, losses = ?verdict.missing.losses, doubt = verdict.doubt, "asked for again");
        let second = self.second_answer(window, Some(kept)).await?;
        let first = Some(first).filter(|_| verdict.doubt.is_none()).unwrap_or_default();
        let said = Said { meta: second.meta.or(first.meta), rows: loss::union(first.rows, second.rows) };
        let verdict = self.judge(&said, kept, window, against);
        Ok((said, verdict))
    }

    fn judge(&self, said: &Said, kept: &KeptObject, window: Window, against: Against) -> Verdict {
        let interval = self.task.series.interval;
        let instrument = said.meta.clone().map(|meta| self.instrument(meta));
        let instrument = instrument.unwrap_or_else(|| kept.instrument.clone());
        let rules = Rules::new(interval, &instrument, &self.cleaning);
        let missing = loss::find(kept, &said.rows, window, self.history_of(window), &rules);
        if against == Against::Split {
            return Verdict { instrument, overlap: Overlap::default(), missing, doubt: None };
        }
        let overlap = overlap::compare(&kept.rows, &said.rows, plan::open_from(interval, kept.fetched_at));
        let lost = missing.losses.iter().map(|loss| loss.candles).sum();
        let (was, is) = (&kept.instrument, &instrument);
        let evidence = Evidence { kept: &kept.rows, fetched: &said.rows, interval, was, is, lost };
        let doubt = identity::doubt(&overlap, &evidence);
        Verdict { instrument, overlap, missing, doubt }
    }

    /// Before the history nothing is asked for any more. A month is asked for in parts, and all of it belongs to the history.
    fn history_of(&self, window: Window) -> Window {
        if !self.task.series.interval.is_intraday() {
            return self.history;
        }
        let first = window.from.date().first_of_month();
        Window { from: first.to_datetime(jiff::civil::Time::midnight()), ..window }
    }

    /// An answer that nothing is kept beside.
    fn alone(&self, said: Said) -> Fetched {
        let instrument = self.instrument(said.meta.unwrap_or_default());
        Fetched { instrument, rows: said.rows, overlap: Overlap::default(), losses: Vec::new(), anew: None }
    }

    /// As many answers as a window takes, from the newest candle back to the oldest.
    async fn answers(&mut self, window: Window, credit: Credit) -> Result<Said, Stop> {
        let (mut left, mut credit, mut said) = (window, credit, Said::default());
        loop {
            let answer = self.ingest.client.time_series(&self.task.series, left, credit).await;
            let Answer::Candles(meta, candles) = answer.map_err(Stop::Api)? else { break };
            if let Some(words) = meta.elsewhere(&self.task.series) {
                return Err(Stop::Api(ApiError::Passing(words)));
            }
            let rest = rest(&candles, left)?;
            said.meta = Some(meta);
            said.rows.extend(candles.into_iter().filter(|row| is_within(row, left)));
            let Some(rest) = rest else { break };
            left = rest;
            credit = self.allowance.go_on().await.map_err(|closed| self.later(closed))?;
        }
        Ok(said)
    }

    /// What is said of an instrument. Intraday times were asked for in UTC, whatever the exchange's time zone.
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

/// A window with nothing in it, and nothing lost, writes nothing: what an earlier day fetched stays as it is.
fn fetched(said: Said, verdict: Verdict) -> Fetched {
    let Verdict { instrument, overlap, missing, .. } = verdict;
    let losses = missing.losses.clone();
    let is_nothing = said.rows.is_empty() && losses.is_empty();
    let rows = if is_nothing { Vec::new() } else { missing.with(said.rows) };
    Fetched { instrument, rows, overlap, losses, anew: None }
}

/// What of a window is still to be asked for after a full answer: what is older than its oldest candle, or what is newer than
/// its newest one, should the API not heed the order that it was asked for.
fn rest(candles: &[SourceRow], left: Window) -> Result<Option<Window>, Stop> {
    if candles.len() < MOST_CANDLES {
        return Ok(None);
    }
    let times: Vec<_> = candles.iter().filter(|row| is_within(row, left)).filter_map(overlap::time).collect();
    let (Some(first), Some(last)) = (times.first().copied(), times.last().copied()) else {
        return Err(Stop::Api(ApiError::Passing(ELSEWHERE.to_owned())));
    };
    let rest = if first < last {
        let newest = times.iter().max().copied().unwrap_or(last);
        Window { from: newest.saturating_add(jiff::Span::new().seconds(1)), ..left }
    } else {
        Window { until: times.iter().min().copied().unwrap_or(last), ..left }
    };
    Ok((rest.from < rest.until).then_some(rest))
}

/// A candle of another time was not asked for. One whose time cannot be read stays, and cleaning sets it aside.
fn is_within(row: &SourceRow, window: Window) -> bool {
    overlap::time(row).is_none_or(|time| window.has(time))
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
        // The order was asked for and not heeded: these are the oldest, and the newest are still to come.
        let newer = rest(&rows(MOST_CANDLES, true)).unwrap();
        assert_eq!((newer.from.to_string().as_str(), newer.until), ("2013-09-08T00:00:01", window.until));
        let elsewhere = Window { until: window.from, ..window };
        assert!(super::rest(&rows(MOST_CANDLES, false), elsewhere).is_err());
    }
}
