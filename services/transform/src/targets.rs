//! The existing outputs of an object, and the conditions for overwriting them.
//!
//! A write may be late: its writer dies, the message is delivered again, a newer object is cleaned, and only then
//! does the write arrive. Nothing would repair that. Every write therefore requires the state that its writer saw
//! before it read the object, and fails if a newer output exists. The only exception is a quarantine with the same
//! rows, because its entity tag is the same.
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
pub struct Targets {
    /// The transformed object.
    pub clean: Option<ObjectInfo>,
    /// What the transformed object was made from, if the transform made it.
    pub origin: Option<TransformedMetadata>,
    /// The condition for writing the report.
    pub report: PutIf,
    /// The condition for writing the quarantine.
    pub quarantine: PutIf,
}

impl Targets {
    /// Reads the state of the outputs. The metadata of the transformed object has the entity tags of report and
    /// quarantine, which saves two requests and is correct unless a writer was interrupted; `closely` makes the
    /// requests.
    pub async fn find(store: &dyn ObjectStore, path: &ObjectPath, closely: bool) -> Result<Self, Setback> {
        let clean = store.head(&path.transformed_key()).await?;
        let origin = clean.as_ref().map(|info| TransformedMetadata::read(&info.metadata));
        let origin = origin.transpose().map_err(bad_metadata)?.flatten();
        let (report, quarantine) = match beside(clean.as_ref(), origin.as_ref()).filter(|_| !closely) {
            Some(conditions) => conditions,
            None => {
                let report = path.report_key();
                let quarantine = path.quarantine_key();
                let (report, quarantine) = try_join!(store.head(&report), store.head(&quarantine))?;
                (PutIf::still(report.as_ref()), PutIf::still(quarantine.as_ref()))
            }
        };
        Ok(Self { clean, origin, report, quarantine })
    }

    /// Whether the transformed object was made from this version of a raw object, so that the message is a repetition.
    pub fn are_made_from(&self, raw_key: &str, raw_etag: &str, raw_written: Timestamp) -> bool {
        let made_from = |origin: &TransformedMetadata| {
            (origin.raw_key.as_str(), origin.raw_etag.as_str(), origin.raw_written) == (raw_key, raw_etag, raw_written)
        };
        self.origin.as_ref().is_some_and(made_from)
    }

    /// Whether report and quarantine are still those that were written with the transformed object.
    pub async fn are_whole(&self, store: &dyn ObjectStore, path: &ObjectPath) -> Result<bool, Setback> {
        let Some((report, quarantine)) = beside(self.clean.as_ref(), self.origin.as_ref()) else { return Ok(true) };
        let report_key = path.report_key();
        let quarantine_key = path.quarantine_key();
        let now = try_join!(store.head(&report_key), store.head(&quarantine_key))?;
        Ok((PutIf::still(now.0.as_ref()), PutIf::still(now.1.as_ref())) == (report, quarantine))
    }
}

/// The conditions for report and quarantine from the metadata of the transformed object; `None` if it does not have
/// a report.
fn beside(clean: Option<&ObjectInfo>, origin: Option<&TransformedMetadata>) -> Option<(PutIf, PutIf)> {
    if clean.is_none() {
        return Some((PutIf::Absent, PutIf::Absent));
    }
    let TransformedMetadata { report, report_etag, quarantine_etag, .. } = origin?;
    let has_report = report.is_some() || report_etag.is_some();
    has_report.then(|| (unchanged(report_etag.as_ref()), unchanged(quarantine_etag.as_ref())))
}

fn unchanged(etag: Option<&String>) -> PutIf {
    etag.map_or(PutIf::Absent, |etag| PutIf::Matches(etag.clone()))
}

/// The failure for an object with invalid metadata.
pub fn bad_metadata(error: MetadataError) -> Failure {
    Failure::new("bad_metadata", format!("{error}; mend the object's metadata, or put it there without any"))
}
