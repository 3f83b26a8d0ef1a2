//! Handles a raw object: reads it, cleans it, and writes the results.

use std::sync::Arc;

use candlewick_shared::adapters::budget::Share;
use candlewick_shared::adapters::log_notifier::LogNotifier;
use candlewick_shared::adapters::watchlist_source::WatchlistSource;
use candlewick_shared::core::byte_size::ByteSize;
use candlewick_shared::core::clock::Clock;
use candlewick_shared::core::event::ObjectEvent;
use candlewick_shared::core::key::RawKey;
use candlewick_shared::core::lineage::{self, Dataset};
use candlewick_shared::core::metadata::{Metadata, RawMetadata, TransformedMetadata};
use candlewick_shared::core::report::Report;
use candlewick_shared::core::watchlist::CleaningSettings;
use candlewick_shared::ports::clock::Now;
use candlewick_shared::ports::notifier::{Alert, Kind, Notifier};
use candlewick_shared::ports::store::{NewObject, ObjectInfo, ObjectStore, Put, PutIf};
use candlewick_shared::runtime::compute::compute;
use candlewick_shared::runtime::lineage::Lineage;
use candlewick_shared::runtime::measures;
use candlewick_shared::runtime::memory::Memory;
use candlewick_shared::runtime::outcome::{Failure, Outcome, Setback, Settled};
use jiff::Timestamp;
use tokio::try_join;
use tracing::Instrument;

use crate::as_of::AsOf;
use crate::existing::{Existing, bad_metadata};
use crate::work::{Outputs, Work};

/// How many attempts are made in succession when an output changes meanwhile, before the message is delivered again
/// later.
const ATTEMPTS: u32 = 5;

#[derive(Clone)]
pub struct Transform {
    store: Arc<dyn ObjectStore>,
    now: Now,
    clock: Clock,
    watchlist: Option<Arc<WatchlistSource>>,
    notifier: Arc<dyn Notifier>,
    lineage: Lineage,
    memory: Memory,
    trusts_first_written: bool,
    writes_columns: bool,
}

impl Transform {
    /// Creates a handler that reads from and writes to the bucket of `store`.
    pub fn new(store: Arc<dyn ObjectStore>, now: Now) -> Self {
        let clock = Clock::Real;
        let notifier = Arc::new(LogNotifier);
        let lineage = Lineage::default();
        let memory = Memory::new(ByteSize(1 << 30));
        Self {
            store,
            now,
            clock,
            watchlist: None,
            notifier,
            lineage,
            memory,
            trusts_first_written: false,
            writes_columns: false,
        }
    }

    /// Sets the memory that all handlers share.
    pub fn with_memory(self, memory: Memory) -> Self {
        Self { memory, ..self }
    }

    /// Sets the clock. With a simulated clock, the time at which the store received an object is converted to that
    /// clock if the object does not say when it was fetched.
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Sets the watchlist with the cleaning settings. It is read for every object, so an edit needs no restart.
    pub fn with_watchlist(self, watchlist: Option<Arc<WatchlistSource>>) -> Self {
        Self { watchlist, ..self }
    }

    /// Sets whether `first-written` in an object's metadata is trusted, which is only safe if nobody but a restore
    /// writes it.
    pub fn trusting_first_written(self, trusts_first_written: bool) -> Self {
        Self { trusts_first_written, ..self }
    }

    /// Sets whether the candles are also written as Parquet.
    pub fn writing_columns(self, writes_columns: bool) -> Self {
        Self { writes_columns, ..self }
    }

    /// Sets the notifier for alerts; the default writes them to the log.
    pub fn with_notifier(self, notifier: Arc<dyn Notifier>) -> Self {
        Self { notifier, ..self }
    }

    /// Sets the receiver of lineage events.
    pub fn with_lineage(self, lineage: Lineage) -> Self {
        Self { lineage, ..self }
    }

    /// Writes the transformed object for the raw object that is currently at the event's key.
    pub async fn handle(self, event: ObjectEvent) -> Outcome {
        let key: RawKey = event.key.parse().map_err(|error| Failure::new("bad_key", error))?;
        for attempt in 0..ATTEMPTS {
            if let Some(settled) = self.attempt(&key, attempt > 0).await? {
                return Ok(settled);
            }
        }
        Err(anyhow::anyhow!("{} changed {ATTEMPTS} times while it was made", key.path.transformed_key()).into())
    }

    /// Makes one attempt. Returns `None` if an output changed meanwhile and another attempt is needed.
    async fn attempt(&self, key: &RawKey, closely: bool) -> Result<Option<Settled>, Setback> {
        let existing = Existing::find(&*self.store, &key.path, self.writes_columns, closely).await?;
        let Some(object) = self.store.get_within(&key.to_string(), self.memory.bodies().bytes()).await? else {
            return Ok(Some(missing(key, &existing)?));
        };
        let metadata = RawMetadata::read(&object.info.metadata).map_err(bad_metadata)?;
        let written = metadata.written(object.info.last_modified, self.trusts_first_written);
        if !closely && existing.are_made_from(&key.to_string(), &object.info.etag, written) {
            // A repetition. Another writer may have died between its outputs, so look at each of them.
            return Ok(None);
        }
        let as_of = AsOf::of(metadata.fetched_at, written, &self.clock);
        let settings = self.settings(key, &metadata).await?;
        let writes_columns = self.writes_columns;
        let work = Work { key: key.clone(), object, metadata, written, as_of, existing, settings, writes_columns };
        let span = work.span();
        self.make(work).instrument(span).await
    }

    async fn make(&self, work: Work) -> Result<Option<Settled>, Setback> {
        let trace_id = work.metadata.traceparent.map(|trace| trace.trace_id());
        if let Some(newer) = work.newer_source() {
            return self.give_way(&work, newer).await;
        }
        let began = Timestamp::now();
        let work = Arc::new(work);
        match self.clean(&work).await? {
            // The share is held until everything is written.
            Ok((outputs, _share)) => self.put_all(&work, outputs, began).await,
            Err(failure) => {
                self.tell(&work, began, None, Some(&failure.message)).await;
                Err(failure.traced(trace_id).into())
            }
        }
    }

    /// Leaves the outputs to a newer object. If this object or a worker that died wrote a report before the newer
    /// object was visible, the outputs of the newer object are written again.
    async fn give_way(&self, work: &Work, newer: &str) -> Result<Option<Settled>, Setback> {
        if work.existing.are_whole(&*self.store, &work.key.path).await? {
            return Ok(Some(Settled::Superseded(format!("{newer} is newer"))));
        }
        let newer = newer.parse().map_err(|error| Failure::new("bad_metadata", error))?;
        self.make_of(&newer).await
    }

    /// Writes the outputs of the other object with the same transformed key. A permanent failure of that object
    /// belongs to its own message.
    async fn make_of(&self, other: &RawKey) -> Result<Option<Settled>, Setback> {
        match Box::pin(self.attempt(other, true)).await {
            Err(Setback::Permanent(failure)) => {
                Ok(Some(Settled::Superseded(format!("{other} is newer, and fails: {}", failure.message))))
            }
            made => made,
        }
    }

    /// Cleans the object on a separate thread as soon as there is memory for it. The inner error is a fault of the
    /// object.
    async fn clean(&self, work: &Arc<Work>) -> Result<Result<(Outputs, Share), Failure>, Setback> {
        let most = self.memory.work().bytes();
        let measuring = Arc::clone(work);
        let measured = match compute(move || measuring.measure(most)).await? {
            Ok(measured) => measured,
            Err(failure) => return Ok(Err(failure)),
        };
        let what = format!("{}: a file of {} lines", work.key, measured.lines);
        let share = match self.memory.take_for(&what, measured.memory()).await {
            Ok(share) => share,
            Err(failure) => return Ok(Err(failure)),
        };
        let cleaning = Arc::clone(work);
        // The share moves into the computation, which continues if this future is dropped.
        let (outputs, share) = compute(move || (cleaning.clean(measured), share)).await?;
        Ok(outputs.map(|outputs| (outputs, share)))
    }

    /// Sends the lineage event of one object, with real times.
    async fn tell(&self, work: &Work, began: Timestamp, report: Option<&Report>, error: Option<&str>) {
        let namespace = self.lineage.bucket();
        let path = &work.key.path;
        let raw = work.key.to_string();
        let transformed = path.transformed_key();
        let version = Some(work.object.info.etag.as_str());
        let input = Dataset { namespace, name: &raw, version, rows: report.map(|report| report.rows.read) };
        let rows = report.map(|report| report.rows.written);
        let output = Dataset { namespace, name: &transformed, version: None, rows };
        let event = lineage::LineageEvent { job: "transform", began, ended: Timestamp::now(), input, output, error };
        self.lineage.report(&event, &path.report_key()).await;
    }

    /// A watchlist that cannot be read is not a fault of the object: all objects wait until it is repaired.
    async fn settings(&self, key: &RawKey, metadata: &RawMetadata) -> Result<CleaningSettings, Setback> {
        let settings = match &self.watchlist {
            Some(watchlist) => watchlist.read().await?.cleaning_of(key, &metadata.form),
            None => CleaningSettings::without_watchlist(&metadata.form),
        };
        let settings = settings.map_err(|error| Failure::new("unknown_format", format!("{key}: {error}")))?;
        Ok(settings.in_zone(metadata.instrument.timezone.as_deref()))
    }

    /// Writes the report, the quarantine and the Parquet before the transformed object, so that they are complete when
    /// it wakes the loader. Each write requires that the object has not changed since it was read.
    async fn put_all(&self, work: &Work, outputs: Outputs, began: Timestamp) -> Result<Option<Settled>, Setback> {
        let Outputs { report, quarantine, columns, transformed } = outputs;
        let left_out = columns.as_ref().and_then(|columns| columns.left_out.clone());
        let Some(mut origin) = self.put_findings(work, &report, quarantine).await? else { return Ok(None) };
        if let Some(columns) = columns {
            let columns = NewObject::parquet(columns.bytes, origin.write());
            let etag = self.put(&work.key.path.columnar_key(), columns, &work.existing.columns).await?;
            let Some(etag) = etag else { return Ok(None) };
            origin.columnar_etag = Some(etag);
        }
        let transformed = NewObject::csv(transformed, origin.write());
        let condition = PutIf::still(work.existing.transformed.as_ref());
        if self.put(&work.key.path.transformed_key(), transformed, &condition).await?.is_none() {
            return Ok(None);
        }
        if let Some(newest) = self.newer_than(work).await? {
            return if newest == work.key { Ok(None) } else { self.make_of(&newest).await };
        }
        measure(&report);
        self.tell(work, began, Some(&report), None).await;
        self.alert_of_changes(work, &report).await;
        if let Some(value) = left_out {
            self.alert_of_columns(work, &value).await;
        }
        Ok(Some(Settled::Done))
    }

    /// Writes report and quarantine if they have something to say or if there are older ones, and returns the metadata
    /// of the transformed object; `None` if one of them changed meanwhile.
    async fn put_findings(
        &self,
        work: &Work,
        report: &Report,
        quarantine: Vec<u8>,
    ) -> Result<Option<TransformedMetadata>, Setback> {
        let path = &work.key.path;
        let existing = &work.existing;
        let mut origin = work.origin((self.now)()).with_report(report);
        if report.has_findings() || origin.report.is_none() || existing.report != PutIf::Absent {
            let json = serde_json::to_vec_pretty(report).map_err(anyhow::Error::from)?;
            let json = NewObject::json(json, Metadata::new());
            let Some(etag) = self.put(&path.report_key(), json, &existing.report).await? else { return Ok(None) };
            origin.report_etag = Some(etag);
        }
        if report.rows.quarantined_total() > 0 || existing.quarantine != PutIf::Absent {
            let rows = NewObject::csv(quarantine, Metadata::new());
            let Some(etag) = self.put(&path.quarantine_key(), rows, &existing.quarantine).await? else {
                return Ok(None);
            };
            origin.quarantine_etag = Some(etag);
        }
        Ok(Some(origin))
    }

    /// Writes an object and returns its entity tag; `None` if the condition was not met.
    async fn put(&self, key: &str, object: NewObject, condition: &PutIf) -> Result<Option<String>, Setback> {
        Ok(match self.store.put(key, object, condition.clone()).await? {
            Put::Written { etag } => Some(etag),
            Put::Changed => None,
        })
    }

    /// The raw object that the outputs must be made from instead, if there is one by now. An entity tag identifies
    /// content and not the time of a write, so an output that changed and changed back still meets the condition. The
    /// last writer therefore checks both objects that the output can be made from. The same content written again is
    /// a newer object. The first write of an output needs no check.
    async fn newer_than(&self, work: &Work) -> Result<Option<RawKey>, Setback> {
        if work.existing.transformed.is_none() {
            return Ok(None);
        }
        let twin = work.key.twin();
        let key = work.key.to_string();
        let twin_key = twin.to_string();
        let (own, other) = try_join!(self.store.head(&key), self.store.head(&twin_key))?;
        let read = &work.object.info;
        let is_another = |info: &ObjectInfo| (&info.etag, info.last_modified) != (&read.etag, read.last_modified);
        if own.as_ref().is_some_and(is_another) {
            return Ok(Some(work.key.clone()));
        }
        let is_newer = |info: &ObjectInfo| (self.written(info), &twin_key) > (work.written, &key);
        Ok(other.as_ref().is_some_and(is_newer).then_some(twin))
    }

    /// When an object was written, as far as its metadata can be read.
    fn written(&self, info: &ObjectInfo) -> Timestamp {
        let metadata = RawMetadata::read(&info.metadata);
        metadata.map_or(info.last_modified, |metadata| metadata.written(info.last_modified, self.trusts_first_written))
    }

    /// Sends an alert for each kind of change that cleaning made to more rows than the owner allows.
    async fn alert_of_changes(&self, work: &Work, report: &Report) {
        for (class, what, measured) in report.touched.each().filter(|(_, _, measured)| measured.passed) {
            let share = measured.share * 100.0;
            let most = measured.threshold * 100.0;
            let report = work.key.path.report_key();
            let text = format!("{share:.2} % was {what}, where {most:.2} % is allowed: see {report}");
            self.alert(work, class, text).await;
        }
    }

    /// Sends an alert that the Parquet has no rows, because it cannot hold a value.
    async fn alert_of_columns(&self, work: &Work, value: &str) {
        let columns = work.key.path.columnar_key();
        let text = format!("{columns} has no rows: {value}. The table and the clean CSV have all candles");
        self.alert(work, "columns", text).await;
    }

    async fn alert(&self, work: &Work, class: &str, text: String) {
        let path = &work.key.path;
        let alert = Alert::new(Kind::DirtyObject, path, text).class(class).series(Some(path.series.clone()));
        let alert = alert.key(Some(work.key.to_string())).run(work.metadata.run.clone());
        let alert = alert.traced(work.metadata.traceparent.map(|trace| trace.trace_id()));
        self.notifier.notify(alert.cause(format!("{path} {}", work.object.info.etag))).await;
    }
}

/// An object that no longer exists: settled if its transformed object exists, otherwise a permanent failure.
fn missing(key: &RawKey, existing: &Existing) -> Result<Settled, Failure> {
    match existing.transformed {
        Some(_) => Ok(Settled::Superseded("the object is gone; its transformed object stays".to_owned())),
        None => {
            Err(Failure::new("object_missing", format!("{key} was removed before it was read: put it there again")))
        }
    }
}

fn measure(report: &Report) {
    report.rows.quarantined.iter().for_each(|(reason, rows)| measures::quarantined(reason, *rows));
}
