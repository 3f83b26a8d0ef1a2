//! Reads the candles of a series that are stored in the bucket.

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

use crate::fetch::kept_object::KeptObject;
use crate::fetch::plan::KeptMonth;
use crate::fetch::stored;

/// The source of the objects that ingest writes. Objects of other sources say nothing about what the API has.
pub const SOURCE: &str = "twelvedata";

/// The metadata entry with the date of an intraday series' oldest candle.
pub const EARLIEST: &str = "earliest";

/// The metadata entry of an object that was fetched again because of a split: when the month that shows the split was
/// fetched.
pub const REFETCHED_SINCE: &str = "refetched-since";

/// The metadata entry with the reported losses of an object, oldest first: for each, when the source last had the lost
/// candles.
const LOSSES: &str = "shrank";

/// S3 allows 2 KB of metadata. After the last listed loss, [`FURTHER`] stands for the others.
const MAX_LOSSES: usize = 20;

/// Marks a list of losses that has no room for the newest ones. Each row that stayed has the time of its loss, so the rows
/// have the rest of the list.
const FURTHER: &str = "further";

/// The metadata entry with the months for which the API had no candle: `2022-03 2022-04`.
const VACANT: &str = "vacant-months";

/// S3 allows 2 KB of metadata. Further months are requested again.
const MAX_VACANT: usize = 100;

/// The months of an intraday series that ingest wrote, oldest first.
pub async fn months(store: &dyn ObjectStore, series: &Series) -> Result<Vec<KeptMonth>, Setback> {
    let mut months = Vec::new();
    for info in store.list(&folder(series)).await? {
        let Ok(RawKey { path: ObjectPath { part: Part::Month(month), .. }, gzip: false }) = info.key.parse() else {
            continue;
        };
        let Some(info) = store.head(&info.key).await? else { continue };
        if let Some(Origin { run, fetched_at, instrument }) = origin(&info.metadata) {
            let earliest = earliest(&info.metadata);
            let vacant = vacant(&info.metadata);
            let refetched_since = info.metadata.get(REFETCHED_SINCE).and_then(|since| since.parse().ok());
            months.push(KeptMonth { month, run, fetched_at, instrument, earliest, vacant, refetched_since });
        }
    }
    months.sort_by_key(|kept| kept.month);
    Ok(months)
}

/// The stored candles at a path, and the condition under which a write replaces nothing else. The candles are those of the raw
/// object that ingest wrote or, if a dropped file replaced or overrides it, those that were read from that file.
pub async fn object(
    store: &dyn ObjectStore,
    path: &ObjectPath,
    now: Timestamp,
) -> Result<(Option<KeptObject>, PutIf), Setback> {
    let raw = store.get(&path.raw_key()).await?;
    let unchanged = PutIf::still(raw.as_ref().map(|raw| &raw.info));
    if let Some(raw) = &raw
        && let Some(kept) = ingested(raw)
        && !stored::is_overridden(store, path, &raw.info).await?
    {
        return Ok((Some(kept), unchanged));
    }
    Ok((stored::candles(store, path, now).await?, unchanged))
}

/// The content of a raw object, if ingest wrote it and it is readable.
fn ingested(object: &Object) -> Option<KeptObject> {
    let Origin { run, fetched_at, instrument } = origin(&object.info.metadata)?;
    match rows(&object.body) {
        Ok(rows) => {
            let reported_losses = reported_losses(&object.info.metadata, &rows);
            Some(KeptObject { is_by_hand: false, run, fetched_at, instrument, reported_losses, rows })
        }
        Err(error) => {
            tracing::warn!(key = object.info.key, "ignoring an unreadable raw object: {error:#}");
            None
        }
    }
}

/// Whether a symbol has a raw object, of any interval and any source.
pub async fn has_any(store: &dyn ObjectStore, symbol: &Symbol) -> Result<bool, Setback> {
    for interval in Interval::ALL {
        let series = Series { symbol: symbol.clone(), interval };
        if !store.list(&folder(&series)).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// When, and by which run, ingest wrote an object.
struct Origin {
    run: Option<String>,
    fetched_at: Timestamp,
    instrument: Instrument,
}

/// The origin of an object that ingest wrote; `None` for objects of other or unknown sources.
fn origin(metadata: &Metadata) -> Option<Origin> {
    let metadata = RawMetadata::read(metadata).ok().filter(|read| read.source.as_deref() == Some(SOURCE))?;
    Some(Origin { run: metadata.run, fetched_at: metadata.fetched_at?, instrument: metadata.instrument })
}

fn reported_losses(metadata: &Metadata, rows: &[SourceRow]) -> BTreeSet<Timestamp> {
    let text = metadata.get(LOSSES).map(String::as_str).unwrap_or_default();
    let mut losses: BTreeSet<Timestamp> = text.split(' ').filter_map(|time| time.parse().ok()).collect();
    if text.split(' ').any(|word| word == FURTHER) {
        let last = losses.last().copied();
        losses.extend(rows.iter().filter_map(|row| row.fetched_at).filter(|time| Some(*time) > last));
    }
    losses
}

/// The metadata entry of losses, if there are any.
pub fn losses_entry(losses: &BTreeSet<Timestamp>) -> Option<(String, String)> {
    let listed = losses.iter().take(MAX_LOSSES).map(Timestamp::to_string);
    let further = (losses.len() > MAX_LOSSES).then(|| FURTHER.to_owned());
    let words: Vec<_> = listed.chain(further).collect();
    (!words.is_empty()).then(|| (LOSSES.to_owned(), words.join(" ")))
}

fn earliest(metadata: &Metadata) -> Option<Date> {
    metadata.get(EARLIEST)?.parse().ok()
}

fn vacant(metadata: &Metadata) -> BTreeSet<Month> {
    let text = metadata.get(VACANT).map(String::as_str).unwrap_or_default();
    text.split(' ').filter_map(|month| format!("{month}-01").parse().ok()).map(Month::of).collect()
}

/// The metadata entry of the vacant months, if there are any.
pub fn vacant_entry(months: &BTreeSet<Month>) -> Option<(String, String)> {
    let names: Vec<_> = months.iter().take(MAX_VACANT).map(Month::to_string).collect();
    (!names.is_empty()).then(|| (VACANT.to_owned(), names.join(" ")))
}

/// The prefix of all raw objects of a series.
fn folder(series: &Series) -> String {
    let key = ObjectPath::whole(series.clone()).raw_key();
    key.rsplit_once('/').map(|(folder, _)| format!("{folder}/")).unwrap_or(key)
}

/// The index of a column that only ingest writes. Ingest's objects have no quoted column names.
fn column_index(body: &[u8], column: &str) -> Option<usize> {
    let header = body.split(|byte| *byte == b'\n').next()?;
    header.split(|byte| *byte == b',').position(|name| name == column.as_bytes())
}

fn rows(body: &[u8]) -> anyhow::Result<Vec<SourceRow>> {
    let (header, mut reader) = raw_csv::open(body)?;
    let marks = column_index(body, raw_csv::FETCHED_AT);
    let row = |record: ByteRecord| {
        let cell = |at: usize| String::from_utf8_lossy(record.get(at).unwrap_or_default()).into_owned();
        let fetched_at = marks.map(cell).and_then(|time| time.parse().ok());
        let prices = header.prices.map(cell);
        let volume = header.volume.map(cell);
        SourceRow { datetime: cell(header.time), prices, volume, fetched_at }
    };
    Ok(reader.byte_records().map(|record| record.map(row)).collect::<Result<_, _>>()?)
}

#[cfg(test)]
impl KeptObject {
    /// An empty object.
    pub fn fetched(fetched_at: Timestamp) -> Self {
        let instrument = Instrument::default();
        let reported_losses = BTreeSet::new();
        Self { is_by_hand: false, run: None, fetched_at, instrument, reported_losses, rows: Vec::new() }
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
