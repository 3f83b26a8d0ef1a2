//! Fetches one series: decides which parts are due, requests them, and stores them.

use std::collections::{BTreeMap, BTreeSet};

use candlewick_shared::core::key::{Month, Part};
use candlewick_shared::ports::runs::Written;
use candlewick_shared::ports::store::PutIf;
use candlewick_shared::runtime::outcome::Setback;
use jiff::Timestamp;

use crate::context::Ingest;
use crate::credits::allowance::Allowance;
use crate::fetch::answer::ApiError;
use crate::fetch::asker::Asker;
use crate::fetch::identity;
use crate::fetch::kept;
use crate::fetch::kept_object::KeptObject;
use crate::fetch::overlap;
use crate::fetch::plan::{self, KeptMonth, Window};
use crate::fetch::task::{Against, Ended, Fetched, Settings, Stop, Task};
use crate::fetch::writing::Writer;

/// The work of one message on one series.
pub(crate) struct Fetching<'a> {
    ingest: &'a Ingest,
    task: &'a Task,
    asker: Asker<'a>,
    /// The months without a candle.
    vacant: BTreeSet<Month>,
    /// The condition under which each part still is what its answer was compared with.
    unchanged: BTreeMap<Part, PutIf>,
    /// When each object of this run was fetched, by this or an earlier delivery of the message.
    written: BTreeMap<Part, Timestamp>,
}

impl<'a> Fetching<'a> {
    pub(crate) fn new(ingest: &'a Ingest, task: &'a Task, settings: Settings, allowance: Allowance) -> Self {
        let history = plan::history(task.series.interval, settings.history, (ingest.now)());
        let asker = Asker::new(ingest, task, allowance, history, settings.cleaning);
        Self { ingest, task, asker, vacant: BTreeSet::new(), unchanged: BTreeMap::new(), written: BTreeMap::new() }
    }

    /// Fetches and stores what is due, part by part. After a crash, or when credits run out, the next delivery continues with
    /// the first part that is missing. Returns every object of the series that this run has written.
    pub(crate) async fn run(mut self) -> Result<Ended, Setback> {
        let is_intraday = self.task.series.interval.is_intraday();
        let result = if is_intraday { self.fetch_months().await } else { self.fetch_whole().await };
        match result {
            Ok(()) => Ok(self.written()),
            Err(Stop::Setback(setback)) => Err(setback),
            Err(Stop::OtherInstrument(reason)) => Ok(Ended::Refused { class: "other_instrument", reason }),
            Err(Stop::Api(error)) => self.refused(error).await,
        }
    }

    fn written(&self) -> Ended {
        let written = self.written.iter();
        let written =
            written.map(|(part, fetched_at)| Written { path: self.task.path(*part), fetched_at: *fetched_at });
        Ended::Written(written.collect())
    }

    /// A symbol that was loaded before, or that the API lists, is not unknown, even if the API has no data for it today.
    async fn refused(&mut self, error: ApiError) -> Result<Ended, Setback> {
        let series = &self.task.series;
        let class = "no_data";
        let reason = format!("{series}: {error}; the stored candles stay");
        match error {
            ApiError::NoData(_) | ApiError::UnknownSymbol(_)
                if kept::has_any(&*self.ingest.store, &series.symbol).await? =>
            {
                Ok(Ended::Refused { class, reason })
            }
            ApiError::NoData(_) if self.asker.is_listed().await? => Ok(Ended::Refused { class, reason }),
            ApiError::NoData(message) => Err(self.asker.setback(ApiError::UnknownSymbol(message))),
            error => Err(self.asker.setback(error)),
        }
    }

    async fn fetch_whole(&mut self) -> Result<(), Stop> {
        let kept = self.read_kept(Part::Whole).await?;
        if let Some(kept) = kept.as_ref().filter(|kept| self.is_of_run(kept.run.as_deref())) {
            self.written.insert(Part::Whole, kept.fetched_at);
            return Ok(());
        }
        let kept = kept.as_ref();
        let all = plan::back_to(self.asker.history, kept.map(|kept| &kept.rows[..]).unwrap_or_default());
        let window = if self.task.replace { all } else { self.asker.history };
        let mut fetched = self.asker.fetch(Part::Whole, window, kept, Against::AnyChange).await?;
        if fetched.overlap.split.is_some() && window != all {
            fetched =
                Fetched { overlap: fetched.overlap, ..self.asker.fetch(Part::Whole, all, kept, Against::Split).await? };
        }
        self.put(Part::Whole, &fetched, kept).await?;
        self.asker.alerts().split(&fetched).await;
        Ok(())
    }

    fn is_of_run(&self, run: Option<&str>) -> bool {
        run == Some(&self.task.run)
    }

    /// The oldest month first: the open month, in which the next fetch would show a split, is stored last.
    async fn fetch_months(&mut self) -> Result<(), Stop> {
        let kept = kept::months(self.ingest.store.as_ref(), &self.task.series).await?;
        let of_run = kept.iter().filter(|kept| self.is_of_run(kept.run.as_deref()));
        self.written = of_run.map(|kept| (Part::Month(kept.month), kept.fetched_at)).collect();
        self.asker.earliest = kept.iter().find_map(|kept| kept.earliest);
        if self.asker.earliest.is_none() && !self.asker.ask_earliest().await? {
            tracing::info!(series = %self.task.series, "the series has no candle yet");
            return Ok(());
        }
        let months = plan::months(self.asker.history, self.asker.earliest);
        self.vacant = plan::vacant(&kept, &months);
        let seam = plan::seam(&kept, &months, &self.vacant, (self.ingest.now)());
        let mut is_split = false;
        for month in &self.wanted(&months, &kept) {
            let known = kept.iter().find(|kept| kept.month == *month);
            let is_done = if known.is_some() { is_split } else { self.vacant.contains(month) };
            if (seam == Some(*month) || self.is_due(known)) && !is_done {
                is_split |= self.fetch_month(*month, known, &kept).await?;
            }
        }
        Ok(())
    }

    /// The months of the history and, if everything is to be replaced, the older stored months before them.
    fn wanted(&self, months: &[Month], kept: &[KeptMonth]) -> Vec<Month> {
        let older = kept.iter().map(|kept| kept.month).filter(|month| months.first().is_none_or(|first| month < first));
        older.filter(|_| self.task.replace).chain(months.iter().copied()).collect()
    }

    fn is_due(&self, known: Option<&KeptMonth>) -> bool {
        let is_replaced = self.task.replace && known.is_some_and(|known| !self.is_of_run(known.run.as_deref()));
        is_replaced || plan::is_due(known, &self.task.run)
    }

    /// Fetches a month. Returns `true` if it showed a split, in which case every other stored month was fetched too.
    async fn fetch_month(&mut self, month: Month, known: Option<&KeptMonth>, all: &[KeptMonth]) -> Result<bool, Stop> {
        let part = Part::Month(month);
        let whole = plan::whole(month, self.asker.history);
        let kept = self.read_kept(part).await?;
        let kept = kept.as_ref();
        let window = self.window(month, whole, kept);
        let mut fetched = self.asker.fetch(part, window, kept, Against::AnyChange).await?;
        if fetched.rows.is_empty() && known.is_none() && (self.ingest.now)() >= plan::closes_at(month) {
            self.vacant.insert(month);
        }
        if known.is_none() {
            self.check_against_previous_month(month, &fetched, all).await?;
        }
        let split = fetched.overlap.split;
        if let Some(ratio) = split {
            tracing::warn!(series = %self.task.series, %ratio, "a split: fetching the whole series again");
            self.fetch_others(month, known.map(|known| known.fetched_at)).await?;
            if window != whole {
                fetched =
                    Fetched { overlap: fetched.overlap, ..self.asker.fetch(part, whole, kept, Against::Split).await? };
            }
        }
        self.put(part, &fetched, kept).await?;
        self.asker.alerts().split(&fetched).await;
        Ok(split.is_some())
    }

    /// The whole month if it is new, closed, or was dropped as a file; otherwise only its end.
    fn window(&self, month: Month, whole: Window, kept: Option<&KeptObject>) -> Window {
        let is_open = (self.ingest.now)() < plan::closes_at(month) && !self.task.replace;
        let fetched = kept.filter(|kept| is_open && !kept.is_by_hand);
        let last = fetched.and_then(|kept| kept.rows.iter().filter_map(overlap::time).max());
        plan::tail(whole, last, self.task.series.interval)
    }

    /// The first candles of a new month have no stored candles to compare with. If the instrument's description changed
    /// since the month before, their prices must at least continue from there.
    async fn check_against_previous_month(
        &mut self,
        month: Month,
        fetched: &Fetched,
        all: &[KeptMonth],
    ) -> Result<(), Stop> {
        let before = all.iter().rfind(|kept| kept.month < month).filter(|_| !self.task.replace);
        let Some(before) = before.filter(|kept| identity::is_changed(&kept.instrument, &fetched.instrument)) else {
            return Ok(());
        };
        let Some(kept) = self.read_kept(Part::Month(before.month)).await? else { return Ok(()) };
        match identity::jump(&kept.rows, &fetched.rows) {
            Some(reason) => Err(self.asker.alerts().other_instrument(Part::Month(month), &kept, &reason).await),
            None => Ok(()),
        }
    }

    /// Fetches all stored months except the one that shows the split. As long as that one is unchanged, a later delivery
    /// finds the split again, and `refetched_since` shows which months are done.
    async fn fetch_others(&mut self, shows: Month, since: Option<Timestamp>) -> Result<(), Stop> {
        let kept = kept::months(self.ingest.store.as_ref(), &self.task.series).await?;
        for known in kept.iter().filter(|kept| kept.month != shows && kept.refetched_since != since) {
            let part = Part::Month(known.month);
            let kept = self.read_kept(part).await?;
            let whole = plan::whole(known.month, self.asker.history);
            let fetched = self.asker.fetch(part, whole, kept.as_ref(), Against::Split).await?;
            self.put(part, &Fetched { refetched_since: since, ..fetched }, kept.as_ref()).await?;
        }
        Ok(())
    }

    async fn put(&mut self, part: Part, fetched: &Fetched, kept: Option<&KeptObject>) -> Result<(), Setback> {
        let alerts = self.asker.alerts();
        let earliest = self.asker.earliest;
        let writer = Writer { ingest: self.ingest, task: self.task, alerts, earliest, vacant: &self.vacant };
        // Each part is read before it is asked for.
        let unchanged = self.unchanged.remove(&part).unwrap_or(PutIf::Absent);
        let fetched_at = writer.put(part, fetched, kept, unchanged).await?;
        self.written.extend(fetched_at.map(|fetched_at| (part, fetched_at)));
        Ok(())
    }

    async fn read_kept(&mut self, part: Part) -> Result<Option<KeptObject>, Setback> {
        let now = (self.ingest.now)();
        let (kept, unchanged) = kept::object(self.ingest.store.as_ref(), &self.task.path(part), now).await?;
        self.unchanged.insert(part, unchanged);
        Ok(kept)
    }
}
