//! What stands where the outputs of an object go, and when each may be written.
//!
//! A write may come late: its writer dies, its message is delivered again, a newer object is cleaned, and only then the write
//! gets there. Nobody would come again. So every write is bound to what its writer saw before it read the object, and is refused
//! once a newer one is there. A quarantine of the same rows is the exception that an entity tag cannot tell.

use candlewick_shared::core::key::ObjectPath;
use candlewick_shared::core::metadata::{MetadataError, TransformedMetadata};
use candlewick_shared::ports::store::{ObjectInfo, ObjectStore, PutIf};
use candlewick_shared::runtime::outcome::{Failure, Setback};
use tokio::try_join;

/// What stood there before the raw object was read.
pub struct Targets {
    /// The clean object.
    pub clean: Option<ObjectInfo>,
    /// What the clean object was made from, where the transform made it.
    pub origin: Option<TransformedMetadata>,
    /// When to write the report.
    pub report: PutIf,
    /// When to write the quarantine.
    pub quarantine: PutIf,
}

impl Targets {
    /// Looks at the targets. What was written before the clean object stands beside it, which saves two questions where nobody was
    /// stopped in between; a close look asks them.
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

    /// Whether report and quarantine are still those that were written with the clean object.
    pub async fn are_whole(&self, store: &dyn ObjectStore, path: &ObjectPath) -> Result<bool, Setback> {
        let Some((report, quarantine)) = beside(self.clean.as_ref(), self.origin.as_ref()) else { return Ok(true) };
        let report_key = path.report_key();
        let quarantine_key = path.quarantine_key();
        let now = try_join!(store.head(&report_key), store.head(&quarantine_key))?;
        Ok((PutIf::still(now.0.as_ref()), PutIf::still(now.1.as_ref())) == (report, quarantine))
    }
}

/// When to write report and quarantine, by what stands beside the clean object; none where it does not say.
fn beside(clean: Option<&ObjectInfo>, origin: Option<&TransformedMetadata>) -> Option<(PutIf, PutIf)> {
    if clean.is_none() {
        return Some((PutIf::Absent, PutIf::Absent));
    }
    let TransformedMetadata { report_etag, quarantine_etag, .. } = origin?;
    Some((PutIf::Matches(report_etag.clone()?), PutIf::Matches(quarantine_etag.clone()?)))
}

/// What an object whose metadata is not of its form fails by.
pub fn bad_metadata(error: MetadataError) -> Failure {
    Failure::new("bad_metadata", format!("{error}; mend the object's metadata, or put it there without any"))
}
