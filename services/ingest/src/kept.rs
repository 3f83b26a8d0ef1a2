//! What the bucket has of a series already.

use std::collections::BTreeSet;

use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::{Month, ObjectPath, Part, RawKey, Series};
use candlewick_shared::core::metadata::{Instrument, Metadata, RawMetadata};
use candlewick_shared::core::raw_csv::{self, SourceRow};
use candlewick_shared::core::symbol::Symbol;
use candlewick_shared::ports::store::{Object, ObjectStore, PutIf};
use candlewick_shared::runtime::outcome::Setback;
use csv::ByteRecord;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::plan::Kept;
use crate::stored;

/// Whose objects these are. Those of another hand say nothing about what the API has.
pub const SOURCE: &str = "twelvedata";

/// The name under which an object of an intraday series keeps the date of the series' oldest candle.
pub const EARLIEST: &str = "earliest";

/// The name under which an object that was fetched anew because of a split keeps when the month was fetched that showed it.
pub const ANEW: &str = "anew-since";

/// The name under which an object keeps the losses that it shows: when the source last gave what it lacks, of each.
const SHRANK: &str = "shrank";

/// How many of them are kept, for the same reason.
const MOST_LOSSES: usize = 20;

/// The name under which it keeps the months that the API had no candle of: `2022-03 2022-04`.
const VACANT: &str = "vacant-months";

/// How many of them are kept: S3 has room for 2 KB of such things. Others are asked for again.
const MOST_VACANT: usize = 100;

/// What is kept of a part of a series: a raw object that ingest wrote, or the candles that a file of somebody's became.
#[derive(Clone, Debug)]
pub struct KeptObject {
    /// Whether it is from somebody's hand.
    pub is_by_hand: bool,
    /// The run that fetched it.
    pub run: Option<String>,
    /// When it was fetched.
    pub fetched_at: Timestamp,
    /// What the source said of the instrument.
    pub instrument: Instrument,
    /// The losses that the owner heard of, by when the source last gave what is lost.
    pub shrank: BTreeSet<Timestamp>,
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
        if let Some(Origin { run, fetched_at, instrument }) = origin(&info.metadata) {
            let (earliest, vacant) = (earliest(&info.metadata), vacant(&info.metadata));
            let anew = info.metadata.get(ANEW).and_then(|since| since.parse().ok());
            months.push(Kept { month, run, fetched_at, instrument, earliest, vacant, anew });
        }
    }
    months.sort_by_key(|kept| kept.month);
    Ok(months)
}

/// What is kept at a path, and the condition under which a write replaces nothing else: the object that ingest wrote, unless a
/// file of somebody's has taken its place or goes before it. Then it is what the store has by that file.
///
/// # Errors
/// A store that does not answer.
pub async fn object(
    store: &dyn ObjectStore,
    path: &ObjectPath,
    now: Timestamp,
) -> Result<(Option<KeptObject>, PutIf), Setback> {
    let raw = store.get(&path.raw_key()).await?;
    let unchanged = PutIf::still(raw.as_ref().map(|raw| &raw.info));
    if let Some(raw) = &raw
        && let Some(kept) = written(raw)
        && !stored::goes_before(store, path, &raw.info).await?
    {
        return Ok((Some(kept), unchanged));
    }
    Ok((stored::candles(store, path, now).await?, unchanged))
}

/// The content of a raw object, if ingest wrote it and it can still be read.
fn written(object: &Object) -> Option<KeptObject> {
    let Origin { run, fetched_at, instrument } = origin(&object.info.metadata)?;
    let shrank = shrank(&object.info.metadata);
    match rows(&object.body) {
        Ok(rows) => Some(KeptObject { is_by_hand: false, run, fetched_at, instrument, shrank, rows }),
        Err(error) => {
            tracing::warn!(key = object.info.key, "not as it was written: {error:#}");
            None
        }
    }
}

/// Whether there is any raw object of a symbol, at whatever interval and of whatever hand.
///
/// # Errors
/// A store that does not answer.
pub async fn any(store: &dyn ObjectStore, symbol: &Symbol) -> Result<bool, Setback> {
    for interval in Interval::ALL {
        let series = Series { symbol: symbol.clone(), interval };
        if !store.list(&folder(&series)).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Where an object that ingest wrote is from.
struct Origin {
    run: Option<String>,
    fetched_at: Timestamp,
    instrument: Instrument,
}

/// The origin of an object that ingest wrote; none of one that another hand did, or that nobody can place.
fn origin(metadata: &Metadata) -> Option<Origin> {
    let metadata = RawMetadata::read(metadata).ok().filter(|read| read.source.as_deref() == Some(SOURCE))?;
    Some(Origin { run: metadata.run, fetched_at: metadata.fetched_at?, instrument: metadata.instrument })
}

fn shrank(metadata: &Metadata) -> BTreeSet<Timestamp> {
    let text = metadata.get(SHRANK).map(String::as_str).unwrap_or_default();
    text.split(' ').filter_map(|time| time.parse().ok()).collect()
}

/// What stands beside an object of the losses that it shows, where there are any.
#[must_use]
pub fn shrank_entry(losses: impl IntoIterator<Item = Timestamp>) -> Option<(String, String)> {
    let times: Vec<_> = losses.into_iter().take(MOST_LOSSES).map(|time| time.to_string()).collect();
    (!times.is_empty()).then(|| (SHRANK.to_owned(), times.join(" ")))
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

/// Where a column is that only ingest's own objects have; those are written plainly.
fn place(body: &[u8], column: &str) -> Option<usize> {
    let header = body.split(|byte| *byte == b'\n').next()?;
    header.split(|byte| *byte == b',').position(|name| name == column.as_bytes())
}

fn rows(body: &[u8]) -> anyhow::Result<Vec<SourceRow>> {
    let (header, mut reader) = raw_csv::open(body)?;
    let marks = place(body, raw_csv::FETCHED_AT);
    let row = |record: ByteRecord| {
        let cell = |at: usize| String::from_utf8_lossy(record.get(at).unwrap_or_default()).into_owned();
        let fetched_at = marks.map(cell).and_then(|time| time.parse().ok());
        let (prices, volume) = (header.prices.map(cell), header.volume.map(cell));
        SourceRow { datetime: cell(header.time), prices, volume, fetched_at }
    };
    Ok(reader.byte_records().map(|record| record.map(row)).collect::<Result<_, _>>()?)
}

#[cfg(test)]
impl KeptObject {
    /// An object with nothing in it, fetched at a time.
    pub fn fetched(fetched_at: Timestamp) -> Self {
        let (instrument, shrank) = (Instrument::default(), BTreeSet::new());
        Self { is_by_hand: false, run: None, fetched_at, instrument, shrank, rows: Vec::new() }
    }
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
            fetched_at: None,
        };
        let marked = SourceRow { fetched_at: Some("2024-12-29T22:00:30.5Z".parse().unwrap()), ..row(None) };
        let of_both = vec![row(None), marked];
        for written in [vec![row(Some("35557500")), row(Some(""))], vec![row(None)], of_both, vec![]] {
            assert_eq!(rows(&raw_csv::write(&written).unwrap()).unwrap(), written);
        }
    }
}
