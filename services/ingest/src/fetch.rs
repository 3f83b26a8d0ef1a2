//! Fetches one series: decides what is due, asks for it, and has it put.

use std::collections::{BTreeMap, BTreeSet};

use candlewick_shared::core::key::{Month, ObjectPath, Part, Series};
use candlewick_shared::core::metadata::Instrument;
use candlewick_shared::core::raw_csv::SourceRow;
use candlewick_shared::core::trace::TraceParent;
use candlewick_shared::core::watchlist::{CleaningSettings, History};
use candlewick_shared::ports::runs::Written;
use candlewick_shared::ports::store::PutIf;
use candlewick_shared::runtime::outcome::Setback;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::allowance::Allowance;
use crate::answer::ApiError;
use crate::budget::{Closed, Period};
use crate::failure;
use crate::handler::Ingest;
use crate::identity;
use crate::kept::{self, KeptObject};
use crate::loss::Loss;
use crate::overlap::{self, Overlap};
use crate::plan::{self, Kept, Window};

/// A series to fetch, for whom, and in which trace.
pub struct Task {
    /// The series.
    pub series: Series,
    /// The run it belongs to.
    pub run: String,
    /// The trace it belongs to.
    pub trace: Option<TraceParent>,
    /// Whether what comes replaces what is kept, whatever it lacks: the owner said so.
    pub replace: bool,
}

/// What the owner says of the instrument.
pub struct Settings {
    /// How far back it reaches.
    pub history: History,
    /// How its candles are cleaned, by which ingest tells what cleaning will make of a row.
    pub cleaning: CleaningSettings,
}

/// How the work on a series ended.
#[derive(Debug)]
pub enum Ended {
    /// Every object that the run has of it.
    Written(Vec<Written>),
    /// Nothing was taken, and what is kept stays.
    Refused {
        /// Why, in one word.
        class: &'static str,
        /// Why, for people.
        reason: String,
    },
}

/// Why the work on a series stops.
pub(crate) enum Stop {
    /// As any work can.
    Setback(Setback),
    /// The API gave no candles.
    Api(ApiError),
    /// The API gave those of another instrument.
    Other(String),
}

impl From<Setback> for Stop {
    fn from(setback: Setback) -> Self {
        Self::Setback(setback)
    }
}

/// One message's work on one series.
pub struct Fetching<'a> {
    pub(crate) ingest: &'a Ingest,
    pub(crate) task: &'a Task,
    pub(crate) allowance: Allowance,
    pub(crate) history: Window,
    pub(crate) cleaning: CleaningSettings,
    /// The date of the oldest candle of an intraday series.
    pub(crate) earliest: Option<Date>,
    /// The months that it has no candle of.
    pub(crate) vacant: BTreeSet<Month>,
    /// When each object was written that the run has of the series, here or by whoever was broken off before.
    pub(crate) written: BTreeMap<Part, Timestamp>,
    /// The condition under which each part is still what an answer was compared with.
    pub(crate) unchanged: BTreeMap<Part, PutIf>,
}

/// What there is to write of a part of a series.
pub(crate) struct Fetched {
    pub(crate) instrument: Instrument,
    pub(crate) rows: Vec<SourceRow>,
    pub(crate) overlap: Overlap,
    /// What the source gave earlier and no longer does.
    pub(crate) losses: Vec<Loss>,
    /// When the month was fetched that shows the split because of which this was fetched anew.
    pub(crate) anew: Option<Timestamp>,
}

/// How an answer is held against what is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Against {
    /// It may be split, or another instrument.
    AnyChange,
    /// It is known to be split.
    Split,
}

impl<'a> Fetching<'a> {
    /// Work on a task, as its owner wishes, which may spend this.
    #[must_use]
    pub fn new(ingest: &'a Ingest, task: &'a Task, settings: Settings, allowance: Allowance) -> Self {
        let history = plan::history(task.series.interval, settings.history, (ingest.now)());
        let (cleaning, earliest, vacant) = (settings.cleaning, None, BTreeSet::new());
        let (written, unchanged) = (BTreeMap::new(), BTreeMap::new());
        Self { ingest, task, allowance, history, cleaning, earliest, vacant, written, unchanged }
    }

    /// Fetches all that is due, and puts it part by part: whoever is broken off, or runs out of credits, goes on with the
    /// first part that is not there. Returns every object that the run has of the series, whoever put it.
    ///
    /// # Errors
    /// A permanent setback where the series can never be fetched; otherwise that of the API, of its credits or of the store.
    pub async fn run(mut self) -> Result<Ended, Setback> {
        let is_intraday = self.task.series.interval.is_intraday();
        match if is_intraday { self.months().await } else { self.whole().await } {
            Ok(()) => Ok(self.ended()),
            Err(Stop::Setback(setback)) => Err(setback),
            Err(Stop::Other(reason)) => Ok(Ended::Refused { class: "other_instrument", reason }),
            Err(Stop::Api(error)) => self.refused(error).await,
        }
    }

    fn ended(self) -> Ended {
        let path = |part| ObjectPath { series: self.task.series.clone(), part };
        let written = self.written.into_iter();
        Ended::Written(written.map(|(part, fetched_at)| Written { path: path(part), fetched_at }).collect())
    }

    /// A symbol that has loaded before, or that the API lists, is a symbol, whatever is said of its data today.
    async fn refused(&mut self, error: ApiError) -> Result<Ended, Setback> {
        let (series, class) = (&self.task.series, "no_data");
        let reason = format!("{series}: {error}; what is kept stays");
        match error {
            ApiError::NoData(_) | ApiError::UnknownSymbol(_)
                if kept::any(&*self.ingest.store, &series.symbol).await? =>
            {
                Ok(Ended::Refused { class, reason })
            }
            ApiError::NoData(_) if self.is_listed().await? => Ok(Ended::Refused { class, reason }),
            ApiError::NoData(message) => Err(self.setback(ApiError::UnknownSymbol(message))),
            error => Err(self.setback(error)),
        }
    }

    /// Whether the API lists the symbol. One that it will not tell of is not listed.
    async fn is_listed(&mut self) -> Result<bool, Setback> {
        let credit = self.allowance.go_on().await.map_err(|closed| self.later(closed))?;
        match self.ingest.client.is_listed(&self.task.series.symbol, credit).await {
            Ok(is_listed) => Ok(is_listed),
            Err(ApiError::NoData(_) | ApiError::UnknownSymbol(_) | ApiError::Plan(..) | ApiError::Request(_)) => {
                Ok(false)
            }
            Err(error) => Err(self.setback(error)),
        }
    }

    async fn whole(&mut self) -> Result<(), Stop> {
        let kept = self.kept(Part::Whole).await?;
        if let Some(kept) = kept.as_ref().filter(|kept| self.is_of_run(kept.run.as_deref())) {
            self.written.insert(Part::Whole, kept.fetched_at);
            return Ok(());
        }
        let kept = kept.as_ref();
        let all = plan::back_to(self.history, kept.map(|kept| &kept.rows[..]).unwrap_or_default());
        let window = if self.task.replace { all } else { self.history };
        let mut fetched = self.fetch(Part::Whole, window, kept, Against::AnyChange).await?;
        if fetched.overlap.split.is_some() && window != all {
            fetched = Fetched { overlap: fetched.overlap, ..self.fetch(Part::Whole, all, kept, Against::Split).await? };
        }
        self.put(Part::Whole, &fetched, kept).await?;
        self.tell_of_split(&fetched).await;
        Ok(())
    }

    fn is_of_run(&self, run: Option<&str>) -> bool {
        run == Some(&self.task.run)
    }

    /// The oldest first, so that what is open, and shows a split when it is fetched the next time, is put last.
    async fn months(&mut self) -> Result<(), Stop> {
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
        for month in &self.wanted(&months, &kept) {
            let known = kept.iter().find(|kept| kept.month == *month);
            let is_done = if known.is_some() { is_split } else { self.vacant.contains(month) };
            if (seam == Some(*month) || self.is_due(known)) && !is_done {
                is_split |= self.month(*month, known, &kept).await?;
            }
        }
        Ok(())
    }

    /// The months of the history, and before them, where all is to be replaced, those that are kept.
    fn wanted(&self, months: &[Month], kept: &[Kept]) -> Vec<Month> {
        let older = kept.iter().map(|kept| kept.month).filter(|month| months.first().is_none_or(|first| month < first));
        older.filter(|_| self.task.replace).chain(months.iter().copied()).collect()
    }

    fn is_due(&self, known: Option<&Kept>) -> bool {
        let is_replaced = self.task.replace && known.is_some_and(|known| !self.is_of_run(known.run.as_deref()));
        is_replaced || plan::is_due(known, &self.task.run)
    }

    /// Fetches a month; `true` where it showed a split, and every other month that was kept was fetched too.
    async fn month(&mut self, month: Month, known: Option<&Kept>, all: &[Kept]) -> Result<bool, Stop> {
        let (part, whole) = (Part::Month(month), plan::whole(month, self.history));
        let kept = self.kept(part).await?;
        let kept = kept.as_ref();
        let window = self.window(month, whole, kept);
        let mut fetched = self.fetch(part, window, kept, Against::AnyChange).await?;
        if fetched.rows.is_empty() && known.is_none() && (self.ingest.now)() >= plan::closes(month) {
            self.vacant.insert(month);
        }
        if known.is_none() {
            self.hold_to_the_month_before(month, &fetched, all).await?;
        }
        let split = fetched.overlap.split;
        if let Some(ratio) = split {
            tracing::warn!(series = %self.task.series, %ratio, "a split: all of the series is fetched anew");
            self.fetch_others(month, known.map(|known| known.fetched_at)).await?;
            if window != whole {
                fetched = Fetched { overlap: fetched.overlap, ..self.fetch(part, whole, kept, Against::Split).await? };
            }
        }
        self.put(part, &fetched, kept).await?;
        self.tell_of_split(&fetched).await;
        Ok(split.is_some())
    }

    /// A month is asked for whole when it is new, or a file of somebody's, and once more when it has closed; in between, its end.
    fn window(&self, month: Month, whole: Window, kept: Option<&KeptObject>) -> Window {
        let is_open = (self.ingest.now)() < plan::closes(month) && !self.task.replace;
        let fetched = kept.filter(|kept| is_open && !kept.is_by_hand);
        let last = fetched.and_then(|kept| kept.rows.iter().filter_map(overlap::time).max());
        plan::tail(whole, last, self.task.series.interval)
    }

    /// The first candles of a new month have none to be compared with. Where the source says something else of the
    /// instrument than in the month before, their prices must at least go on from there.
    async fn hold_to_the_month_before(&mut self, month: Month, fetched: &Fetched, all: &[Kept]) -> Result<(), Stop> {
        let before = all.iter().rfind(|kept| kept.month < month).filter(|_| !self.task.replace);
        let Some(before) = before.filter(|kept| identity::is_changed(&kept.instrument, &fetched.instrument)) else {
            return Ok(());
        };
        let Some(kept) = self.kept(Part::Month(before.month)).await? else { return Ok(()) };
        match identity::jump(&kept.rows, &fetched.rows) {
            Some(reason) => Err(self.other(Part::Month(month), &kept, &reason).await),
            None => Ok(()),
        }
    }

    /// Fetches all months that are kept but the one that shows the split: while that is kept as it was, whoever is broken off
    /// here finds the split again, and what was done by what stands beside it. What is missing is fetched afterwards as ever.
    async fn fetch_others(&mut self, shows: Month, since: Option<Timestamp>) -> Result<(), Stop> {
        let kept = kept::months(self.ingest.store.as_ref(), &self.task.series).await?;
        for known in kept.iter().filter(|kept| kept.month != shows && kept.anew != since) {
            let part = Part::Month(known.month);
            let kept = self.kept(part).await?;
            let whole = plan::whole(known.month, self.history);
            let fetched = self.fetch(part, whole, kept.as_ref(), Against::Split).await?;
            self.put(part, &Fetched { anew: since, ..fetched }, kept.as_ref()).await?;
        }
        Ok(())
    }

    async fn kept(&mut self, part: Part) -> Result<Option<KeptObject>, Setback> {
        let path = ObjectPath { series: self.task.series.clone(), part };
        let (kept, unchanged) = kept::object(self.ingest.store.as_ref(), &path, (self.ingest.now)()).await?;
        self.unchanged.insert(part, unchanged);
        Ok(kept)
    }

    pub(crate) fn later(&self, closed: Closed) -> Setback {
        let (series, until) = (&self.task.series, closed.until);
        let period = if closed.period == Period::Day { "day" } else { "minute" };
        let reason = format!("{series}: the credits of this {period} are used up, and come back at {until}");
        Setback::Later { wait: self.allowance.keeper().wait_for(until), reason }
    }

    pub(crate) fn setback(&self, error: ApiError) -> Setback {
        let wait = self.allowance.keeper().wait_after(&error);
        failure::setback(&self.task.series, self.task.trace, error, wait)
    }
}
