//! The owner's dashboards: the list, one of them, its editor, and what a read-only link shows.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use futures::future::try_join_all;
use jiff::Timestamp;

use crate::api::dashboards::{self as api, TilePath};
use crate::app::App;
use crate::auth::Gate;
use crate::dashboards::document::Tile;
use crate::dashboards::name::Name;
use crate::figures;
use crate::links;
use crate::pages::render::html;
use crate::pages::shell::Shell;
use crate::problem::Problem;
use crate::query::At;
use crate::read::dashboards::{self, Entry, Found};
use crate::read::tiles::{self, Content};

#[derive(Template)]
#[template(path = "dashboards.html")]
struct ListPage {
    shell: Shell,
    entries: Vec<Entry>,
}

#[derive(Template)]
#[template(path = "dashboard.html")]
struct DashboardPage {
    shell: Shell,
    name: Name,
    title: String,
    is_default: bool,
    tiles: Vec<Shown>,
    /// The address for people without a login.
    link: String,
    /// Where the candles of its charts are.
    folder: String,
    now: Timestamp,
}

/// As [`DashboardPage`], without anything that leads elsewhere.
#[derive(Template)]
#[template(path = "shared.html")]
struct SharedPage {
    shell: Shell,
    title: String,
    tiles: Vec<Shown>,
    folder: String,
    now: Timestamp,
}

#[derive(Template)]
#[template(path = "dashboard_editor.html")]
struct EditorPage {
    shell: Shell,
    name: Name,
    /// The dashboard as JSON, and its version.
    document: String,
    version: String,
    is_new: bool,
    can_save: bool,
}

/// A tile with what it shows.
struct Shown {
    place: usize,
    heading: String,
    width: u8,
    tile: Tile,
    content: Content,
}

impl Shown {
    fn is_chart(&self) -> bool {
        matches!(self.content, Content::Chart)
    }

    /// The symbols of a chart, which a change is about.
    fn symbols(&self) -> String {
        let symbols = self.tile.variables.iter().map(|variable| variable.series.symbol.as_str());
        symbols.collect::<Vec<_>>().join(" ")
    }
}

/// Every dashboard.
pub async fn list(State(app): State<App>) -> Result<Response, Problem> {
    html(&ListPage { shell: Shell::of("dashboards"), entries: dashboards::all(&app).await? })
}

/// One dashboard.
pub async fn page(
    State(app): State<App>,
    Extension(gate): Extension<Option<Gate>>,
    At(name): At<Name>,
) -> Result<Response, Problem> {
    let found = dashboards::one(&app, &name).await?;
    let key = gate.and_then(|gate| gate.link_key(name.as_str()));
    html(&DashboardPage {
        shell: Shell::of("dashboards"),
        tiles: shown(&app, &found).await?,
        title: found.document.title,
        is_default: found.is_default,
        link: links::address(name.as_str(), key.as_deref()),
        folder: format!("/api/v1/dashboards/{name}"),
        now: (app.now)(),
        name,
    })
}

/// What a read-only link and a frame of another site show.
pub async fn shared(State(app): State<App>, At(name): At<Name>) -> Result<Response, Problem> {
    let found = dashboards::one(&app, &name).await?;
    html(&SharedPage {
        shell: Shell::of("shared"),
        tiles: shown(&app, &found).await?,
        title: found.document.title,
        folder: format!("{}{name}", links::PREFIX),
        now: (app.now)(),
    })
}

/// The candles of a chart of a shared dashboard.
pub async fn shared_candles(app: State<App>, path: At<TilePath>, headers: HeaderMap) -> Result<Response, Problem> {
    api::candles(app, path, headers).await
}

/// The editor of a dashboard, which need not exist yet.
pub async fn edit(State(app): State<App>, At(name): At<Name>) -> Result<Response, Problem> {
    let found = match dashboards::one(&app, &name).await {
        Err(problem) if problem.status == 404 => None,
        found => Some(found?),
    };
    let document = match &found {
        Some(found) => serde_json::to_string(&found.document).unwrap_or_default(),
        None => serde_json::json!({"title": name, "tiles": []}).to_string(),
    };
    html(&EditorPage {
        shell: Shell::of("dashboards"),
        document,
        is_new: found.is_none(),
        version: found.and_then(|found| found.version).unwrap_or_default(),
        can_save: app.dashboards.can_save(),
        name,
    })
}

async fn shown(app: &App, found: &Found) -> Result<Vec<Shown>, Problem> {
    let one = async |(place, tile): (usize, &Tile)| {
        let content = tiles::content(app, tile).await?;
        Ok(Shown { place, heading: tile.heading(), width: tile.width(), tile: tile.clone(), content })
    };
    try_join_all(found.document.tiles.iter().enumerate().map(one)).await
}
