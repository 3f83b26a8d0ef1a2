//! Puts what was fetched of a part of a series.

use candlewick_shared::core::form::SaidForm;
use candlewick_shared::core::key::{ObjectPath, Part};
use candlewick_shared::core::metadata::{Instrument, RawMetadata};
use candlewick_shared::core::raw_csv;
use candlewick_shared::ports::store::{NewObject, PutIf};
use candlewick_shared::runtime::outcome::Setback;
use candlewick_shared::runtime::telemetry;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::fetch::{Fetched, Fetching};
use crate::kept::{self, KeptObject};

/// The name under which an object keeps how many of its past candles changed when it was last fetched.
const CHANGED: &str = "changed-candles";

impl Fetching<'_> {
    /// Puts a part. A loss is told before it is marked: whoever is broken off in between tells it once more, and that counts
    /// as once.
    pub(crate) async fn put(
        &mut self,
        part: Part,
        fetched: &Fetched,
        kept: Option<&KeptObject>,
    ) -> Result<(), Setback> {
        let (series, changed) = (&self.task.series, fetched.overlap.changed);
        let is_emptied = self.task.replace && kept.is_some_and(|kept| !kept.rows.is_empty());
        if fetched.rows.is_empty() && !is_emptied {
            tracing::info!(%series, "nothing to fetch");
            return Ok(());
        }
        self.tell_of_losses(part, fetched, kept).await;
        let body = raw_csv::write(&fetched.rows).map_err(anyhow::Error::from)?;
        let key = ObjectPath { series: series.clone(), part }.raw_key();
        let fetched_at = (self.ingest.now)();
        let metadata = self.metadata(&fetched.instrument, &body, fetched_at);
        let mut metadata = RawMetadata { is_emptied: fetched.rows.is_empty(), ..metadata }.write();
        metadata.extend(self.earliest.map(|earliest| (kept::EARLIEST.to_owned(), earliest.to_string())));
        metadata.extend(kept::vacant_entry(&self.vacant));
        metadata.extend(kept::shrank_entry(fetched.losses.iter().map(|loss| loss.fetched_at)));
        metadata.extend(fetched.anew.map(|since| (kept::ANEW.to_owned(), since.to_string())));
        metadata.extend((changed > 0).then(|| (CHANGED.to_owned(), changed.to_string())));
        self.ingest.store.put(&key, NewObject::csv(body, metadata), PutIf::Always).await?;
        tracing::info!(key, rows = fetched.rows.len(), changed, run = self.task.run, "fetched");
        self.tell_of_returns(part, fetched, kept).await;
        self.written.insert(part, fetched_at);
        Ok(())
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
}
