//! Raw files of days, and what cleaning makes of one.

use std::fmt::Write;

use candlewick_shared::core::metadata::Metadata;
use candlewick_shared::ports::store::{NewObject, Object, ObjectStore, PutIf};
use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use crate::drops;
use crate::support::Environment;

/// How many days a file has.
pub const DAYS: usize = 1260;

/// The symbol of the sample; what is written of it becomes that of another by its name alone.
const SAMPLE: &str = "SAMPLE";

/// What Candlewick writes for one raw file.
#[derive(Clone)]
pub struct Sample {
    clean: Object,
    columns: Object,
}

/// The raw file of a symbol: weekdays, the newest first, as the API gives them.
pub fn raw(symbol: &str) -> Vec<u8> {
    let mut seed = symbol.bytes().fold(7_i64, |seed, byte| (seed * 31 + i64::from(byte)) % 1_000_003);
    let mut day: Date = "2024-12-27".parse().unwrap();
    let mut text = "datetime,open,high,low,close,volume\n".to_owned();
    let mut cents = 15_000_i64;
    for _ in 0..DAYS {
        while matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
            day = day.checked_sub(1.day()).unwrap();
        }
        seed = (seed * 48_271) % 2_147_483_647;
        let open = cents;
        cents = (cents + seed % 61 - 30).max(1000);
        let high = open.max(cents) + seed % 20;
        let low = open.min(cents) - seed % 17;
        let [open, high, low, close] =
            [open, high, low, cents].map(|cents| format!("{}.{:02}", cents / 100, cents % 100));
        writeln!(text, "{day},{open},{high},{low},{close},{}", 100_000 + seed % 900_000).unwrap();
        day = day.checked_sub(1.day()).unwrap();
    }
    text.into_bytes()
}

pub fn key(prefix: &str, symbol: &str, extension: &str) -> String {
    format!("{prefix}/interval=1day/symbol={symbol}/candles.{extension}")
}

pub async fn put_raw(store: &dyn ObjectStore, symbol: &str, body: Vec<u8>) {
    let object = NewObject::csv(body, Metadata::new());
    store.put(&key("raw", symbol, "csv"), object, PutIf::Always).await.unwrap();
}

/// Sends one file through the services.
pub async fn sample(environment: &Environment) -> Sample {
    let store = environment.store();
    put_raw(&store, SAMPLE, raw(SAMPLE)).await;
    drops::until_loaded(&environment.running.pool, SAMPLE, 1).await;
    let get = async |prefix, extension| store.get(&key(prefix, SAMPLE, extension)).await.unwrap().unwrap();
    Sample { clean: get("transformed", "csv").await, columns: get("columnar", "parquet").await }
}

impl Sample {
    pub fn clean(&self, symbol: &str) -> NewObject {
        NewObject::csv(renamed(&self.clean.body, symbol), self.clean.info.metadata.clone())
    }

    /// The Parquet of the sample: its bytes name another symbol, and are as many.
    pub fn columns(&self) -> NewObject {
        NewObject::parquet(self.columns.body.to_vec(), self.columns.info.metadata.clone())
    }

    /// The clean CSV, for its rows.
    pub fn body(&self, symbol: &str) -> Vec<u8> {
        renamed(&self.clean.body, symbol)
    }
}

fn renamed(body: &[u8], symbol: &str) -> Vec<u8> {
    String::from_utf8_lossy(body).replace(SAMPLE, symbol).into_bytes()
}
