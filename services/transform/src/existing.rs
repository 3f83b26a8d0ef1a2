//! The existing outputs of an object, and the conditions for overwriting them.
//!
//! A write may be late: its writer dies, the message is delivered again, a newer object is cleaned, and only then
//! does the write arrive. Nothing would repair that. Every write therefore requires the state that its writer saw
//! before it read the object, and fails if a newer output exists. The only exceptions are a quarantine with the same
//! rows and a Parquet object with the same candles, because their entity tags are the same.
//!
//! Report and quarantine are objects only if they have something to say. One that a dead writer left, and that the
//! metadata of the transformed object does not name, belongs to no cleaning: readers ignore it, and the next delivery
//! of a message for the same raw object replaces it.

use candlewick_shared::core::key::ObjectPath;
use candlewick_shared::core::metadata::{MetadataError, TransformedMetadata};
use candlewick_shared::ports::store::{ObjectInfo, ObjectStore, PutIf};
use candlewick_shared::runtime::outcome::{Failure, Setback};
use jiff::Timestamp;
use tokio::try_join;

/// The outputs as they were before the raw object was read.
pub struct Existing {
    /// The transformed object.
    pub transformed: Option<ObjectInfo>,
    /// What the transformed object was made from, if the transform made it.
    pub origin: Option<TransformedMetadata>,
    /// The condition for writing the report.
    pub report: PutIf,
    /// The condition for writing the quarantine.
    pub quarantine: PutIf,
    /// The condition for writing the Parquet, if it is written.
    pub columns: PutIf,
}

/// The conditions that the objects written with a transformed object have not changed.
struct Companions {
    report: PutIf,
    quarantine: PutIf,
    /// `None` if no Parquet was written with it.
    columns: Option<PutIf>,
}

impl Existing {
    /// Reads the state of the outputs. The metadata of the transformed object has the entity tags of the others, which
    /// saves a request for each and is correct unless a writer was interrupted; `closely` makes the requests.
    pub async fn find(
        store: &dyn ObjectStore,
        path: &ObjectPath,
        writes_columns: bool,
        closely: bool,
    ) -> Result<Self, Setback> {
        let transformed = store.head(&path.transformed_key()).await?;
        let origin = transformed.as_ref().map(|info| TransformedMetadata::read(&info.metadata));
        let origin = origin.transpose().map_err(bad_metadata)?.flatten();
        let said = Companions::said(transformed.as_ref(), origin.as_ref()).filter(|_| !closely);
        let Companions { report, quarantine, columns } = match said {
            Some(said) => said,
            None => Companions::found(store, path).await?,
        };
        let columns = match columns {
            Some(columns) => columns,
            None if writes_columns => PutIf::still(store.head(&path.columnar_key()).await?.as_ref()),
            None => PutIf::Absent,
        };
        Ok(Self { transformed, origin, report, quarantine, columns })
    }

    /// Whether the transformed object was made from this version of a raw object, so that the message is a repetition.
    pub fn are_made_from(&self, raw_key: &str, raw_etag: &str, raw_written: Timestamp) -> bool {
        let made_from = |origin: &TransformedMetadata| {
            (origin.raw_key.as_str(), origin.raw_etag.as_str(), origin.raw_written) == (raw_key, raw_etag, raw_written)
        };
        self.origin.as_ref().is_some_and(made_from)
    }

    /// Whether the other outputs are still those that were written with the transformed object.
    pub async fn are_whole(&self, store: &dyn ObjectStore, path: &ObjectPath) -> Result<bool, Setback> {
        let Some(said) = Companions::said(self.transformed.as_ref(), self.origin.as_ref()) else { return Ok(true) };
        let found = Companions::found(store, path).await?;
        let has_columns = match said.columns {
            Some(columns) => PutIf::still(store.head(&path.columnar_key()).await?.as_ref()) == columns,
            None => true,
        };
        Ok(has_columns && (found.report, found.quarantine) == (said.report, said.quarantine))
    }
}

impl Companions {
    /// What the metadata of the transformed object says; `None` if it does not say it.
    fn said(transformed: Option<&ObjectInfo>, origin: Option<&TransformedMetadata>) -> Option<Self> {
        if transformed.is_none() {
            let columns = Some(PutIf::Absent);
            return Some(Self { report: PutIf::Absent, quarantine: PutIf::Absent, columns });
        }
        let TransformedMetadata { report, report_etag, quarantine_etag, columnar_etag, .. } = origin?;
        let has_report = report.is_some() || report_etag.is_some();
        has_report.then(|| Self {
            report: unchanged(report_etag.as_ref()),
            quarantine: unchanged(quarantine_etag.as_ref()),
            columns: columnar_etag.clone().map(PutIf::Matches),
        })
    }

    /// What is in the store, without the Parquet.
    async fn found(store: &dyn ObjectStore, path: &ObjectPath) -> Result<Self, Setback> {
        let report = path.report_key();
        let quarantine = path.quarantine_key();
        let (report, quarantine) = try_join!(store.head(&report), store.head(&quarantine))?;
        let columns = None;
        Ok(Self { report: PutIf::still(report.as_ref()), quarantine: PutIf::still(quarantine.as_ref()), columns })
    }
}

fn unchanged(etag: Option<&String>) -> PutIf {
    etag.map_or(PutIf::Absent, |etag| PutIf::Matches(etag.clone()))
}

/// The failure for an object with invalid metadata.
pub fn bad_metadata(error: MetadataError) -> Failure {
    Failure::new("bad_metadata", format!("{error}; mend the object's metadata, or put it there without any"))
}
