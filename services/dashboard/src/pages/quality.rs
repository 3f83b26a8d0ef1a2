//! The quality of the data as a page: expected and actual candles, and quarantined rows.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use candlewick_shared::core::report::{Fate, Report};
use serde::Deserialize;

use crate::api::objects::find;
use crate::api::series::DaysQuery;
use crate::app::App;
use crate::figures;
use crate::pages::heatmap::{self, Heat, HeatColumn};
use crate::pages::render::html;
use crate::pages::shell::{Shell, symbol_address};
use crate::problem::Problem;
use crate::query::listing::{Only, SeriesQuery};
use crate::query::page::{Page, Paged};
use crate::query::{Asked, At};
use crate::read::health::{self, Counts};
use crate::read::objects::{self, LedgerObject, QuarantinedRow};
use crate::read::quality;

/// The default number of days of the heatmap: as many as fit on a screen.
const DAYS: u32 = 60;

/// The maximum number of series in the heatmap.
const SERIES: u32 = 50;

/// How many objects the page lists; the API lists all of them.
const OBJECTS: u32 = 100;

#[derive(Template)]
#[template(path = "quality.html")]
struct QualityPage {
    shell: Shell,
    columns: Vec<HeatColumn>,
    series: Vec<Heat>,
    counts: Counts,
    query: QualityQuery,
    days: u32,
    more: Option<i64>,
    objects: Page<LedgerObject>,
}

/// Selects a part of the heatmap.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualityQuery {
    days: Option<u32>,
    search: Option<String>,
    only: Option<Only>,
    after: Option<i64>,
}

impl QualityPage {
    fn search(&self) -> &str {
        self.query.search.as_deref().unwrap_or_default()
    }

    /// Whether there is room for the names of days, each as wide as a few cells, and not only for those of months.
    fn names_days(&self) -> bool {
        self.columns.len() <= 70
    }

    fn only_gaps(&self) -> bool {
        self.query.only == Some(Only::Gaps)
    }
}

#[derive(Template)]
#[template(path = "object.html")]
struct ObjectPage {
    shell: Shell,
    object: LedgerObject,
    report: Option<Report>,
    quarantine: Page<QuarantinedRow>,
    /// Why the quarantined rows cannot be shown.
    unreachable: Option<String>,
    address: String,
}

/// The fate of a gap in words.
fn fate(fate: &Fate) -> &'static str {
    match fate {
        Fate::Filled => "filled",
        Fate::TooLong => "left vacant: longer than max_fill",
        Fate::Edge => "left vacant: at the edge of the object",
        Fate::Horizon => "left vacant: beyond the calendar",
        Fate::Quarantined => "left vacant: the source has a row there that was quarantined",
        Fate::LeftVacant => "left vacant: by an earlier cleaning",
    }
}

/// The same for the serialized name of a fate.
pub(super) fn fate_of(word: &str) -> String {
    serde_json::from_value::<Fate>(word.into()).map_or_else(|_| word.to_owned(), |known| fate(&known).to_owned())
}

/// A share in percent.
fn percent(share: &f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// Expected and actual candles by session, and the counts of every object.
pub async fn page(State(app): State<App>, Asked(query): Asked<QualityQuery>) -> Result<Response, Problem> {
    let days = DaysQuery { days: query.days.or(Some(DAYS)) }.days();
    let wanted = SeriesQuery {
        search: query.search.clone(),
        only: query.only,
        limit: Some(SERIES),
        after: query.after,
        ..SeriesQuery::default()
    };
    let listing = health::listing(&app, &wanted).await?;
    let sessions = quality::of(&app, &listing.page.rows, days).await?;
    let dates = heatmap::dates(&sessions);
    html(&QualityPage {
        shell: Shell::of("quality"),
        columns: heatmap::columns(&dates),
        series: sessions.into_iter().map(|sessions| Heat::new(sessions, &dates)).collect(),
        counts: listing.counts,
        days,
        more: listing.page.next,
        objects: objects::page(&app.pool, None, &Paged { limit: Some(OBJECTS), after: None }).await?,
        query,
    })
}

/// The cleaning report of one object and its quarantined rows.
pub async fn object(State(app): State<App>, At(id): At<i64>, Asked(paged): Asked<Paged>) -> Result<Response, Problem> {
    let object = find(&app, id).await?;
    let report = objects::report(&app.pool, id).await?;
    let (quarantine, unreachable) = match objects::quarantined(app.store.as_ref(), &object, &paged).await {
        Ok(rows) => (rows, None),
        Err(problem) => (Page { rows: Vec::new(), next: None }, Some(problem.detail)),
    };
    let address = symbol_address(&object.symbol, &object.interval);
    html(&ObjectPage { shell: Shell::of("quality"), object, report, quarantine, unreachable, address })
}
