//! The S3 user metadata of Candlewick's objects: its names and formats.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use thiserror::Error;

use crate::core::form::{self, SaidForm};
use crate::core::report::Report;
use crate::core::trace::TraceParent;

/// The name of the W3C trace context in object metadata and in message attributes.
pub const TRACEPARENT: &str = "traceparent";

/// S3 user metadata: names in lower case, values in ASCII.
pub type Metadata = BTreeMap<String, String>;

/// The name of the time at which an object was first written. Objects have it if the local stack restored them after a
/// stop.
pub const FIRST_WRITTEN: &str = "first-written";

/// The name of the report in the metadata of a transformed object.
const REPORT: &str = "report";

/// The name of the mark on an object without rows that the owner accepted as empty.
const EMPTIED: &str = "emptied";

/// The source of objects that `candlewick drop` wrote.
pub const DROPPED: &str = "drop";

/// Whether an object was put by a person and not fetched by ingest: its source is `candlewick drop`, or it names no
/// source.
#[must_use]
pub fn is_by_hand(source: Option<&str>) -> bool {
    source.is_none_or(|source| source == DROPPED)
}

/// An instrument as its source describes it. Every field is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instrument {
    /// The source's name for the type, such as `Common Stock` or `Digital Currency`.
    pub instrument_type: Option<String>,
    /// The currency of the prices, an ISO 4217 code.
    pub currency: Option<String>,
    /// The MIC of the exchange, or the name of another calendar.
    pub calendar: Option<String>,
    /// The IANA time zone of the exchange.
    pub timezone: Option<String>,
}

impl Instrument {
    fn read(metadata: &Metadata) -> Self {
        let text = |name: &str| metadata.get(name).filter(|value| !value.is_empty()).cloned();
        Self {
            instrument_type: text("instrument-type"),
            currency: text("currency"),
            calendar: text("calendar"),
            timezone: text("timezone"),
        }
    }

    /// The fields and their names in metadata.
    #[must_use]
    pub fn entries(&self) -> [(&'static str, Option<String>); 4] {
        [
            ("instrument-type", self.instrument_type.clone()),
            ("currency", self.currency.clone()),
            ("calendar", self.calendar.clone()),
            ("timezone", self.timezone.clone()),
        ]
    }
}

/// The metadata of a raw object. Every field is optional, so that a file put by a person needs no metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawMetadata {
    /// The source of the data: `twelvedata` or [`DROPPED`].
    pub source: Option<String>,
    /// When the source sent the data, by Candlewick's clock.
    pub fetched_at: Option<Timestamp>,
    /// The source's description of the instrument. Its time zone applies to times without an offset.
    pub instrument: Instrument,
    /// What prices are adjusted for, such as `splits`.
    pub adjust: Option<String>,
    /// The SHA-256 of the object in hexadecimal.
    pub sha256: Option<String>,
    /// The trace in which the object was written.
    pub traceparent: Option<TraceParent>,
    /// The id of the run that fetched the object.
    pub run: Option<String>,
    /// When the object was first written, if it was restored since then.
    pub first_written: Option<Timestamp>,
    /// Whether the object is empty because the owner accepted the loss of all its rows.
    pub is_emptied: bool,
    /// What the metadata says about its form, if that is not raw CSV.
    pub form: SaidForm,
}

impl RawMetadata {
    /// Returns when the object was first written: `last_modified`, unless the object was restored since then.
    ///
    /// Anyone who can write objects can write metadata, so `first_written` only counts if `is_trusted` says that
    /// nothing but the restore sets it. A time after `last_modified` never counts.
    #[must_use]
    pub fn written(&self, last_modified: Timestamp, is_trusted: bool) -> Timestamp {
        let first = self.first_written.filter(|_| is_trusted);
        first.map_or(last_modified, |first| first.min(last_modified))
    }
}

/// The number of bytes that names and values may have together, with room for the entity tags that are added last. S3's
/// own limit is 2,048 bytes (Amazon S3 User Guide, "Working with object metadata").
const MOST_BYTES: usize = 1_850;

/// The prefix of each name in a request, which some stores count.
const HEADER_PREFIX: &str = "x-amz-meta-";

/// The metadata of a transformed object.
#[derive(Clone, Debug, PartialEq)]
pub struct TransformedMetadata {
    /// The key of the raw object from which the object was made.
    pub raw_key: String,
    /// The entity tag of the raw object.
    pub raw_etag: String,
    /// When the raw object was written. It decides which of two objects is newer.
    pub raw_written: Timestamp,
    /// The source of the raw object, as in [`RawMetadata::source`].
    pub source: Option<String>,
    /// When the source sent the data, if known.
    pub fetched_at: Option<Timestamp>,
    /// When the object was transformed, by Candlewick's clock.
    pub transformed_at: Option<Timestamp>,
    /// The report, if it is small enough.
    pub report: Option<Box<Report>>,
    /// The entity tag of the report object, which is written before this object, or `None` if none was written. A
    /// report object with another entity tag does not belong to this object.
    pub report_etag: Option<String>,
    /// The entity tag of the quarantine object, which is written before this object, or `None` if none was written. A
    /// quarantine object with another entity tag does not belong to this object.
    pub quarantine_etag: Option<String>,
    /// The entity tag of the Parquet object, which is written before the object; `None` if none was written.
    pub columnar_etag: Option<String>,
    /// The trace in which the raw object was written.
    pub traceparent: Option<TraceParent>,
    /// The id of the run that fetched the raw object.
    pub run: Option<String>,
    /// The source's description of the instrument.
    pub instrument: Instrument,
}

/// A metadata value does not have the format that its name requires.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("metadata {name} is {value:?}: {expected}")]
pub struct MetadataError {
    name: &'static str,
    value: String,
    expected: &'static str,
}

const TIMESTAMP: &str = "expected an RFC 3339 timestamp such as 2024-12-30T22:00:00Z";

impl RawMetadata {
    /// Parses the metadata of a raw object.
    ///
    /// # Errors
    ///
    /// Returns a [`MetadataError`] if a value is present but invalid.
    pub fn read(metadata: &Metadata) -> Result<Self, MetadataError> {
        let text = |name: &str| metadata.get(name).filter(|value| !value.is_empty()).cloned();
        Ok(Self {
            source: text("source"),
            fetched_at: timestamp(metadata, "fetched-at")?,
            instrument: Instrument::read(metadata),
            adjust: text("adjust"),
            sha256: text("sha256"),
            traceparent: traceparent(metadata)?,
            run: text("run"),
            first_written: timestamp(metadata, FIRST_WRITTEN)?,
            is_emptied: text(EMPTIED).is_some(),
            form: SaidForm {
                format: text("format"),
                date_format: of_form(metadata, "date-format", form::date_format)?,
                decimal: of_form(metadata, "decimal", form::decimal)?,
                stamped: of_form(metadata, "stamped", form::stamped)?,
            },
        })
    }

    /// Formats the metadata for a raw object.
    #[must_use]
    pub fn write(&self) -> Metadata {
        let own = [
            ("source", self.source.clone()),
            ("fetched-at", self.fetched_at.map(|time| time.to_string())),
            ("adjust", self.adjust.clone()),
            ("sha256", self.sha256.clone()),
            (TRACEPARENT, self.traceparent.map(|trace| trace.to_string())),
            ("run", self.run.clone()),
            (FIRST_WRITTEN, self.first_written.map(|time| time.to_string())),
            (EMPTIED, self.is_emptied.then(|| "accepted".to_owned())),
            ("format", self.form.format.clone()),
            ("date-format", self.form.date_format.clone()),
            ("decimal", self.form.decimal.map(String::from)),
            ("stamped", self.form.stamped.map(|stamped| stamped.as_str().to_owned())),
        ];
        entries(own.into_iter().chain(self.instrument.entries()))
    }

    /// Returns the time zone of times without an offset; UTC by default.
    ///
    /// # Errors
    ///
    /// Returns a [`MetadataError`] if the name is not an IANA time zone.
    pub fn time_zone(&self) -> Result<TimeZone, MetadataError> {
        let Some(name) = &self.instrument.timezone else { return Ok(TimeZone::UTC) };
        let expected = "expected an IANA time zone such as America/New_York";
        TimeZone::get(name).map_err(|_| MetadataError { name: "timezone", value: name.clone(), expected })
    }
}

impl TransformedMetadata {
    /// The metadata of an object that was made from this version of a raw object. Nothing else is known of it.
    #[must_use]
    pub fn of(raw_key: String, raw_etag: String, raw_written: Timestamp) -> Self {
        Self {
            raw_key,
            raw_etag,
            raw_written,
            source: None,
            fetched_at: None,
            transformed_at: None,
            report: None,
            report_etag: None,
            quarantine_etag: None,
            columnar_etag: None,
            traceparent: None,
            run: None,
            instrument: Instrument::default(),
        }
    }

    /// Parses the metadata of a transformed object, or returns `None` if the transform did not write the object.
    ///
    /// # Errors
    ///
    /// Returns a [`MetadataError`] if a value is present but invalid.
    pub fn read(metadata: &Metadata) -> Result<Option<Self>, MetadataError> {
        let text = |name: &str| metadata.get(name).cloned();
        let Some(((raw_key, raw_etag), raw_written)) =
            text("raw-key").zip(text("raw-etag")).zip(timestamp(metadata, "raw-written")?)
        else {
            return Ok(None);
        };
        Ok(Some(Self {
            raw_key,
            raw_etag,
            raw_written,
            source: text("source").filter(|source| !source.is_empty()),
            fetched_at: timestamp(metadata, "fetched-at")?,
            transformed_at: timestamp(metadata, "transformed-at")?,
            report: report(metadata)?,
            report_etag: text("report-etag"),
            quarantine_etag: text("quarantine-etag"),
            columnar_etag: text("columnar-etag"),
            traceparent: traceparent(metadata)?,
            run: text("run"),
            instrument: Instrument::read(metadata),
        }))
    }

    /// Formats the metadata for a transformed object.
    #[must_use]
    pub fn write(&self) -> Metadata {
        let own = [
            ("raw-key", Some(self.raw_key.clone())),
            ("raw-etag", Some(self.raw_etag.clone())),
            ("raw-written", Some(self.raw_written.to_string())),
            ("source", self.source.clone()),
            ("fetched-at", self.fetched_at.map(|time| time.to_string())),
            ("transformed-at", self.transformed_at.map(|time| time.to_string())),
            (REPORT, self.report.as_ref().map(|report| report.ascii_json())),
            ("report-etag", self.report_etag.clone()),
            ("quarantine-etag", self.quarantine_etag.clone()),
            ("columnar-etag", self.columnar_etag.clone()),
            (TRACEPARENT, self.traceparent.map(|trace| trace.to_string())),
            ("run", self.run.clone()),
        ];
        entries(own.into_iter().chain(self.instrument.entries()))
    }
}

impl TransformedMetadata {
    /// Returns this metadata with the report, or without it if S3 would refuse the object then.
    #[must_use]
    pub fn with_report(self, report: &Report) -> Self {
        let with = Self { report: Some(Box::new(report.clone())), ..self };
        if size(&with.write()) <= MOST_BYTES { with } else { Self { report: None, ..with } }
    }
}

/// The number of bytes of names and values, as the strictest store counts them.
fn size(metadata: &Metadata) -> usize {
    metadata.iter().map(|(name, value)| HEADER_PREFIX.len() + name.len() + value.len()).sum()
}

fn report(metadata: &Metadata) -> Result<Option<Box<Report>>, MetadataError> {
    let Some(value) = metadata.get(REPORT) else { return Ok(None) };
    let expected = "expected the JSON of a cleaning report";
    serde_json::from_str(value).map(Some).map_err(|_| MetadataError { name: REPORT, value: value.clone(), expected })
}

fn entries<'a>(entries: impl Iterator<Item = (&'a str, Option<String>)>) -> Metadata {
    entries.filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn timestamp(metadata: &Metadata, name: &'static str) -> Result<Option<Timestamp>, MetadataError> {
    let Some(value) = metadata.get(name) else { return Ok(None) };
    value.parse().map(Some).map_err(|_| MetadataError { name, value: value.clone(), expected: TIMESTAMP })
}

fn of_form<T>(
    metadata: &Metadata,
    name: &'static str,
    read: fn(&str) -> Result<T, form::NoForm>,
) -> Result<Option<T>, MetadataError> {
    let Some(value) = metadata.get(name).filter(|value| !value.is_empty()) else { return Ok(None) };
    let expected = match name {
        "decimal" => "expected . or ,",
        "stamped" => "expected start or end",
        _ => "expected a format of strftime such as %d/%m/%Y",
    };
    read(value).map(Some).map_err(|_| MetadataError { name, value: value.clone(), expected })
}

fn traceparent(metadata: &Metadata) -> Result<Option<TraceParent>, MetadataError> {
    let Some(value) = metadata.get(TRACEPARENT) else { return Ok(None) };
    let expected = "expected a W3C traceparent";
    value.parse().map(Some).map_err(|_| MetadataError { name: TRACEPARENT, value: value.clone(), expected })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::report::{Fate, Gap};

    #[test]
    fn what_ingest_writes_is_read_back() {
        let written = RawMetadata {
            source: Some("twelvedata".to_owned()),
            fetched_at: Some("2024-12-30T22:00:00Z".parse().unwrap()),
            instrument: Instrument { timezone: Some("America/New_York".to_owned()), ..Instrument::default() },
            traceparent: TraceParent::new(1, 2),
            form: SaidForm {
                date_format: Some("%d/%m/%Y".to_owned()),
                decimal: Some(','),
                stamped: Some(form::Stamped::End),
                ..SaidForm::default()
            },
            ..RawMetadata::default()
        };
        assert_eq!(RawMetadata::read(&written.write()), Ok(written));
    }

    #[test]
    fn a_dropped_file_needs_none_of_it() {
        let nothing = RawMetadata::read(&Metadata::new()).unwrap();
        assert_eq!(nothing, RawMetadata::default());
        assert_eq!(nothing.time_zone(), Ok(TimeZone::UTC));
    }

    #[test]
    fn a_value_of_another_form_is_named() {
        let metadata = Metadata::from([("fetched-at".to_owned(), "yesterday".to_owned())]);
        let error = RawMetadata::read(&metadata).unwrap_err().to_string();
        assert!(error.contains("fetched-at") && error.contains("yesterday"), "{error}");
        let nowhere = Instrument { timezone: Some("Mars/Olympus".to_owned()), ..Instrument::default() };
        let nowhere = RawMetadata { instrument: nowhere, ..RawMetadata::default() };
        assert!(nowhere.time_zone().is_err());
    }

    fn origin() -> TransformedMetadata {
        TransformedMetadata {
            raw_key: "raw/a".to_owned(),
            raw_etag: "e".to_owned(),
            raw_written: "2024-12-30T22:00:00Z".parse().unwrap(),
            source: Some("drop".to_owned()),
            fetched_at: None,
            transformed_at: None,
            report: Some(Box::new(Report { symbol: "ÅÄ \u{1f56f}".to_owned(), ..Report::default() })),
            report_etag: Some("r".to_owned()),
            quarantine_etag: None,
            columnar_etag: Some("c".to_owned()),
            traceparent: None,
            run: Some("run-1".to_owned()),
            instrument: Instrument { currency: Some("USD".to_owned()), ..Instrument::default() },
        }
    }

    #[test]
    fn a_transformed_object_of_another_program_has_no_origin() {
        assert_eq!(TransformedMetadata::read(&Metadata::new()), Ok(None));
        let origin = origin();
        let written = origin.write();
        assert!(written.values().all(|value| value.is_ascii()), "{written:?}");
        assert_eq!(TransformedMetadata::read(&written), Ok(Some(origin.clone())));
        let mut damaged = written;
        damaged.insert("report".to_owned(), "{\"schema\":".to_owned());
        assert!(TransformedMetadata::read(&damaged).unwrap_err().to_string().contains("cleaning report"));
    }

    #[test]
    fn a_report_that_is_too_long_for_metadata_is_left_out() {
        let origin = TransformedMetadata { report: None, ..origin() };
        let with = |gaps: usize| {
            let gap = Gap { first: "2024-01-02".into(), last: "2024-01-02".into(), slots: 1, fate: Fate::Filled };
            origin.clone().with_report(&Report { gaps: vec![gap; gaps], ..Report::default() })
        };
        assert!(with(3).report.is_some());
        assert_eq!(with(30), origin);
        let longest = (0..30).map(with).filter(|with| with.report.is_some()).map(|with| size(&with.write())).max();
        assert!(longest.is_some_and(|bytes| (1_700..=1_850).contains(&bytes)), "{longest:?}");
    }
}
