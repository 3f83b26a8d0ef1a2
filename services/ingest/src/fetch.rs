//! Fetches one series: asks for what is due, compares it with what is kept, and puts it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use candlewick_shared::core::key::{Month, ObjectPath, Part, Series};
use candlewick_shared::core::metadata::{Instrument, RawMetadata};
use candlewick_shared::core::raw_csv::{self, SourceRow};
use candlewick_shared::core::trace::TraceParent;
use candlewick_shared::core::watchlist::History;
use candlewick_shared::ports::notifier::{Alert, Kind};
use candlewick_shared::ports::runs::Written;
use candlewick_shared::ports::store::{NewObject, PutIf};
use candlewick_shared::runtime::outcome::Setback;
use candlewick_shared::runtime::telemetry;
use jiff::Timestamp;
use jiff::civil::Date;
use sha2::{Digest, Sha256};

use crate::allowance::Allowance;
use crate::answer::{Answer, ApiError, Meta};
use crate::budget::{Closed, Period};
use crate::failure;
use crate::handler::Ingest;
use crate::kept::{self, KeptObject};
use crate::overlap::{self, Overlap, Ratio};
use crate::plan::{self, Kept, MOST_CANDLES, Window};

/// The name under which an object keeps how many of its past candles changed when it was last fetched.
const CHANGED: &str = "changed-candles";

/// What is wrong with a full answer that has nothing to go on from.
const ELSEWHERE: &str = "a full answer with no candle of the time that was asked for";

/// A series to fetch, for whom, and in which trace.
pub struct Task {
    /// The series.
    pub series: Series,
    /// The run it belongs to.
    pub run: String,
    /// The trace it belongs to.
    pub trace: Option<TraceParent>,
}

/// One message's work on one series.
pub struct Fetching<'a> {
    ingest: &'a Ingest,
    task: &'a Task,
    allowance: Allowance,
    history: Window,
    /// The date of the oldest candle of an intraday series.
    earliest: Option<Date>,
    /// The months that it has no candle of.
    vacant: BTreeSet<Month>,
    /// When each object was written that the run has of the series, here or by whoever was broken off before.
    written: BTreeMap<Part, Timestamp>,
}

/// What the API has of a part of a series.
struct Fetched {
    meta: Meta,
    rows: Vec<SourceRow>,
    overlap: Overlap,
    /// When the month was fetched that shows the split because of which this was fetched anew.
    anew: Option<Timestamp>,
}

impl<'a> Fetching<'a> {
    /// Work on a task, for a history that reaches so far back, which may spend this.
    #[must_use]
    pub fn new(ingest: &'a Ingest, task: &'a Task, history: History, allowance: Allowance) -> Self {
        let history = plan::history(task.series.interval, history, (ingest.now)());
        Self { ingest, task, allowance, history, earliest: None, vacant: BTreeSet::new(), written: BTreeMap::new() }
    }

    /// Fetches all that is due, and puts it part by part: whoever is broken off, or runs out of credits, goes on with the
    /// first part that is not there. Returns every object that the run has of the series, whoever put it.
    ///
    /// # Errors
    /// A permanent setback where the series can never be fetched; otherwise that of the API, of its credits or of the store.
    pub async fn run(mut self) -> Result<Vec<Written>, Setback> {
        if self.task.series.interval.is_intraday() {
            self.months().await?
        } else {
            self.whole().await?
        }
        let path = |part| ObjectPath { series: self.task.series.clone(), part };
        let written = self.written.into_iter();
        Ok(written.map(|(part, fetched_at)| Written { path: path(part), fetched_at }).collect())
    }

    async fn whole(&mut self) -> Result<(), Setback> {
        let kept = self.kept(Part::Whole).await?;
        if let Some(kept) = kept.as_ref().filter(|kept| self.is_of_run(kept.run.as_deref())) {
            self.written.insert(Part::Whole, kept.fetched_at);
            return Ok(());
        }
        let fetched = self.fetch(self.history, kept).await?;
        self.put(Part::Whole, &fetched).await?;
        self.tell_of_split(fetched.overlap.split).await;
        Ok(())
    }

    fn is_of_run(&self, run: Option<&str>) -> bool {
        run == Some(&self.task.run)
    }

    /// The oldest first, so that what is open, and shows a split when it is fetched the next time, is put last.
    async fn months(&mut self) -> Result<(), Setback> {
        let kept = kept::months(self.ingest.store.as_ref(), &self.task.series).await?;
        let of_run = kept.iter().filter(|kept| self.is_of_run(kept.run.as_deref()));
        self.written = of_run.map(|kept| (Part::Month(kept.month), kept.fetched_at)).collect();
        self.earliest = kept.iter().find_map(|kept| kept.earliest);
        if self.earliest.is_none() && !self.ask_earliest().await? {
            tracing::info!(series = %self.task.series, "there is no candle yet");
            return Ok(());
        }
        let months = plan::months(self.history, self.earliest);
        self.vacant = plan::vacant(&kept, &months);
        let (seam, mut is_split) = (plan::seam(&kept, &months, &self.vacant, (self.ingest.now)()), false);
        for month in &months {
            let known = kept.iter().find(|kept| kept.month == *month);
            let is_done = if known.is_some() { is_split } else { self.vacant.contains(month) };
            let is_due = seam == Some(*month) || plan::is_due(known, &self.task.run);
            if is_due && !is_done {
                is_split |= self.month(*month, known, &months).await?;
            }
        }
        Ok(())
    }

    /// Fetches a month; `true` where it showed a split, and every other month that was kept was fetched too.
    async fn month(&mut self, month: Month, known: Option<&Kept>, all: &[Month]) -> Result<bool, Setback> {
        let (part, whole) = (Part::Month(month), plan::whole(month, self.history));
        let kept = if known.is_some() { self.kept(part).await? } else { None };
        let window = self.window(month, whole, kept.as_ref());
        let mut fetched = self.fetch(window, kept).await?;
        if fetched.rows.is_empty() && known.is_none() && (self.ingest.now)() >= plan::closes(month) {
            self.vacant.insert(month);
        }
        if let Some(ratio) = fetched.overlap.split {
            tracing::warn!(series = %self.task.series, %ratio, "a split: all of the series is fetched anew");
            self.fetch_others(month, known.map(|known| known.fetched_at), all).await?;
            if window != whole {
                fetched = Fetched { overlap: fetched.overlap, ..self.fetch(whole, None).await? };
            }
        }
        self.put(part, &fetched).await?;
        self.tell_of_split(fetched.overlap.split).await;
        Ok(fetched.overlap.split.is_some())
    }

    /// A month is asked for whole when it is new, and once more when it has closed; in between, its end.
    fn window(&self, month: Month, whole: Window, kept: Option<&KeptObject>) -> Window {
        let is_open = (self.ingest.now)() < plan::closes(month);
        let last = kept.filter(|_| is_open).and_then(|kept| kept.rows.iter().filter_map(overlap::time).max());
        plan::tail(whole, last, self.task.series.interval)
    }

    /// Fetches all months that are kept but the one that shows the split: while that is kept as it was, whoever is broken off
    /// here finds the split again, and what was done by what stands beside it. What is missing is fetched afterwards as ever.
    async fn fetch_others(&mut self, shows: Month, since: Option<Timestamp>, all: &[Month]) -> Result<(), Setback> {
        let kept = kept::months(self.ingest.store.as_ref(), &self.task.series).await?;
        let others = kept.iter().filter(|kept| kept.month != shows && all.contains(&kept.month));
        for known in others.filter(|kept| kept.anew != since) {
            let fetched = self.fetch(plan::whole(known.month, self.history), None).await?;
            self.put(Part::Month(known.month), &Fetched { anew: since, ..fetched }).await?;
        }
        Ok(())
    }

    async fn kept(&self, part: Part) -> Result<Option<KeptObject>, Setback> {
        let path = ObjectPath { series: self.task.series.clone(), part };
        kept::object(self.ingest.store.as_ref(), &path).await
    }

    /// Asks where the series begins, so that no credit is spent on the months before; `false` where it has no candle.
    async fn ask_earliest(&mut self) -> Result<bool, Setback> {
        let credit = self.allowance.begin().map_err(|closed| self.later(closed))?;
        let answer = self.ingest.client.earliest(&self.task.series, credit).await;
        self.earliest = answer.map_err(|error| self.setback(error))?;
        Ok(self.earliest.is_some())
    }

    /// All that the API has in a window, compared with what is kept, and with that part of it which lies before the window.
    async fn fetch(&mut self, window: Window, kept: Option<KeptObject>) -> Result<Fetched, Setback> {
        let (meta, mut rows) = self.answers(window).await?;
        let Some(kept) = kept else { return Ok(Fetched { meta, rows, overlap: Overlap::default(), anew: None }) };
        let open_from = plan::open_from(self.task.series.interval, kept.fetched_at);
        let overlap = overlap::compare(&kept.rows, &rows, open_from);
        if !rows.is_empty() {
            rows.extend(kept.rows.into_iter().filter(|row| overlap::time(row).is_some_and(|time| time < window.from)));
        }
        Ok(Fetched { meta, rows, overlap, anew: None })
    }

    /// As many answers as a window takes, from the newest candle back to the oldest.
    async fn answers(&mut self, window: Window) -> Result<(Meta, Vec<SourceRow>), Setback> {
        let (mut left, mut meta, mut rows) = (window, Meta::default(), Vec::new());
        let mut credit = self.allowance.begin().map_err(|closed| self.later(closed))?;
        loop {
            let answer = self.ingest.client.time_series(&self.task.series, left, credit).await;
            let Answer::Candles(said, candles) = answer.map_err(|error| self.setback(error))? else { break };
            let is_full = candles.len() >= MOST_CANDLES;
            let within: Vec<_> = candles.into_iter().filter(|row| is_within(row, left)).collect();
            let oldest = within.iter().filter_map(overlap::time).min();
            meta = said;
            rows.extend(within);
            match oldest {
                None if is_full => return Err(self.setback(ApiError::Passing(ELSEWHERE.to_owned()))),
                Some(oldest) if is_full && left.from < oldest => left.until = oldest,
                _ => break,
            }
            credit = self.allowance.go_on().await.map_err(|closed| self.later(closed))?;
        }
        Ok((meta, rows))
    }

    /// A window with nothing in it writes nothing: what an earlier day fetched stays.
    async fn put(&mut self, part: Part, fetched: &Fetched) -> Result<(), Setback> {
        let (series, changed) = (&self.task.series, fetched.overlap.changed);
        if fetched.rows.is_empty() {
            tracing::info!(%series, "nothing to fetch");
            return Ok(());
        }
        let body = raw_csv::write(&fetched.rows).context("write the raw CSV")?;
        let key = ObjectPath { series: series.clone(), part }.raw_key();
        let fetched_at = (self.ingest.now)();
        let mut metadata = self.metadata(&fetched.meta, &body, fetched_at).write();
        metadata.extend(self.earliest.map(|earliest| (kept::EARLIEST.to_owned(), earliest.to_string())));
        metadata.extend(kept::vacant_entry(&self.vacant));
        metadata.extend(fetched.anew.map(|since| (kept::ANEW.to_owned(), since.to_string())));
        metadata.extend((changed > 0).then(|| (CHANGED.to_owned(), changed.to_string())));
        self.ingest.store.put(&key, NewObject::csv(body, metadata), PutIf::Always).await?;
        tracing::info!(key, rows = fetched.rows.len(), changed, run = self.task.run, "fetched");
        self.written.insert(part, fetched_at);
        Ok(())
    }

    fn metadata(&self, meta: &Meta, body: &[u8], fetched_at: Timestamp) -> RawMetadata {
        let is_intraday = self.task.series.interval.is_intraday();
        RawMetadata {
            source: Some(kept::SOURCE.to_owned()),
            fetched_at: Some(fetched_at),
            instrument: instrument(meta.clone(), is_intraday),
            adjust: Some("splits".to_owned()).filter(|_| !is_intraday),
            sha256: Some(Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()),
            traceparent: telemetry::current().or(self.task.trace),
            run: Some(self.task.run.clone()),
            first_written: None,
        }
    }

    async fn tell_of_split(&self, split: Option<Ratio>) {
        let Some(ratio) = split else { return };
        let series = &self.task.series;
        let text = format!(
            "{series}: every past close is {ratio} times what it was: a split. All of the series was fetched anew; \
             what is kept elsewhere at the old prices no longer compares"
        );
        let alert = Alert::new(Kind::SplitFound, series, text).series(Some(series.clone()));
        let trace_id = self.task.trace.map(|trace| trace.trace_id());
        self.ingest.notifier.notify(alert.run(Some(self.task.run.clone())).traced(trace_id)).await;
    }

    fn later(&self, closed: Closed) -> Setback {
        let (series, until) = (&self.task.series, closed.until);
        let period = if closed.period == Period::Day { "day" } else { "minute" };
        let reason = format!("{series}: the credits of this {period} are used up, and come back at {until}");
        Setback::Later { wait: self.allowance.keeper().wait_for(until), reason }
    }

    fn setback(&self, error: ApiError) -> Setback {
        let wait = self.allowance.keeper().wait_after(&error);
        failure::setback(&self.task.series, self.task.trace, error, wait)
    }
}

/// A candle of another time was not asked for. One whose time cannot be read stays, and cleaning sets it aside.
fn is_within(row: &SourceRow, window: Window) -> bool {
    overlap::time(row).is_none_or(|time| window.has(time))
}

/// What is said of an instrument. Intraday times were asked for in UTC, whatever the exchange's time zone.
fn instrument(meta: Meta, intraday: bool) -> Instrument {
    Instrument {
        instrument_type: meta.instrument_type,
        currency: meta.currency.or(meta.currency_quote),
        calendar: meta.mic_code,
        timezone: if intraday { Some("UTC".to_owned()) } else { meta.exchange_timezone },
    }
}
