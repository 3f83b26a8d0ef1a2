//! Reads the series of a run: from the database, and for those that are fetched and not loaded also from the bucket.

use candlewick_shared::adapters::database::DbTime;
use candlewick_shared::core::alert::Kind;
use candlewick_shared::core::candle::CandleTime;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::metadata::TransformedMetadata;
use candlewick_shared::core::symbol::Symbol;
use candlewick_shared::reads::runs::{self, RunSeries, Selection};
use futures::stream::{self, StreamExt};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::problem::Problem;
use crate::query::page::{Page, Paged};
use crate::query::runs::Until;

/// How many objects are asked for at a time, and at most for one answer.
const AT_ONCE: usize = 8;
const MOST_OBJECTS: usize = 200;

/// A series of a run, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RunSeries)]
pub struct ShownSeries {
    /// The symbol of the instrument.
    pub symbol: String,
    /// The interval of the candles.
    pub interval: String,
    /// `expected`, `fetched`, `transformed`, `loaded`, `unchanged` (the source had nothing new), `superseded` (fetched again
    /// before it was loaded) or `failed`.
    pub state: String,
    /// Why it failed.
    pub reason: Option<String>,
    /// If it failed: the command that requests it again, once the cause is fixed.
    pub next: Option<String>,
    /// The number of candles that the run added.
    pub rows_new: i64,
    /// The number of candles that it changed.
    pub rows_changed: i64,
    /// The number of candles that it removed.
    pub rows_removed: i64,
    /// When the last of them was committed.
    #[schema(value_type = Option<String>)]
    pub loaded_at: Option<DbTime>,
    /// The time of the first stored candle: a date, or an instant for intraday candles.
    pub first: Option<String>,
    /// The time of the last stored candle.
    pub last: Option<String>,
    /// The key of the transformed object that was loaded last for this run.
    pub key: Option<String>,
    /// The version of that object.
    pub etag: Option<String>,
}

impl ShownSeries {
    fn of(row: RunSeries, is_transformed: bool) -> Self {
        let interval: Option<Interval> = row.interval.parse().ok();
        let symbol: Option<Symbol> = row.symbol.parse().ok();
        let shown = |time: DbTime| {
            interval.map(|interval| CandleTime::from_seconds(time.0.as_second()).display(interval).to_string())
        };
        let is_failed = row.state == "failed";
        Self {
            next: is_failed.then(|| Kind::IngestFailed.next_step("ingest", symbol.as_ref())),
            state: if is_transformed { "transformed".to_owned() } else { row.state },
            first: row.first.and_then(shown),
            last: row.last.and_then(shown),
            symbol: row.symbol,
            interval: row.interval,
            reason: row.reason,
            rows_new: row.rows_new,
            rows_changed: row.rows_changed,
            rows_removed: row.rows_removed,
            loaded_at: row.loaded_at,
            key: row.key,
            etag: row.etag,
        }
    }

    fn has_reached(&self, until: Until) -> bool {
        match self.state.as_str() {
            "expected" => false,
            "fetched" => until == Until::Fetched,
            "transformed" => until != Until::Loaded,
            _ => true,
        }
    }
}

/// A page of the series of a run, as it is sent.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RunSeriesPage {
    #[serde(flatten)]
    pub page: Page<ShownSeries>,
    /// Whether each series on the page has got as far as was asked for, and no other will be added to the run.
    pub complete: bool,
}

/// A page of the series of a run.
pub struct RunPart {
    pub page: Page<ShownSeries>,
    /// Whether no other series will be added to the run.
    is_complete: bool,
}

impl RunPart {
    /// Reads a page; `None` if there is no such run.
    pub async fn read(
        app: &App,
        run: &str,
        symbol: Option<&Symbol>,
        interval: Option<Interval>,
        paged: &Paged,
    ) -> Result<Option<Self>, Problem> {
        if runs::one(&app.pool, run).await?.is_none() {
            return Ok(None);
        }
        let selection = Selection {
            symbol: symbol.map(Symbol::as_str),
            interval: interval.map(Interval::as_str),
            skipped: paged.skipped(),
            most: paged.one_more(),
        };
        // Asked first: what is added between the two queries is not missing from a complete run.
        let is_complete = runs::is_complete(&app.pool, run).await?;
        let rows = runs::series(&app.pool, run, selection).await?;
        let page = Page::counted(shown(app, run, rows).await, paged);
        Ok(Some(Self { page, is_complete }))
    }

    /// Whether each series of the page is settled, or has got as far as that.
    pub fn has_reached(&self, until: Until) -> bool {
        self.is_complete && self.page.rows.iter().all(|series| series.has_reached(until))
    }

    /// The page as it is sent.
    pub fn sent(self, until: Until) -> RunSeriesPage {
        RunSeriesPage { complete: self.has_reached(until), page: self.page }
    }
}

async fn shown(app: &App, run: &str, rows: Vec<RunSeries>) -> Vec<ShownSeries> {
    let waiting = rows.iter().filter(|row| row.state == "fetched").map(|row| row.waiting.len()).sum::<usize>();
    let is_looked_for = waiting <= MOST_OBJECTS;
    let each = rows.into_iter().map(|row| async move {
        let is_transformed = is_looked_for && row.state == "fetched" && are_transformed(app, run, &row.waiting).await;
        ShownSeries::of(row, is_transformed)
    });
    stream::iter(each).buffered(AT_ONCE).collect().await
}

/// Whether all of these objects are written for the run. An object that cannot be read now counts as not written: the next
/// answer may have it.
async fn are_transformed(app: &App, run: &str, keys: &[String]) -> bool {
    for key in keys {
        let Ok(Some(object)) = app.store.head(key).await else { return false };
        let metadata = TransformedMetadata::read(&object.metadata).ok().flatten();
        if metadata.and_then(|metadata| metadata.run).as_deref() != Some(run) {
            return false;
        }
    }
    !keys.is_empty()
}
