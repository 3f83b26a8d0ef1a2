//! Reads the current object, loads it, and commits rows, ledger entry and run state in one transaction.

use std::sync::Arc;

use candlewick_shared::core::byte_size::ByteSize;
use candlewick_shared::core::clean_csv::{self, CleanCandles, NotClean};
use candlewick_shared::core::event::ObjectEvent;
use candlewick_shared::core::key::TransformedKey;
use candlewick_shared::core::lineage::{Dataset, LineageEvent};
use candlewick_shared::core::metadata::{Instrument, TransformedMetadata};
use candlewick_shared::core::report::Report;
use candlewick_shared::ports::clock::Now;
use candlewick_shared::ports::store::{Object, ObjectStore};
use candlewick_shared::runtime::compute::compute;
use candlewick_shared::runtime::lineage::Lineage;
use candlewick_shared::runtime::measures;
use candlewick_shared::runtime::memory::Memory;
use candlewick_shared::runtime::outcome::{Failure, Outcome, Setback, Settled};
use candlewick_shared::runtime::telemetry;
use jiff::Timestamp;
use sqlx::{Connection, PgConnection, PgPool};
use tracing::{Instrument as _, Span};

use crate::claim::{Claim, Counts};
use crate::connection::LoadConnection;
use crate::failure::DbContext;
use crate::ledger::{self, Entry, HistoryDays, Version};
use crate::settle::settle;
use crate::{lost, runs};

/// How many bytes of memory the parsed candles take for each byte of the object: a row has at least forty.
const MEMORY_PER_BYTE: u64 = 3;

/// The outcome of the work on an object. It is committed, whether the object was loaded or can never be.
type Loaded = Result<Settled, Failure>;

/// The object that an event points to, if it still exists, and the outcome of loading it.
struct Processed {
    object: Option<Object>,
    outcome: Loaded,
}

/// The handler of transformed objects.
#[derive(Clone)]
pub struct Loader {
    store: Arc<dyn ObjectStore>,
    pool: PgPool,
    now: Now,
    lineage: Lineage,
    memory: Memory,
    history_days: HistoryDays,
}

impl Loader {
    /// A handler that reads from one bucket and writes to one database.
    pub fn new(store: Arc<dyn ObjectStore>, pool: PgPool, now: Now) -> Self {
        let memory = Memory::new(ByteSize(1 << 30));
        Self { store, pool, now, lineage: Lineage::default(), memory, history_days: HistoryDays::default() }
    }

    /// Sets how long the changes of loads are kept.
    pub fn keeping_history(self, history_days: HistoryDays) -> Self {
        Self { history_days, ..self }
    }

    pub fn with_memory(self, memory: Memory) -> Self {
        Self { memory, ..self }
    }

    pub fn with_lineage(self, lineage: Lineage) -> Self {
        Self { lineage, ..self }
    }

    /// Loads the current object at the event's key, which need not be the object that the event was about.
    pub async fn handle(self, event: ObjectEvent) -> Outcome {
        let key: TransformedKey = event.key.parse().map_err(|error| Failure::new("bad_key", error))?;
        let began = Timestamp::now();
        let mut connection = LoadConnection::open(&self.pool).await?;
        let processed = self.process(connection.connection(), &key).await?;
        connection.end();
        if let Some(object) = processed.object {
            self.report_lineage(&key, &object, began, &processed.outcome).await;
        }
        Ok(processed.outcome?)
    }

    /// Processes the object in a transaction, which a setback rolls back.
    ///
    /// The object is read while the series is locked, so that of two loaders the later one reads the newer object.
    async fn process(&self, connection: &mut PgConnection, key: &TransformedKey) -> Result<Processed, Setback> {
        let mut transaction = connection.begin().await.db_context("begin a transaction")?;
        ledger::lock(&mut transaction, key, self.history_days).await?;
        let object = self.store.get_within(&key.to_string(), self.memory.bodies().bytes()).await?;
        let outcome = match &object {
            Some(object) => {
                let outcome = self.load(&mut transaction, key, object).await?;
                runs::record(&mut transaction, key, &object.info, &outcome).await?;
                outcome
            }
            None => missing(key, ledger::find(&mut transaction, key).await?),
        };
        transaction.commit().await.db_context("commit")?;
        Ok(Processed { object, outcome })
    }

    async fn load(
        &self,
        database: &mut PgConnection,
        key: &TransformedKey,
        object: &Object,
    ) -> Result<Loaded, Setback> {
        let entry = ledger::find_or_insert(&mut *database, key).await?;
        let origin = match TransformedMetadata::read(&object.info.metadata) {
            Ok(origin) => origin,
            Err(error) => {
                ledger::record_error(database, &entry, &error.to_string(), None).await?;
                return Ok(Err(Failure::new("bad_metadata", format!("{key}: {error}"))));
            }
        };
        let span = span(key, origin.as_ref());
        let version = Version { info: &object.info, origin: origin.as_ref() };
        self.load_version(database, key, &entry, &version, object).instrument(span).await
    }

    async fn load_version(
        &self,
        database: &mut PgConnection,
        key: &TransformedKey,
        entry: &Entry,
        version: &Version<'_>,
        object: &Object,
    ) -> Result<Loaded, Setback> {
        if version.is_loaded(entry) {
            return self.already_loaded(database, key, entry, version).await;
        }
        let size = object.info.size;
        let share = self.memory.take_for(&format!("{key}: an object of {size} bytes"), size * MEMORY_PER_BYTE).await;
        let _share = match share {
            Ok(share) => share,
            Err(failure) => return Ok(Err(failure)),
        };
        let text = object.body.clone();
        let series = key.path.series.clone();
        match compute(move || clean_csv::read(&text, &series)).await? {
            Ok(candles) => {
                self.write(database, key, entry, version, &candles).await?;
                Ok(Ok(Settled::Done))
            }
            Err(fault) => {
                ledger::record_error(database, entry, &fault.reason, Some((fault.line, fault.column))).await?;
                Ok(Err(not_clean(key, &fault, version.origin)))
            }
        }
    }

    async fn already_loaded(
        &self,
        database: &mut PgConnection,
        key: &TransformedKey,
        entry: &Entry,
        version: &Version<'_>,
    ) -> Result<Loaded, Setback> {
        if entry.has_failed {
            ledger::clear_error(&mut *database, entry).await?;
        }
        self.store_report(database, key, entry, version.origin).await?;
        Ok(Ok(Settled::Superseded("this version is already loaded".to_owned())))
    }

    async fn write(
        &self,
        database: &mut PgConnection,
        key: &TransformedKey,
        entry: &Entry,
        version: &Version<'_>,
        candles: &CleanCandles,
    ) -> Result<(), Setback> {
        let claim = Claim {
            object: entry.id,
            key,
            raw_written: version.raw_written(),
            before: version.before(entry),
            candles: &candles.candles,
        };
        let counts = settle(&mut *database, claim).await?;
        let now = (self.now)();
        if let Some(lost) = counts.lost {
            tracing::warn!(%key, ?lost, "real candles were lost");
            lost::record(&mut *database, entry, version, lost, now).await?;
        }
        ledger::record_loaded(&mut *database, entry, version, candles, counts, now).await?;
        self.store_report(&mut *database, key, entry, version.origin).await?;
        let instrument = version.origin.map_or_else(Instrument::default, |origin| origin.instrument.clone());
        ledger::store_instrument(database, key, &instrument, now).await?;
        measure(counts);
        tracing::info!(%key, ?counts, "loaded");
        Ok(())
    }

    /// Stores the cleaning report of this version.
    ///
    /// A report object may belong to another cleaning, because it is written before the transformed object. In that
    /// case the transformed object is about to be written too, and its event leads here again.
    async fn store_report(
        &self,
        database: &mut PgConnection,
        key: &TransformedKey,
        entry: &Entry,
        origin: Option<&TransformedMetadata>,
    ) -> Result<(), Setback> {
        let Some(origin) = origin else { return Ok(()) };
        if let Some(report) = &origin.report {
            return Ok(ledger::store_report(database, entry, report).await?);
        }
        match self.read_report(key).await? {
            Some(report) if report.source.etag == origin.raw_etag => {
                Ok(ledger::store_report(database, entry, &report).await?)
            }
            _ => Ok(()),
        }
    }

    /// The object's report object, if there is one that can be read.
    async fn read_report(&self, key: &TransformedKey) -> Result<Option<Report>, Setback> {
        let Some(object) = self.store.get(&key.path.report_key()).await? else { return Ok(None) };
        match serde_json::from_slice(&object.body) {
            Ok(report) => Ok(Some(report)),
            Err(error) => {
                tracing::warn!(key = key.path.report_key(), "skipping an unreadable report: {error}");
                Ok(None)
            }
        }
    }

    /// Reports the work as a lineage event, with times of the machine's clock.
    async fn report_lineage(&self, key: &TransformedKey, object: &Object, began: Timestamp, outcome: &Loaded) {
        let error = match outcome {
            Ok(Settled::Superseded(_) | Settled::Unseen(_)) => return,
            Ok(Settled::Done) => None,
            Err(failure) => Some(failure.message.as_str()),
        };
        let options = self.pool.connect_options();
        let name = key.to_string();
        let namespace = format!("postgres://{}:{}", options.get_host(), options.get_port());
        let table = format!("{}.public.candles", options.get_database().unwrap_or_default());
        let version = Some(object.info.etag.as_str());
        let input = Dataset { namespace: self.lineage.bucket(), name: &name, version, rows: None };
        let output = Dataset { namespace: &namespace, name: &table, version: None, rows: None };
        let event = LineageEvent { job: "load", began, ended: Timestamp::now(), input, output, error };
        self.lineage.report(&event, &key.path.report_key()).await;
    }
}

/// The span of loading an object, in the trace that fetched it.
fn span(key: &TransformedKey, origin: Option<&TransformedMetadata>) -> Span {
    let trace = origin.and_then(|origin| origin.traceparent);
    let run = origin.and_then(|origin| origin.run.as_deref());
    let trace_id = trace.map(|trace| trace.trace_id());
    telemetry::follow(tracing::info_span!("load", %key, run, trace_id, db.system.name = "postgresql"), trace)
}

fn measure(counts: Counts) {
    measures::candles("inserted", counts.inserted);
    measures::candles("updated", counts.updated);
    measures::candles("unchanged", counts.unchanged);
    measures::candles("removed", counts.removed);
}

/// A removed object needs nothing if it was loaded; otherwise it can never be loaded.
fn missing(key: &TransformedKey, entry: Option<Entry>) -> Loaded {
    match entry {
        Some(Entry { loaded: Some(_), .. }) => {
            Ok(Settled::Superseded("the object was removed; its candles stay loaded".to_owned()))
        }
        _ => Err(Failure::new(
            "object_missing",
            format!("{key} was removed before it was loaded: put its raw object again"),
        )),
    }
}

fn not_clean(key: &TransformedKey, fault: &NotClean, origin: Option<&TransformedMetadata>) -> Failure {
    let trace_id = origin.and_then(|origin| origin.traceparent).map(|trace| trace.trace_id());
    Failure::new("unreadable_object", format!("{key}: {fault}")).traced(trace_id)
}
