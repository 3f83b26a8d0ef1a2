//! Every page against the rules of WCAG 2.2 AA and the best practices of axe-core, in both themes and at three widths.

use anyhow::{Context, ensure};
use candlewick_testbed::programs;
use libtest_mimic::Trial;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::browser::{self, Browser};
use crate::dashboard::{READY, with_aapl};

/// Without a browser there are no trials; `dashboard` reports that for all of them.
pub fn trials() -> Vec<Trial> {
    let all = trials![every_page_is_accessible_in_both_themes_and_at_three_widths];
    all.into_iter().map(|trial| trial.with_ignored_flag(!browser::is_there())).collect()
}

/// The pages without lists of everything in the store: what other tests put there at the same time would be judged too.
const PAGES: [&str; 2] = ["/symbol/AAPL/1day?indicators=sma20,sma50,rsi14", "/api"];

/// The npm package axe-core 4.14.1, unmodified.
const AXE: &str = "tests/vendor/axe-core-4.14.1/axe.min.js";
const DIGEST: &str = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c";

fn axe() -> anyhow::Result<String> {
    let script = std::fs::read_to_string(programs::root().join(AXE)).context("read axe-core")?;
    let digest: String = Sha256::digest(&script).iter().map(|byte| format!("{byte:02x}")).collect();
    ensure!(digest == DIGEST, "{AXE} has the digest {digest}");
    Ok(script)
}

const RUN: &str = "const done = arguments[0];
    axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then(({ violations }) =>
        done(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(', ')}`)));";

fn every_page_is_accessible_in_both_themes_and_at_three_widths() -> anyhow::Result<()> {
    let axe = axe()?;
    with_aapl(|browser| {
        for width in [1440, 900, 500] {
            browser.resize(width, 900)?;
            for theme in ["light", "dark"] {
                for page in PAGES {
                    open(browser, page, theme)?;
                    browser.ask(&axe)?;
                    let found = browser.ask_later(RUN, Vec::new())?;
                    ensure!(found == json!([]), "{page}, {theme}, {width} pixels wide: {found:#}");
                    let sideways: Value = browser
                        .ask("return document.documentElement.scrollWidth - document.documentElement.clientWidth")?;
                    ensure!(sideways == json!(0), "{page} at {width} pixels scrolls sideways by {sideways}");
                }
            }
        }
        Ok(())
    })
}

fn open(browser: &Browser, page: &str, theme: &str) -> anyhow::Result<()> {
    browser.go(page)?;
    browser.ask(&format!("localStorage.setItem('theme', '{theme}'); location.reload()"))?;
    browser
        .until(&format!("document.documentElement.dataset.theme === '{theme}' && document.getElementById('live')"))?;
    if page.starts_with("/symbol") { browser.until(READY) } else { Ok(()) }
}
