//! Every page against the rules of WCAG 2.2 AA and the best practices of axe-core, in both themes and at three widths.

use anyhow::{Context, ensure};
use candlewick_test_support::programs;
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

/// Every page. Lists are limited to AAPL where they can be: a list of everything is what other tests put there meanwhile.
const PAGES: [&str; 17] = [
    "/?search=AAPL",
    "/?search=no-such-symbol",
    "/symbol/AAPL/1day?indicators=sma20,sma50,rsi14",
    "/symbol/AAPL/1week?compare=MSFT&scale=percent",
    "/lineage/AAPL/1day?time=2024-12-30",
    "/pipeline",
    "/quality?search=AAPL",
    "/quality?search=AAPL&days=180",
    OBJECT,
    "/changes?symbol=AAPL",
    "/gaps?search=AAPL",
    "/dashboards",
    "/dashboards/stocks",
    "/dashboards/stocks/edit",
    "/shared/stocks",
    "/api",
    "/nothing",
];

/// The page of an object: its address is found on the page of the objects.
const OBJECT: &str = "/quality/ID";

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
        let mut violations = Vec::new();
        let pages = pages(browser)?;
        for width in [1440, 900, 500] {
            browser.resize(width, 900)?;
            for theme in ["light", "dark"] {
                for page in &pages {
                    open(browser, page, theme)?;
                    browser.ask(&axe)?;
                    let found = browser.ask_later(RUN, Vec::new())?;
                    if found != json!([]) {
                        violations.push(format!("{page}, {theme}, {width} pixels wide: {found:#}"));
                    }
                    let sideways: Value = browser
                        .ask("return document.documentElement.scrollWidth - document.documentElement.clientWidth")?;
                    if sideways != json!(0) {
                        violations.push(format!("{page} at {width} pixels scrolls sideways by {sideways}"));
                    }
                }
            }
        }
        ensure!(violations.is_empty(), "{}", violations.join("\n"));
        Ok(())
    })
}

fn pages(browser: &Browser) -> anyhow::Result<Vec<String>> {
    browser.go("/quality")?;
    browser.until("document.querySelector(\"td[data-value^='transformed/'] a\")")?;
    let object =
        browser.ask("return document.querySelector(\"td[data-value^='transformed/'] a\").getAttribute('href')")?;
    let object = object.as_str().context("find the page of an object")?;
    Ok(PAGES.into_iter().map(|page| if page == OBJECT { object.to_owned() } else { page.to_owned() }).collect())
}

fn open(browser: &Browser, page: &str, theme: &str) -> anyhow::Result<()> {
    browser.go(page)?;
    browser.ask(&format!("localStorage.setItem('theme', '{theme}'); location.reload()"))?;
    browser
        .until(&format!("document.documentElement.dataset.theme === '{theme}' && document.getElementById('main')"))?;
    if page.starts_with("/symbol") {
        browser.until(READY)?;
    }
    browser.until("[...document.querySelectorAll('[data-candles]')].every((chart) => chart.dataset.state === 'ready')")
}
