//! Get, decide, put: all of it in one transaction.

use std::sync::Arc;

use candlewick_shared::core::byte_size::ByteSize;
use candlewick_shared::core::clean_csv::{self, CleanCandles, NotClean};
use candlewick_shared::core::event::ObjectEvent;
use candlewick_shared::core::key::TransformedKey;
use candlewick_shared::core::lineage::{Dataset, Work};
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

use crate::claim::{self, Claim, Counts};
use crate::failure::During;
use crate::ledger::{self, Entry, Version};
use crate::session::Session;
use crate::{lost, runs};

/// How much memory the candles of an object take for each byte of it: a row has at least forty.
const FOR_A_BYTE: u64 = 3;

/// The handler of clean objects.
#[derive(Clone)]
pub struct Loader {
    store: Arc<dyn ObjectStore>,
    pool: PgPool,
    now: Now,
    lineage: Lineage,
    memory: Memory,
}

impl Loader {
    /// A handler that reads from one bucket and writes to one database.
    pub fn new(store: Arc<dyn ObjectStore>, pool: PgPool, now: Now) -> Self {
        Self { store, pool, now, lineage: Lineage::default(), memory: Memory::new(ByteSize(1 << 30)) }
    }

    /// The same, with a share of that memory.
    pub fn with_memory(self, memory: Memory) -> Self {
        Self { memory, ..self }
    }

    /// The same, telling what was made of what.
    pub fn with_lineage(self, lineage: Lineage) -> Self {
        Self { lineage, ..self }
    }

    /// Brings the table to what the object that now stands at the event's key says.
    ///
    /// The object is read under the series' lock, so that of two loaders the later one has the later object; the ledger's
    /// row commits with the candles.
    pub async fn handle(self, event: ObjectEvent) -> Outcome {
        let key: TransformedKey = event.key.parse().map_err(|error| Failure::new("bad_key", error))?;
        let began = Timestamp::now();
        let mut session = Session::open(&self.pool).await?;
        let (object, outcome) = self.look(session.connection(), &key).await?;
        session.end();
        if let Some(object) = object {
            self.tell(&key, &object, began, &outcome).await;
        }
        Ok(outcome?)
    }

    /// Looks at the object within a transaction. The inner result is that of the work, and is committed; the outer one is
    /// that of the tools, and rolls back.
    async fn look(
        &self,
        connection: &mut PgConnection,
        key: &TransformedKey,
    ) -> Result<(Option<Object>, Result<Settled, Failure>), Setback> {
        let mut transaction = connection.begin().await.during("begin a transaction")?;
        ledger::lock(&mut transaction, key).await?;
        let object = self.store.get_within(&key.to_string(), self.memory.bodies().bytes()).await?;
        let outcome = match &object {
            Some(object) => {
                let outcome = self.load(&mut transaction, key, object).await?;
                runs::tell(&mut transaction, key, &object.info, &outcome).await?;
                outcome
            }
            None => missing(key, ledger::find(&mut transaction, key).await?),
        };
        transaction.commit().await.during("commit")?;
        Ok((object, outcome))
    }

    /// Tells the lineage of one piece of work, by the machine's time.
    async fn tell(&self, key: &TransformedKey, object: &Object, began: Timestamp, outcome: &Result<Settled, Failure>) {
        let error = match outcome {
            Ok(Settled::Superseded(_) | Settled::Unseen(_)) => return,
            Ok(Settled::Done) => None,
            Err(failure) => Some(failure.message.as_str()),
        };
        let options = self.pool.connect_options();
        let namespace = format!("postgres://{}:{}", options.get_host(), options.get_port());
        let name = key.to_string();
        let table = format!("{}.public.candles", options.get_database().unwrap_or_default());
        let version = Some(object.info.etag.as_str());
        let input = Dataset { namespace: self.lineage.bucket(), name: &name, version, rows: None };
        let output = Dataset { namespace: &namespace, name: &table, version: None, rows: None };
        let work = Work { job: "load", began, ended: Timestamp::now(), input, output, error };
        self.lineage.tell(&work, &key.path.report_key()).await;
    }

    /// The results are those of [`Self::look`].
    async fn load(
        &self,
        database: &mut PgConnection,
        key: &TransformedKey,
        object: &Object,
    ) -> Result<Result<Settled, Failure>, Setback> {
        let entry = ledger::find_or_make(&mut *database, key).await?;
        let origin = match TransformedMetadata::read(&object.info.metadata) {
            Ok(origin) => origin,
            Err(error) => {
                ledger::failed(database, &entry, &error.to_string(), None).await?;
                return Ok(Err(Failure::new("bad_metadata", format!("{key}: {error}"))));
            }
        };
        let span = span(key, origin.as_ref());
        let version = Version { info: &object.info, origin: origin.as_ref() };
        self.bring(database, key, &entry, &version, object).instrument(span).await
    }

    /// Brings the table to a version of an object.
    async fn bring(
        &self,
        database: &mut PgConnection,
        key: &TransformedKey,
        entry: &Entry,
        version: &Version<'_>,
        object: &Object,
    ) -> Result<Result<Settled, Failure>, Setback> {
        if version.is_loaded(entry) {
            if entry.has_failed {
                ledger::mended(&mut *database, entry).await?;
            }
            self.keep_report(database, key, entry, version.origin).await?;
            return Ok(Ok(Settled::Superseded("this version is loaded already".to_owned())));
        }
        let size = object.info.size;
        let share = self.memory.take_for(&format!("{key}: an object of {size} bytes"), size * FOR_A_BYTE).await;
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
                ledger::failed(database, entry, &fault.reason, Some((fault.line, fault.column))).await?;
                Ok(Err(not_clean(key, &fault, version.origin)))
            }
        }
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
        let counts = claim::settle(&mut *database, claim).await?;
        let now = (self.now)();
        if let Some(lost) = counts.lost {
            tracing::warn!(%key, ?lost, "real candles are gone");
            lost::note(&mut *database, entry, version, lost, now).await?;
        }
        ledger::loaded(&mut *database, entry, version, candles, counts, now).await?;
        self.keep_report(&mut *database, key, entry, version.origin).await?;
        let instrument = version.origin.map_or_else(Instrument::default, |origin| origin.instrument.clone());
        ledger::instrument(database, key, &instrument, now).await?;
        measure(counts);
        tracing::info!(%key, ?counts, "loaded");
        Ok(())
    }

    /// Keeps the report on the cleaning that made this version.
    ///
    /// The report that stands in the bucket may be of another cleaning, because it is written before the clean object is:
    /// then somebody is about to write the clean object, for which this is done again.
    async fn keep_report(
        &self,
        database: &mut PgConnection,
        key: &TransformedKey,
        entry: &Entry,
        origin: Option<&TransformedMetadata>,
    ) -> Result<(), Setback> {
        let Some(origin) = origin else { return Ok(()) };
        match self.report(key).await? {
            Some(report) if report.source.etag == origin.raw_etag => {
                Ok(ledger::report(database, entry, &report).await?)
            }
            _ => Ok(()),
        }
    }

    /// The report that stands beside the object; none where there is none that can be read.
    async fn report(&self, key: &TransformedKey) -> Result<Option<Report>, Setback> {
        let Some(object) = self.store.get(&key.path.report_key()).await? else { return Ok(None) };
        match serde_json::from_slice(&object.body) {
            Ok(report) => Ok(Some(report)),
            Err(error) => {
                tracing::warn!(key = key.path.report_key(), "the report cannot be read, and is not kept: {error}");
                Ok(None)
            }
        }
    }
}

/// What is done for the candles of an object, on the trace that came with it.
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

/// An object that is gone: settled if it was loaded, and otherwise work that can never be done.
fn missing(key: &TransformedKey, entry: Option<Entry>) -> Result<Settled, Failure> {
    match entry {
        Some(Entry { loaded: Some(_), .. }) => {
            Ok(Settled::Superseded("the object is gone; what it said stays loaded".to_owned()))
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
