//! Decides which objects are missing a step, and what to do about it.

use std::collections::HashMap;
use std::fmt;

use candlewick_shared::core::metadata::{RawMetadata, TransformedMetadata};
use candlewick_shared::ports::store::ObjectInfo;
use candlewick_shared::reads::dead_letters::DeadLetter;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// The row of a transformed object in the objects ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerRow {
    /// The ETag of the loaded version; `None` if no version is loaded.
    pub etag: Option<String>,
    /// When that version was written.
    pub last_modified: Option<Timestamp>,
    /// The raw object that the version was made from.
    pub raw_key: Option<String>,
    pub raw_etag: Option<String>,
    /// When the raw object was written.
    pub raw_written: Option<Timestamp>,
}

/// The Parquet next to a transformed object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Columns {
    /// A setting says that none is written.
    Unwanted,
    Missing,
    There(ObjectInfo),
}

/// The longest usual time between the writes of a Parquet object and its transformed object.
const MOMENT: SignedDuration = SignedDuration::from_secs(60);

/// A step that was never done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// The raw object has no transformed object.
    NeverCleaned,
    /// The transformed object was made from an earlier version of the raw object.
    CleanedBefore,
    /// The transformed object has no Parquet, or an older one, although it is wanted.
    NoColumns,
    /// No version of the transformed object is in the ledger.
    NeverLoaded,
    /// The ledger has an earlier version of the transformed object.
    LoadedBefore,
}

/// What to do about a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Send the message again.
    Send,
    /// Nothing: a dead letter is about it.
    GivenUp,
    /// Nothing: the queue has as many messages as objects are missing, so its message is probably there.
    InQueue,
}

/// Whether listing and ledger are enough to know that a raw object is cleaned and the result is loaded.
pub fn is_cleaned(raw: &ObjectInfo, transformed: Option<&ObjectInfo>, row: Option<&LedgerRow>) -> bool {
    let Some((transformed, row)) = transformed.zip(row) else { return false };
    let same = |field: &Option<String>, text: &str| field.as_deref() == Some(text);
    same(&row.etag, &transformed.etag)
        && same(&row.raw_key, &raw.key)
        && same(&row.raw_etag, &raw.etag)
        && row.raw_written == Some(raw.last_modified)
}

/// Whether a raw object is missing its cleaning, by the metadata of both objects.
///
/// Unreadable metadata counts as never cleaned: the transform then gives the object up with a reason.
pub fn gap_of_raw(raw: &ObjectInfo, transformed: Option<&ObjectInfo>) -> Option<Gap> {
    let Some(transformed) = transformed else { return Some(Gap::NeverCleaned) };
    let Ok((metadata, origin)) = RawMetadata::read(&raw.metadata)
        .and_then(|metadata| Ok((metadata, TransformedMetadata::read(&transformed.metadata)?)))
    else {
        return Some(Gap::NeverCleaned);
    };
    // A setting of the transform decides whether it trusts the age in the metadata, so both ages are accepted.
    let ages = [false, true].map(|is_trusted| metadata.written(raw.last_modified, is_trusted));
    let written = ages[1];
    let is_newest = match origin {
        // It was not written by the transform: the later object counts.
        None => transformed.last_modified >= raw.last_modified,
        Some(origin) if origin.raw_key == raw.key => origin.raw_etag == raw.etag && ages.contains(&origin.raw_written),
        // A gzipped and a plain raw object share a transformed object, which belongs to the newer of them.
        Some(origin) => (origin.raw_written, &origin.raw_key) > (written, &raw.key),
    };
    (!is_newest).then_some(Gap::CleanedBefore)
}

/// Whether the listing is enough to know that the Parquet was written with the transformed object: just before it.
pub fn has_columns(transformed: Option<&ObjectInfo>, columns: &Columns) -> bool {
    match (transformed, columns) {
        (None, _) | (_, Columns::Unwanted) => true,
        (_, Columns::Missing) => false,
        (Some(transformed), Columns::There(columns)) => {
            transformed.last_modified.duration_since(columns.last_modified).abs() < MOMENT
        }
    }
}

/// Whether the Parquet of a transformed object is missing, or of another version, by the object's metadata. An object
/// that the transform did not write has none.
pub fn gap_of_columns(transformed: Option<&ObjectInfo>, columns: &Columns) -> Option<Gap> {
    let origin = TransformedMetadata::read(&transformed?.metadata).ok()??;
    let is_there = match columns {
        Columns::Unwanted => true,
        Columns::Missing => false,
        Columns::There(columns) => origin.columnar_etag.as_ref() == Some(&columns.etag),
    };
    (!is_there).then_some(Gap::NoColumns)
}

/// Whether listing and ledger are enough to know that a transformed object is loaded.
pub fn is_loaded(transformed: &ObjectInfo, row: Option<&LedgerRow>) -> bool {
    row.is_some_and(|row| {
        row.etag.as_deref() == Some(&transformed.etag) && row.last_modified == Some(transformed.last_modified)
    })
}

/// Whether a transformed object is missing its load, by its metadata. The same content from a newer raw object is
/// another version.
pub fn gap_of_transformed(transformed: &ObjectInfo, row: Option<&LedgerRow>) -> Option<Gap> {
    let Some((row, etag)) = row.and_then(|row| Some((row, row.etag.as_ref()?))) else { return Some(Gap::NeverLoaded) };
    let written = match TransformedMetadata::read(&transformed.metadata) {
        Ok(origin) => origin.map_or(transformed.last_modified, |origin| origin.raw_written),
        Err(_) => return Some(Gap::NeverLoaded),
    };
    let is_same = *etag == transformed.etag && row.raw_written == Some(written);
    (!is_same).then_some(Gap::LoadedBefore)
}

/// The keys that dead letters are about, with the time of the newest letter. A letter of unknown time counts as newest.
pub fn given_up(letters: &[DeadLetter]) -> HashMap<String, Timestamp> {
    let mut all = HashMap::new();
    for letter in letters {
        for key in &letter.keys {
            let last: &mut Timestamp = all.entry(key.clone()).or_insert(Timestamp::MIN);
            *last = (*last).max(letter.sent.unwrap_or(Timestamp::MAX));
        }
    }
    all
}

/// Decides about the gaps of one queue, which has this many messages.
pub fn verdicts(objects: &[&ObjectInfo], given_up: &HashMap<String, Timestamp>, messages: u64) -> Vec<Verdict> {
    let is_given_up =
        |object: &&&ObjectInfo| given_up.get(&object.key).is_some_and(|letter| *letter >= object.last_modified);
    let lost = objects.iter().filter(|object| !is_given_up(object)).count() as u64;
    let verdict = if messages >= lost { Verdict::InQueue } else { Verdict::Send };
    objects.iter().map(|object| if is_given_up(&object) { Verdict::GivenUp } else { verdict }).collect()
}

impl fmt::Display for Gap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NeverCleaned => "never cleaned",
            Self::CleanedBefore => "an earlier version was cleaned",
            Self::NoColumns => "its Parquet is missing or older",
            Self::NeverLoaded => "never loaded",
            Self::LoadedBefore => "an earlier version is loaded",
        })
    }
}

impl Verdict {
    /// What was done, or in a dry run would be done.
    pub fn text(self, dry_run: bool) -> &'static str {
        match (self, dry_run) {
            (Self::Send, false) => "sent again",
            (Self::Send, true) => "would be sent again",
            (Self::GivenUp, _) => "given up, see `dlq list`",
            (Self::InQueue, _) => "skipped, its message is probably in the queue (--regardless sends it)",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use candlewick_shared::core::metadata::FIRST_WRITTEN;

    use super::*;
    use crate::dlq::filter::tests::{event, letter};

    const KEY: &str = "raw/interval=1day/symbol=AAPL/candles.csv";

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_735_500_000 + 60 * minute).unwrap()
    }

    fn object(key: &str, etag: &str, minute: i64) -> ObjectInfo {
        let key = key.to_owned();
        let etag = etag.to_owned();
        let version_id = None;
        let metadata = BTreeMap::new();
        ObjectInfo { key, etag, version_id, size: 1, last_modified: at(minute), metadata }
    }

    /// A transformed object made from version `raw_etag` of a raw object that was written in that minute.
    fn transformed(raw_key: &str, raw_etag: &str, minute: i64) -> ObjectInfo {
        let origin = TransformedMetadata::of(raw_key.to_owned(), raw_etag.to_owned(), at(minute));
        ObjectInfo { metadata: origin.write(), ..object("transformed/a.csv", "clean", minute + 1) }
    }

    fn row(raw_etag: &str, minute: i64) -> LedgerRow {
        LedgerRow {
            etag: Some("clean".to_owned()),
            last_modified: Some(at(minute + 1)),
            raw_key: Some(KEY.to_owned()),
            raw_etag: Some(raw_etag.to_owned()),
            raw_written: Some(at(minute)),
        }
    }

    #[test]
    fn what_the_ledger_has_needs_no_closer_look() {
        let raw = object(KEY, "e", 0);
        let transformed = object("transformed/a.csv", "clean", 1);
        assert!(is_cleaned(&raw, Some(&transformed), Some(&row("e", 0))));
        assert!(is_loaded(&transformed, Some(&row("e", 0))));
        assert!(!is_cleaned(&raw, None, Some(&row("e", 0))), "its transformed object is gone");
        assert!(!is_cleaned(&raw, Some(&transformed), Some(&row("older", 0))));
        assert!(
            !is_cleaned(&object(KEY, "e", 5), Some(&transformed), Some(&row("e", 0))),
            "the same bytes, written again"
        );
        assert!(
            !is_loaded(&transformed, None) && !is_loaded(&object("transformed/a.csv", "other", 1), Some(&row("e", 0)))
        );
    }

    #[test]
    fn a_raw_object_is_cleaned_if_the_clean_one_was_made_from_this_version() {
        let raw = object(KEY, "e", 0);
        assert_eq!(gap_of_raw(&raw, None), Some(Gap::NeverCleaned));
        assert_eq!(gap_of_raw(&raw, Some(&transformed(KEY, "e", 0))), None);
        assert_eq!(gap_of_raw(&raw, Some(&transformed(KEY, "older", -5))), Some(Gap::CleanedBefore));
        assert_eq!(
            gap_of_raw(&raw, Some(&transformed(KEY, "e", -5))),
            Some(Gap::CleanedBefore),
            "the same bytes, written again"
        );
    }

    #[test]
    fn the_parquet_belongs_to_the_version_that_names_it() {
        let clean = transformed(KEY, "e", 0);
        let written = |etag: &str, minute| Columns::There(object("columnar/a.parquet", etag, minute));
        let names = |etag: &str| {
            let metadata = [clean.metadata.clone(), BTreeMap::from([("columnar-etag".to_owned(), etag.to_owned())])];
            ObjectInfo { metadata: metadata.into_iter().flatten().collect(), ..clean.clone() }
        };
        assert!(has_columns(Some(&clean), &written("c", 1)) && has_columns(Some(&clean), &Columns::Unwanted));
        assert!(!has_columns(Some(&clean), &written("c", -60)) && !has_columns(Some(&clean), &Columns::Missing));
        assert!(has_columns(None, &Columns::Missing), "there is nothing to make it from yet");
        assert_eq!(gap_of_columns(Some(&names("c")), &written("c", -60)), None);
        assert_eq!(gap_of_columns(Some(&names("c")), &written("older", -60)), Some(Gap::NoColumns));
        assert_eq!(gap_of_columns(Some(&clean), &written("c", 1)), Some(Gap::NoColumns), "it was off");
        assert_eq!(gap_of_columns(Some(&names("c")), &Columns::Missing), Some(Gap::NoColumns));
        assert_eq!(gap_of_columns(Some(&names("c")), &Columns::Unwanted), None);
        assert_eq!(gap_of_columns(Some(&object("transformed/a.csv", "clean", 1)), &Columns::Missing), None);
    }

    #[test]
    fn an_object_that_was_put_back_is_as_old_as_it_was() {
        let mut raw = object(KEY, "e", 90);
        raw.metadata.insert(FIRST_WRITTEN.to_owned(), at(0).to_string());
        assert_eq!(gap_of_raw(&raw, Some(&transformed(KEY, "e", 0))), None);
    }

    #[test]
    fn of_a_gzipped_and_a_plain_object_only_the_newer_needs_cleaning() {
        let raw = object(KEY, "e", 0);
        let twin = format!("{KEY}.gz");
        assert_eq!(gap_of_raw(&raw, Some(&transformed(&twin, "z", 5))), None);
        assert_eq!(gap_of_raw(&raw, Some(&transformed(&twin, "z", -5))), Some(Gap::CleanedBefore));
    }

    #[test]
    fn a_clean_object_of_another_hand_stays_until_a_raw_one_is_newer() {
        let other = object("transformed/a.csv", "clean", 1);
        assert_eq!(gap_of_raw(&object(KEY, "e", 0), Some(&other)), None);
        assert_eq!(gap_of_raw(&object(KEY, "e", 2), Some(&other)), Some(Gap::CleanedBefore));
    }

    #[test]
    fn a_clean_object_is_loaded_if_the_ledger_has_this_version() {
        let object = transformed(KEY, "e", 0);
        assert_eq!(gap_of_transformed(&object, None), Some(Gap::NeverLoaded));
        assert_eq!(gap_of_transformed(&object, Some(&LedgerRow::default())), Some(Gap::NeverLoaded), "it failed");
        assert_eq!(gap_of_transformed(&object, Some(&row("e", 0))), None);
        assert_eq!(gap_of_transformed(&object, Some(&row("e", -5))), Some(Gap::LoadedBefore));
    }

    #[test]
    fn what_a_dead_letter_is_about_is_left_alone_until_it_is_written_again() {
        let letters = [letter(&event("AAPL"), &[])];
        let written = |text: &str| ObjectInfo { last_modified: text.parse().unwrap(), ..object(KEY, "e", 0) };
        let before = written("2024-12-30T21:59:00Z");
        let after = written("2024-12-30T22:01:00Z");
        assert_eq!(verdicts(&[&before, &after], &given_up(&letters), 0), [Verdict::GivenUp, Verdict::Send]);
    }

    #[test]
    fn what_may_be_in_the_queue_is_left_alone() {
        let objects = [object("raw/a", "a", 0), object("raw/b", "b", 0)];
        let objects: Vec<_> = objects.iter().collect();
        assert_eq!(verdicts(&objects, &HashMap::new(), 2), [Verdict::InQueue; 2]);
        assert_eq!(verdicts(&objects, &HashMap::new(), 1), [Verdict::Send; 2]);
    }
}
