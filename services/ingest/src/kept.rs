//! What the bucket has of a series already.

use std::collections::BTreeSet;

use candlewick_shared::core::key::{Month, ObjectPath, Part, RawKey, Series};
use candlewick_shared::core::metadata::{Metadata, RawMetadata};
use candlewick_shared::core::raw_csv::{self, SourceRow};
use candlewick_shared::ports::store::ObjectStore;
use candlewick_shared::runtime::outcome::Setback;
use csv::ByteRecord;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::plan::Kept;

/// Whose objects these are. Those of another hand say nothing about what the API has.
pub const SOURCE: &str = "twelvedata";

/// The name under which an object of an intraday series keeps the date of the series' oldest candle.
pub const EARLIEST: &str = "earliest";

/// The name under which an object that was fetched anew because of a split keeps when the month was fetched that showed it.
pub const ANEW: &str = "anew-since";

/// The name under which it keeps the months that the API had no candle of: `2022-03 2022-04`.
const VACANT: &str = "vacant-months";

/// How many of them are kept: S3 has room for 2 KB of such things. Others are asked for again.
const MOST_VACANT: usize = 100;

/// A raw object that ingest wrote.
#[derive(Clone, Debug)]
pub struct KeptObject {
    /// The run that fetched it.
    pub run: Option<String>,
    /// When it was fetched.
    pub fetched_at: Timestamp,
    /// What it holds.
    pub rows: Vec<SourceRow>,
}

/// The months of an intraday series that ingest wrote, oldest first.
///
/// # Errors
/// A store that does not answer.
pub async fn months(store: &dyn ObjectStore, series: &Series) -> Result<Vec<Kept>, Setback> {
    let mut months = Vec::new();
    for info in store.list(&folder(series)).await? {
        let Ok(RawKey { path: ObjectPath { part: Part::Month(month), .. }, gzip: false }) = info.key.parse() else {
            continue;
        };
        let Some(info) = store.head(&info.key).await? else { continue };
        if let Some((run, fetched_at)) = origin(&info.metadata) {
            let (earliest, vacant) = (earliest(&info.metadata), vacant(&info.metadata));
            let anew = info.metadata.get(ANEW).and_then(|since| since.parse().ok());
            months.push(Kept { month, run, fetched_at, earliest, vacant, anew });
        }
    }
    months.sort_by_key(|kept| kept.month);
    Ok(months)
}

/// The object at a path, if ingest wrote it and it can still be read.
///
/// # Errors
/// A store that does not answer.
pub async fn object(store: &dyn ObjectStore, path: &ObjectPath) -> Result<Option<KeptObject>, Setback> {
    let key = path.raw_key();
    let Some(object) = store.get(&key).await? else { return Ok(None) };
    let Some((run, fetched_at)) = origin(&object.info.metadata) else { return Ok(None) };
    match rows(&object.body) {
        Ok(rows) => Ok(Some(KeptObject { run, fetched_at, rows })),
        Err(error) => {
            tracing::warn!(key, "not as it was written, and fetched anew: {error:#}");
            Ok(None)
        }
    }
}

/// The run and the time of an object that ingest wrote; none of one that another hand did, or that nobody can place.
fn origin(metadata: &Metadata) -> Option<(Option<String>, Timestamp)> {
    let metadata = RawMetadata::read(metadata).ok().filter(|read| read.source.as_deref() == Some(SOURCE))?;
    Some((metadata.run, metadata.fetched_at?))
}

fn earliest(metadata: &Metadata) -> Option<Date> {
    metadata.get(EARLIEST)?.parse().ok()
}

fn vacant(metadata: &Metadata) -> BTreeSet<Month> {
    let text = metadata.get(VACANT).map(String::as_str).unwrap_or_default();
    text.split(' ').filter_map(|month| format!("{month}-01").parse().ok()).map(Month::of).collect()
}

/// What stands beside an object of the months with no candle, where there are any.
#[must_use]
pub fn vacant_entry(months: &BTreeSet<Month>) -> Option<(String, String)> {
    let names: Vec<_> = months.iter().take(MOST_VACANT).map(Month::to_string).collect();
    (!names.is_empty()).then(|| (VACANT.to_owned(), names.join(" ")))
}

/// Where all raw objects of a series lie.
fn folder(series: &Series) -> String {
    let key = ObjectPath::whole(series.clone()).raw_key();
    key.rsplit_once('/').map(|(folder, _)| format!("{folder}/")).unwrap_or(key)
}

fn rows(body: &[u8]) -> anyhow::Result<Vec<SourceRow>> {
    let (header, mut reader) = raw_csv::open(body)?;
    let row = |record: ByteRecord| {
        let cell = |at: usize| String::from_utf8_lossy(record.get(at).unwrap_or_default()).into_owned();
        SourceRow { datetime: cell(header.time), prices: header.prices.map(cell), volume: header.volume.map(cell) }
    };
    Ok(reader.byte_records().map(|record| record.map(row)).collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_as_they_were_written() {
        let row = |volume: Option<&str>| SourceRow {
            datetime: "2024-12-30 14:30:00".to_owned(),
            prices: ["252.230", "253.5", "", "252.20001"].map(str::to_owned),
            volume: volume.map(str::to_owned),
        };
        for written in [vec![row(Some("35557500")), row(Some(""))], vec![row(None)], vec![]] {
            assert_eq!(rows(&raw_csv::write(&written).unwrap()).unwrap(), written);
        }
    }
}
