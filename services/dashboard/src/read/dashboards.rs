//! Reads dashboards: the owner's documents, and the default ones of the watchlist's groups.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::dashboards::document::{Document, Fault};
use crate::dashboards::files::Stored;
use crate::dashboards::groups;
use crate::dashboards::name::Name;
use crate::problem::Problem;

/// A dashboard in the list of all.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = DashboardEntry)]
pub struct Entry {
    /// The last part of its address.
    #[schema(value_type = String, example = "stocks")]
    pub name: Name,
    /// The heading; the name if the document is not valid.
    pub title: String,
    /// Whether it is the default one of a group of the watchlist, and not a document.
    pub is_default: bool,
    /// What is wrong with the document.
    pub fault: Option<Fault>,
}

/// A valid dashboard.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Dashboard)]
pub struct Found {
    /// The last part of its address.
    #[schema(value_type = String, example = "stocks")]
    pub name: Name,
    #[serde(flatten)]
    pub document: Document,
    /// Whether it is the default one of a group of the watchlist, and not a document.
    pub is_default: bool,
    /// The version of the document, for `If-Match` of a PUT; null for a default one.
    pub version: Option<String>,
}

/// Every dashboard, by name. A document takes the place of a default one with its name.
pub async fn all(app: &App) -> Result<Vec<Entry>, Problem> {
    let mut entries: BTreeMap<Name, Entry> = BTreeMap::new();
    for (name, document) in defaults(app).await? {
        entries.insert(name.clone(), Entry { name, title: document.title, is_default: true, fault: None });
    }
    let documents = match &app.dashboards.files {
        Some(files) => files.all().await.map_err(unreadable)?,
        None => BTreeMap::new(),
    };
    for (name, stored) in documents {
        let (title, fault) = match stored.document() {
            Ok(document) => (document.title, None),
            Err(fault) => (name.to_string(), Some(fault)),
        };
        entries.insert(name.clone(), Entry { name, title, is_default: false, fault });
    }
    Ok(entries.into_values().collect())
}

/// One dashboard.
pub async fn one(app: &App, name: &Name) -> Result<Found, Problem> {
    if let Some(stored) = stored(app, name).await? {
        let document = stored.document().map_err(|fault| broken(app, name, &fault))?;
        return Ok(Found { name: name.clone(), document, is_default: false, version: Some(stored.version) });
    }
    let default = defaults(app).await?.remove(name);
    let document = default.ok_or_else(|| Problem::not_found(format!("there is no dashboard {name}")))?;
    Ok(Found { name: name.clone(), document, is_default: true, version: None })
}

/// The document with a name, if there is one.
pub async fn stored(app: &App, name: &Name) -> Result<Option<Stored>, Problem> {
    match &app.dashboards.files {
        Some(files) => files.one(name).await.map_err(unreadable),
        None => Ok(None),
    }
}

/// While the watchlist is invalid, only the documents are shown.
async fn defaults(app: &App) -> Result<BTreeMap<Name, Document>, Problem> {
    let watchlist = app.watchlist().await.ok().flatten();
    Ok(watchlist.map(|watchlist| groups::of_watchlist(&watchlist)).unwrap_or_default())
}

fn broken(app: &App, name: &Name, fault: &Fault) -> Problem {
    let location = app.dashboards.files.as_ref().map(|files| files.location_of(name)).unwrap_or_default();
    Problem::unprocessable(format!("fix the dashboard {location}: {fault}"))
}

fn unreadable(error: anyhow::Error) -> Problem {
    tracing::error!("read dashboards: {error:#}");
    Problem::unavailable("the dashboards cannot be read; the log says why")
}
