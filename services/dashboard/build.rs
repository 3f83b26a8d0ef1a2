//! Takes the chart library out of its crate and packs it: the program carries a third of it, and sends it as it is.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use flate2::Compression;
use flate2::write::GzEncoder;

fn main() -> anyhow::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").context("find OUT_DIR")?);
    let sources = plotly::Plot::offline_js_sources();
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(first_script(&sources)?.as_bytes()).context("pack plotly.js")?;
    let packed = packed.finish().context("pack plotly.js")?;
    std::fs::write(out.join("plotly.js.gz"), packed).context("write plotly.js.gz")
}

/// The crate gives script elements: plotly.js, and behind it MathJax, which no page here needs.
fn first_script(sources: &str) -> anyhow::Result<&str> {
    let begun =
        sources.split_once('>').map(|(_, script)| script).context("find the first script of the chart library")?;
    let script = begun.split_once("</script>").map(|(script, _)| script).context("find the script's end")?;
    anyhow::ensure!(script.contains("plotly.js v"), "the chart library's first script is not plotly.js any more");
    Ok(script)
}
