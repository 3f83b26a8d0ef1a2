//! The quality of the data: what should be there against what is, and what was set aside.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use candlewick_shared::core::report::{Fate, Report};

use crate::api::objects::find;
use crate::api::series::DaysQuery;
use crate::app::App;
use crate::figures;
use crate::pages::html;
use crate::pages::shell::{Shell, symbol_address};
use crate::problem::Problem;
use crate::query::page::{Page, Paged};
use crate::query::{Asked, At};
use crate::read::objects::{self, LedgerObject, QuarantinedRow};
use crate::read::quality::{self, Sessions};
use crate::sessions::{Completeness, Session};

/// How many days the heatmap has where nothing is said: what fits a screen.
const DAYS: u32 = 60;

/// How many objects the page lists; the API lists all of them.
const OBJECTS: u32 = 100;

#[derive(Template)]
#[template(path = "quality.html")]
struct QualityPage {
    shell: Shell,
    series: Vec<Heat>,
    objects: Page<LedgerObject>,
    days: u32,
}

/// A row of the heatmap.
struct Heat {
    sessions: Sessions,
    address: String,
    expected: i64,
    actual: i64,
}

impl Heat {
    fn of(sessions: Sessions) -> Self {
        let sum =
            |number: fn(&Session) -> u32| sessions.sessions.iter().map(|session| i64::from(number(session))).sum();
        Self {
            expected: sum(|session| session.expected),
            actual: sum(|session| session.actual.min(session.expected)),
            address: symbol_address(&sessions.symbol, &sessions.interval),
            sessions,
        }
    }

    /// The share of what should be there, in percent, rounded down: only all of it is 100.
    fn percent(&self) -> i64 {
        if self.expected == 0 { 100 } else { 100 * self.actual / self.expected }
    }
}

/// The class of a session's cell.
fn class(session: &Session) -> &'static str {
    match session.completeness() {
        Completeness::Full => "full",
        Completeness::Filled => "filled",
        Completeness::Partial => "partial",
        Completeness::Missing => "missing",
        Completeness::Excess => "excess",
    }
}

#[derive(Template)]
#[template(path = "object.html")]
struct ObjectPage {
    shell: Shell,
    object: LedgerObject,
    report: Option<Report>,
    quarantine: Page<QuarantinedRow>,
    /// Why the rows that were set aside cannot be shown.
    unreachable: Option<String>,
    address: String,
}

/// What became of a gap, in words.
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

/// A share in percent.
fn percent(share: &f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// Expected against actual by session, and every object's counts.
///
/// # Errors
/// A database that cannot be read.
pub async fn page(State(app): State<App>, Asked(query): Asked<DaysQuery>) -> Result<Response, Problem> {
    let days = query.days.map_or(DAYS, |_| query.days());
    let series = quality::all(&app, days).await?.into_iter().map(Heat::of).collect();
    let objects = objects::page(&app.pool, None, &Paged { limit: Some(OBJECTS), after: None }).await?;
    html(&QualityPage { shell: Shell::of("quality"), series, objects, days })
}

/// The report on one object, and the rows that were set aside.
///
/// # Errors
/// An id that no object has.
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
