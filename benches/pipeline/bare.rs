//! The floor: the calls that the services make for a file, with nothing between them. What is written is known beforehand,
//! nothing is checked, and what fails ends the measurement.

use std::sync::Arc;
use std::time::Duration;

use candlewick_loader::binary::{COLUMNS, Frame, HEADER, TRAILER};
use candlewick_shared::adapters::s3::S3Store;
use candlewick_shared::adapters::sqs::SqsQueue;
use candlewick_shared::core::clean_csv;
use candlewick_shared::core::event::{self, Notification};
use candlewick_shared::core::key::Series;
use candlewick_shared::ports::queue::{BATCH, Message, Queue};
use candlewick_shared::ports::store::{ObjectStore, PutIf};
use sqlx::PgPool;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::Extent;
use crate::drops::{self, Measured};
use crate::files::{self, Sample};
use crate::processes::Processes;
use crate::support::Environment;

/// How many receive from each queue at once.
const RECEIVERS: usize = 2;

const LEASE: Duration = Duration::from_secs(30);

/// The floor.
pub struct Bare(Arc<Hops>);

/// What the two hops need.
struct Hops {
    store: S3Store,
    pool: PgPool,
    sample: Sample,
}

#[derive(Clone, Copy)]
enum Hop {
    Transform,
    Load,
}

impl Bare {
    pub fn new(environment: &Environment, sample: Sample) -> Self {
        let hops = Hops { store: environment.store(), pool: environment.running.pool.clone(), sample };
        Self(Arc::new(hops))
    }

    /// Measures a round with bare loops in place of the services.
    pub async fn drop(&self, environment: &Environment, round: &str, extent: &Extent) -> Measured {
        let stop = CancellationToken::new();
        let mut receivers = JoinSet::new();
        for _ in 0..RECEIVERS {
            for (variable, hop) in [("RAW_QUEUE_URL", Hop::Transform), ("TRANSFORMED_QUEUE_URL", Hop::Load)] {
                let hops = Arc::clone(&self.0);
                let queue = environment.queue(variable);
                receivers.spawn(stop.clone().run_until_cancelled_owned(async move { hops.serve(&queue, hop).await }));
            }
        }
        let measured = drops::measure(environment, round, extent, &Processes::own()).await;
        environment.settle().await;
        stop.cancel();
        receivers.join_all().await;
        measured
    }
}

impl Hops {
    async fn serve(self: Arc<Self>, queue: &SqsQueue, hop: Hop) {
        loop {
            let messages = queue.receive(BATCH, LEASE).await.unwrap();
            let works: JoinSet<()> =
                messages.iter().map(|message| Arc::clone(&self).one(symbol(message), hop)).collect();
            works.join_all().await;
            if !messages.is_empty() {
                let receipts: Vec<_> = messages.into_iter().map(|message| message.receipt).collect();
                queue.delete(&receipts).await.unwrap();
            }
        }
    }

    async fn one(self: Arc<Self>, symbol: String, hop: Hop) {
        match hop {
            Hop::Transform => self.transform(&symbol).await,
            Hop::Load => self.load(&symbol).await,
        }
    }

    async fn transform(&self, symbol: &str) {
        let raw = files::key("raw", symbol, "csv");
        let clean = files::key("transformed", symbol, "csv");
        assert!(self.store.head(&clean).await.unwrap().is_none());
        self.store.get(&raw).await.unwrap().unwrap();
        let columns = files::key("columnar", symbol, "parquet");
        self.store.put(&columns, self.sample.columns(), PutIf::still(None)).await.unwrap();
        self.store.put(&clean, self.sample.clean(symbol), PutIf::still(None)).await.unwrap();
    }

    async fn load(&self, symbol: &str) {
        let mut transaction = self.pool.begin().await.unwrap();
        let lock = sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))").bind(symbol);
        lock.execute(&mut *transaction).await.unwrap();
        let key = files::key("transformed", symbol, "csv");
        let object = self.store.get(&key).await.unwrap().unwrap();
        let find = sqlx::query("select id, etag from objects where key = $1").bind(&key);
        assert!(find.fetch_optional(&mut *transaction).await.unwrap().is_none());
        let open =
            sqlx::query_scalar("insert into objects (key, symbol, interval) values ($1, $2, '1day') returning id");
        let id: i64 = open.bind(&key).bind(symbol).fetch_one(&mut *transaction).await.unwrap();
        let company = "select exists (select from objects where symbol = $1 and interval = '1day' and id <> $2)";
        sqlx::query(company).bind(symbol).bind(id).fetch_one(&mut *transaction).await.unwrap();
        let statement = format!("copy candles (symbol, interval, {COLUMNS}, object_id) from stdin (format binary)");
        let mut copy = transaction.copy_in_raw(&statement).await.unwrap();
        copy.send(self.rows(symbol, id)).await.unwrap();
        copy.finish().await.unwrap();
        let note =
            "update objects set etag = 'x', loaded_at = now(), rows_total = $2, first_time = now() where id = $1";
        sqlx::query(note).bind(id).bind(files::DAYS as i64).execute(&mut *transaction).await.unwrap();
        let report = &object.info.metadata["report"];
        let keep =
            "insert into quality (object_id, rows_read, kept, filled, quarantined, report) values ($1, 0, 0, 0, 0, $2)";
        let report: serde_json::Value = serde_json::from_str(report).unwrap();
        sqlx::query(keep).bind(id).bind(report).execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// The rows as `COPY` takes them.
    fn rows(&self, symbol: &str, id: i64) -> Vec<u8> {
        let series = Series { symbol: symbol.parse().unwrap(), interval: "1day".parse().unwrap() };
        let clean = clean_csv::read(&self.sample.body(symbol), &series).unwrap();
        let frame = Frame::default().text_before(symbol).text_before("1day").bigint_after(id);
        let mut rows = HEADER.to_vec();
        clean.candles.iter().for_each(|candle| frame.put(&mut rows, candle));
        rows.extend(TRAILER);
        rows
    }
}

/// The symbol whose object a message is about.
fn symbol(message: &Message) -> String {
    let Ok(Notification::Objects(events)) = event::parse(&message.body) else { panic!("no event: {}", message.body) };
    let behind = events[0].key.split("symbol=").nth(1).unwrap();
    behind.split('/').next().unwrap().to_owned()
}
