//! Scripts, styles and pictures: part of the program, at addresses that change with their content, so that browsers keep
//! them for ever.

use std::io::Read;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::problem::Problem;

/// A file of ours.
struct Asset {
    name: &'static str,
    media_type: &'static str,
    body: &'static [u8],
}

macro_rules! asset {
    ($name:literal, $media_type:expr) => {
        Asset { name: $name, media_type: $media_type, body: include_bytes!(concat!("../assets/", $name)) }
    };
}

const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

static ASSETS: [Asset; 13] = [
    asset!("app.js", SCRIPT),
    asset!("chart.js", SCRIPT),
    asset!("keys.js", SCRIPT),
    asset!("indicators.js", SCRIPT),
    asset!("live.js", SCRIPT),
    asset!("series.js", SCRIPT),
    asset!("symbol.js", SCRIPT),
    asset!("table.js", SCRIPT),
    asset!("theme.js", SCRIPT),
    asset!("view.js", SCRIPT),
    asset!("plotly.css", STYLE),
    asset!("style.css", STYLE),
    asset!("icon.svg", "image/svg+xml"),
];

/// The chart library, packed when the program was built.
static PLOTLY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/plotly.js.gz"));

/// The folder of our files: one digest for all of them, because scripts name each other relatively.
pub static FOLDER: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    ASSETS.iter().for_each(|asset| hash.update(asset.body));
    format!("/assets/{}", digits(&hash.finalize()))
});

/// The address of the chart library. It has a digest of its own: it stays the same where only our files change.
pub static PLOTLY_ADDRESS: LazyLock<String> =
    LazyLock::new(|| format!("/assets/plotly-{}.js", digits(&Sha256::digest(PLOTLY))));

fn digits(hash: &[u8]) -> String {
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Sends a file of ours. An address of another version has nothing: what it held is not known.
///
/// # Errors
/// A file that there is not.
pub async fn asset(Path((folder, name)): Path<(String, String)>) -> Result<Response, Problem> {
    let is_current = FOLDER.rsplit('/').next() == Some(folder.as_str());
    let asset = ASSETS.iter().find(|asset| asset.name == name).filter(|_| is_current);
    let asset = asset.ok_or_else(|| Problem::not_found("there is no such file in this version"))?;
    Ok(for_ever(([(header::CONTENT_TYPE, asset.media_type)], asset.body).into_response()))
}

/// Sends the chart library: packed as it lies, or unpacked to the few that do not take it so.
///
/// # Errors
/// Another version's file.
pub async fn plotly(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    if !PLOTLY_ADDRESS.ends_with(&format!("/{name}")) {
        return Err(Problem::not_found("there is no such file in this version"));
    }
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    let mut response = if accepted.is_some_and(|accepted| accepted.contains("gzip")) {
        ([(header::CONTENT_ENCODING, "gzip")], PLOTLY).into_response()
    } else {
        unpack(PLOTLY).map_err(|error| Problem::unavailable(format!("unpack: {error}")))?.into_response()
    };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(SCRIPT));
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    Ok(for_ever(response))
}

fn unpack(packed: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut unpacked)?;
    Ok(unpacked)
}

fn for_ever(mut response: Response) -> Response {
    let value = HeaderValue::from_static("public, max-age=31536000, immutable");
    response.headers_mut().insert(header::CACHE_CONTROL, value);
    response
}
