//! Compares one series: merges its objects in step with its rows.

use std::pin::pin;

use anyhow::bail;
use bytes::Bytes;
use candlewick_shared::adapters::s3::S3Store;
use candlewick_shared::core::candle::{Candle, CandleTime};
use candlewick_shared::core::clean_csv::{self, NotClean};
use candlewick_shared::core::key::{KeyError, Series, TransformedKey};
use candlewick_shared::core::metadata::TransformedMetadata;
use candlewick_shared::ports::store::{Object, ObjectStore};
use futures::TryStreamExt;
use sqlx::PgPool;

use super::columns;
use super::compare::{Difference, DifferenceKind, Pair};
use super::objects::SeriesObjects;
use super::table;
use super::union::{Owner, Step, Union};

/// How many bytes of an object are read to find its first time: enough for the header and a row.
const BEGINNING: u64 = 1024;

#[derive(Debug, Default)]
pub struct Comparison {
    /// Candles in the objects.
    pub candles: u64,
    /// All differences.
    pub differences: u64,
    /// The first differences, up to the limit.
    pub shown: Vec<Difference>,
}

/// The object that prevents the comparison of its series.
struct Unreadable {
    key: String,
    reason: String,
}

type Compared = Result<Comparison, Unreadable>;

/// Compares a series. The result contains up to `most` differences.
pub async fn compare(store: &S3Store, pool: &PgPool, group: &SeriesObjects, most: usize) -> anyhow::Result<Comparison> {
    Ok(match merge(store, pool, group, most).await? {
        Ok(comparison) => comparison,
        Err(Unreadable { key, reason }) => {
            let symbol = group.symbol.clone();
            let interval = group.interval.clone();
            let time = None;
            let column = None;
            let found = None;
            let kind = DifferenceKind::Unreadable;
            let expected = Some(reason);
            let shown = vec![Difference { symbol, interval, time, kind, column, expected, found, object: key }];
            Comparison { candles: 0, differences: 1, shown }
        }
    })
}

async fn merge(store: &S3Store, pool: &PgPool, group: &SeriesObjects, most: usize) -> anyhow::Result<Compared> {
    let mut objects = match Objects::begin(store, &group.keys).await? {
        Ok(objects) => objects,
        Err(unreadable) => return Ok(Err(unreadable)),
    };
    let mut rows = pin!(table::rows(pool, &group.symbol, &group.interval));
    let mut comparison = Comparison::default();
    let mut row = rows.try_next().await?;
    let mut candle = None;
    let mut wants_candle = true;
    loop {
        if wants_candle {
            candle = match objects.next().await? {
                Ok(candle) => candle,
                Err(unreadable) => return Ok(Err(unreadable)),
            };
            comparison.candles += u64::from(candle.is_some());
        }
        let Some(pair) = Pair::next(candle.as_ref(), row.as_ref()) else {
            comparison.add(objects.columns, most);
            return Ok(Ok(comparison));
        };
        comparison.add(pair.differences(&group.symbol, &group.interval), most);
        wants_candle = !matches!(pair, Pair::Found(_));
        if !matches!(pair, Pair::Expected(..)) {
            row = rows.try_next().await?;
        }
    }
}

impl Comparison {
    fn add(&mut self, differences: Vec<Difference>, most: usize) {
        self.differences += differences.len() as u64;
        let room = most.saturating_sub(self.shown.len());
        self.shown.extend(differences.into_iter().take(room));
    }
}

/// Opens the objects of a series when their union asks for them.
struct Objects<'a> {
    store: &'a S3Store,
    union: Union,
    /// The differences between the opened objects and their Parquet.
    columns: Vec<Difference>,
}

impl<'a> Objects<'a> {
    async fn begin(store: &'a S3Store, keys: &[String]) -> anyhow::Result<Result<Self, Unreadable>> {
        let mut beginnings = Vec::new();
        for key in keys {
            let Some(text) = store.beginning(key, BEGINNING).await? else { continue };
            match first_time(key, &text) {
                Ok(Some(time)) => beginnings.push((time, key.clone())),
                Ok(None) => {}
                Err(reason) => return Ok(Err(Unreadable { key: key.clone(), reason })),
            }
        }
        Ok(Ok(Self { store, union: Union::new(beginnings), columns: Vec::new() }))
    }

    async fn next(&mut self) -> anyhow::Result<Result<Option<(Candle, Owner)>, Unreadable>> {
        loop {
            match self.union.step() {
                Step::End => return Ok(Ok(None)),
                Step::Candle(candle, owner) => return Ok(Ok(Some((candle, owner)))),
                Step::Open(key) => {
                    let Some(object) = self.store.get(&key).await? else {
                        bail!("{key} was deleted during the comparison: run verify again");
                    };
                    match read(&object) {
                        Ok(Read { key, origin, owner, candles }) => {
                            self.columns
                                .extend(columns::difference(self.store, &key, origin.as_ref(), &candles).await?);
                            self.union.open(owner, candles);
                        }
                        Err(reason) => return Ok(Err(Unreadable { key: key.to_string(), reason })),
                    }
                }
            }
        }
    }
}

/// Reads the time of an object's first candle from its beginning; `None` if it has no candle.
fn first_time(key: &str, beginning: &Bytes) -> Result<Option<CandleTime>, String> {
    let series = series_of(key)?;
    let whole_lines = beginning.split_inclusive(|byte| *byte == b'\n').take(2).collect::<Vec<_>>().concat();
    let clean = clean_csv::read(&whole_lines, &series).map_err(|error| error.to_string())?;
    Ok(clean.candles.first().map(|candle| candle.time))
}

/// A transformed object that was read.
struct Read {
    key: TransformedKey,
    origin: Option<TransformedMetadata>,
    owner: Owner,
    candles: Vec<Candle>,
}

fn read(object: &Object) -> Result<Read, String> {
    let key: TransformedKey = object.info.key.parse().map_err(|error: KeyError| error.to_string())?;
    let origin = TransformedMetadata::read(&object.info.metadata).map_err(|error| error.to_string())?;
    let raw_written = origin.as_ref().map_or(object.info.last_modified, |origin| origin.raw_written);
    let clean = clean_csv::read(&object.body, &key.path.series).map_err(|error: NotClean| error.to_string())?;
    let owner = Owner { raw_written, key: object.info.key.as_str().into() };
    Ok(Read { key, origin, owner, candles: clean.candles })
}

fn series_of(key: &str) -> Result<Series, String> {
    key.parse::<TransformedKey>().map(|key| key.path.series).map_err(|error| error.to_string())
}
