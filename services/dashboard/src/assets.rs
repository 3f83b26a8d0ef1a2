//! Scripts, styles and images. They are embedded in the program, at addresses that change with their content, so that
//! browsers can cache them forever.

use std::io::Write;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use crate::problem::Problem;

/// An embedded file.
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

static ASSETS: [Asset; 31] = [
    asset!("app.js", SCRIPT),
    asset!("chart.js", SCRIPT),
    asset!("compare.js", SCRIPT),
    asset!("controls.js", SCRIPT),
    asset!("cursor.js", SCRIPT),
    asset!("dashboard.js", SCRIPT),
    asset!("document.js", SCRIPT),
    asset!("editor.js", SCRIPT),
    asset!("fetching.js", SCRIPT),
    asset!("figures.js", SCRIPT),
    asset!("heatmap.js", SCRIPT),
    asset!("keys.js", SCRIPT),
    asset!("later.js", SCRIPT),
    asset!("legend.js", SCRIPT),
    asset!("levels.js", SCRIPT),
    asset!("lines.js", SCRIPT),
    asset!("live.js", SCRIPT),
    asset!("notice.js", SCRIPT),
    asset!("picture.js", SCRIPT),
    asset!("regions.js", SCRIPT),
    asset!("rows.js", SCRIPT),
    asset!("series.js", SCRIPT),
    asset!("stream.js", SCRIPT),
    asset!("switcher.js", SCRIPT),
    asset!("symbol.js", SCRIPT),
    asset!("table.js", SCRIPT),
    asset!("theme.js", SCRIPT),
    asset!("tile_form.js", SCRIPT),
    asset!("view.js", SCRIPT),
    asset!("style.css", STYLE),
    asset!("icon.svg", "image/svg+xml"),
];

/// The chart library as its package has it (`assets/vendor`). A test compares its digest.
pub static CHART_LIBRARY: &[u8] = include_bytes!("../assets/vendor/lightweight-charts-5.2.1.js");

/// The address of the chart library. It contains the version, so that it does not change when only our own files do.
pub const CHART_LIBRARY_ADDRESS: &str = "/assets/lightweight-charts-5.2.1.js";

static PACKED_CHART_LIBRARY: LazyLock<Vec<u8>> = LazyLock::new(|| pack(CHART_LIBRARY));

/// The folder of our own files. One digest covers all of them because scripts refer to each other by relative paths.
pub static FOLDER: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    ASSETS.iter().for_each(|asset| hash.update(asset.body));
    format!("/assets/{}", digits(&hash.finalize()))
});

fn digits(hash: &[u8]) -> String {
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Serves one of our own files, but only for the current digest: the content of other versions is unknown.
pub async fn asset(Path((folder, name)): Path<(String, String)>) -> Result<Response, Problem> {
    let is_current = FOLDER.rsplit('/').next() == Some(folder.as_str());
    let asset = ASSETS.iter().find(|asset| asset.name == name).filter(|_| is_current);
    let asset = asset.ok_or_else(|| Problem::not_found("there is no such file in this version"))?;
    Ok(for_ever(([(header::CONTENT_TYPE, asset.media_type)], asset.body).into_response()))
}

/// Serves the chart library, compressed (once) if the client accepts it.
pub async fn chart_library(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    if !CHART_LIBRARY_ADDRESS.ends_with(&format!("/{name}")) {
        return Err(Problem::not_found("there is no such file in this version"));
    }
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    let takes_gzip = accepted.is_some_and(|accepted| accepted.contains("gzip")) && !PACKED_CHART_LIBRARY.is_empty();
    let mut response = if takes_gzip {
        ([(header::CONTENT_ENCODING, "gzip")], PACKED_CHART_LIBRARY.as_slice()).into_response()
    } else {
        CHART_LIBRARY.into_response()
    };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(SCRIPT));
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    Ok(for_ever(response))
}

/// Returns an empty vector if the compression fails; the file is then sent uncompressed.
fn pack(plain: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(plain).and_then(|()| packed.finish()).unwrap_or_default()
}

fn for_ever(mut response: Response) -> Response {
    let value = HeaderValue::from_static("public, max-age=31536000, immutable");
    response.headers_mut().insert(header::CACHE_CONTROL, value);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The file dist/lightweight-charts.standalone.production.mjs of the package lightweight-charts 5.2.1.
    #[test]
    fn the_chart_library_is_the_one_that_its_makers_published() {
        let digest: String = Sha256::digest(CHART_LIBRARY).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, "1bb1ee79f9d4dd17261b53d930f7a8995748276f80e7ba0e24412b5068062f5f");
    }

    #[test]
    fn scripts_name_the_chart_library_by_its_address() {
        let chart = ASSETS.iter().find(|asset| asset.name == "chart.js").map(|asset| asset.body).unwrap();
        let import = format!("from \"..{}\"", CHART_LIBRARY_ADDRESS.trim_start_matches("/assets"));
        assert!(std::str::from_utf8(chart).unwrap().contains(&import));
    }
}
