//! Stores the fetched candles of one part of a series.

use std::collections::BTreeSet;

use anyhow::anyhow;
use candlewick_shared::core::form::SaidForm;
use candlewick_shared::core::key::{Month, Part};
use candlewick_shared::core::metadata::{Instrument, Metadata, RawMetadata};
use candlewick_shared::core::raw_csv;
use candlewick_shared::ports::store::{NewObject, Put, PutIf};
use candlewick_shared::runtime::outcome::Setback;
use candlewick_shared::runtime::telemetry;
use jiff::Timestamp;
use jiff::civil::Date;
use sha2::{Digest, Sha256};

use crate::context::Ingest;
use crate::fetch::alerts::SeriesAlerts;
use crate::fetch::kept;
use crate::fetch::kept_object::KeptObject;
use crate::fetch::task::{Fetched, Task};

/// The metadata entry with the number of past candles that changed in the last fetch.
const CHANGED: &str = "changed-candles";

/// Stores parts of one series.
pub(crate) struct Writer<'a> {
    pub(crate) ingest: &'a Ingest,
    pub(crate) task: &'a Task,
    pub(crate) alerts: SeriesAlerts<'a>,
    pub(crate) earliest: Option<Date>,
    pub(crate) vacant: &'a BTreeSet<Month>,
}

impl Writer<'_> {
    /// Stores a part and returns when it was fetched; `None` if there was nothing to store.
    ///
    /// The part must be `unchanged` since the answer was compared with it. Otherwise candles that another program wrote in the
    /// meantime could be lost.
    ///
    /// A loss is reported before the object records it. After a crash in between it is reported again, which counts as once.
    pub(crate) async fn put(
        &self,
        part: Part,
        fetched: &Fetched,
        kept: Option<&KeptObject>,
        unchanged: PutIf,
    ) -> Result<Option<Timestamp>, Setback> {
        let is_emptied = self.task.replace && kept.is_some_and(|kept| !kept.rows.is_empty());
        if fetched.rows.is_empty() && !is_emptied {
            tracing::info!(series = %self.task.series, "nothing to store");
            return Ok(None);
        }
        self.alerts.losses(part, fetched, kept).await;
        let body = raw_csv::write(&fetched.rows).map_err(anyhow::Error::from)?;
        let key = self.task.path(part).raw_key();
        let fetched_at = (self.ingest.now)();
        let metadata = self.entries(fetched, self.metadata(&fetched.instrument, &body, fetched_at));
        let put = self.ingest.store.put(&key, NewObject::csv(body, metadata), unchanged).await?;
        if put == Put::Changed {
            let series = &self.task.series;
            return Err(Setback::Retry(anyhow!("{key} was written by another program while {series} was fetched")));
        }
        tracing::info!(
            key,
            rows = fetched.rows.len(),
            changed = fetched.overlap.changed,
            run = self.task.run,
            "fetched"
        );
        self.alerts.returns(part, fetched, kept).await;
        Ok(Some(fetched_at))
    }

    fn metadata(&self, instrument: &Instrument, body: &[u8], fetched_at: Timestamp) -> RawMetadata {
        let is_intraday = self.task.series.interval.is_intraday();
        RawMetadata {
            source: Some(kept::SOURCE.to_owned()),
            fetched_at: Some(fetched_at),
            instrument: instrument.clone(),
            adjust: Some("splits".to_owned()).filter(|_| !is_intraday),
            sha256: Some(Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()),
            traceparent: telemetry::current().or(self.task.trace),
            run: Some(self.task.run.clone()),
            first_written: None,
            is_emptied: false,
            form: SaidForm::default(),
        }
    }

    /// The metadata of a raw object, with the entries that only ingest reads.
    fn entries(&self, fetched: &Fetched, metadata: RawMetadata) -> Metadata {
        let changed = fetched.overlap.changed;
        let mut entries = RawMetadata { is_emptied: fetched.rows.is_empty(), ..metadata }.write();
        entries.extend(self.earliest.map(|earliest| (kept::EARLIEST.to_owned(), earliest.to_string())));
        entries.extend(kept::vacant_entry(self.vacant));
        entries.extend(kept::losses_entry(&fetched.losses.iter().map(|loss| loss.fetched_at).collect()));
        entries.extend(fetched.refetched_since.map(|since| (kept::REFETCHED_SINCE.to_owned(), since.to_string())));
        entries.extend((changed > 0).then(|| (CHANGED.to_owned(), changed.to_string())));
        entries
    }
}
