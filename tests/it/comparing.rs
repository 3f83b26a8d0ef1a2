//! Several symbols on one chart, in a browser.

use anyhow::ensure;
use libtest_mimic::Trial;
use serde_json::Value;

use crate::browser::{self, Browser};
use crate::dashboard::{READY, with_aapl};
use crate::stack::Stack;

/// Without a browser there are no trials; `dashboard` reports that for all of them.
pub fn trials() -> Vec<Trial> {
    let all = trials![a_comparison_leaves_the_candles_where_they_are, a_newer_comparison_ends_an_older_one];
    all.into_iter().map(|trial| trial.with_ignored_flag(!browser::is_there())).collect()
}

const LEGEND: &str = "document.getElementById('legend').textContent";

/// What the chart says of the part that is seen, and of the candle under the mouse in its middle.
fn described(browser: &Browser, query: &str) -> anyhow::Result<Value> {
    browser.go(&format!("/symbol/AAPL/1day?range=3M&{query}"))?;
    browser.until(&format!("{READY} && document.getElementById('legend').dataset.time"))?;
    if query.contains("compare") {
        browser.until(&format!("{LEGEND}.includes('BTC/USD')"))?;
    }
    let newest = browser.ask("return document.getElementById('legend').dataset.time")?;
    browser.point("#chart", 0)?;
    browser.until(&format!("document.getElementById('legend').dataset.time !== {newest}"))?;
    browser.ask(
        "const { from, to } = document.getElementById('chart').dataset;
        return [from, to, document.getElementById('note').textContent, document.getElementById('legend').dataset.time]",
    )
}

/// Bitcoin trades on weekends too: its candles on them have no place on the chart of a stock.
fn a_comparison_leaves_the_candles_where_they_are() -> anyhow::Result<()> {
    let stack = Stack::get();
    stack.eventually("the candles of BTC/USD", || Ok(stack.rows("BTC/USD")? > 1_000))?;
    with_aapl(|browser| {
        let alone = described(browser, "scale=percent")?;
        let compared = described(browser, "compare=BTC/USD&scale=percent")?;
        ensure!(alone == compared, "alone {alone}, compared {compared}");
        let text = browser.ask(&format!("return {LEGEND}"))?;
        ensure!(!text.as_str().unwrap_or_default().contains("BTC/USD –"), "a candle has no value to compare: {text}");
        Ok(())
    })
}

/// Holds the answer about MSFT back until a later comparison is drawn.
fn a_newer_comparison_ends_an_older_one() -> anyhow::Result<()> {
    with_aapl(|browser| {
        browser.go("/symbol/AAPL/1day?range=3M")?;
        browser.until(READY)?;
        browser.ask(
            "const real = window.fetch;
            window.fetch = (address, options) => !String(address).includes('/MSFT/') ? real(address, options)
                : new Promise((resolve) => (window.letGo = () => resolve(real(address).then(marked))));
            // True once the page has read the answer, and had time to draw it.
            const marked = (answer) => Object.assign(answer, { json: () => Response.prototype.json.call(answer).finally(() => setTimeout(() => (window.isLate = true), 300)) });
            window.put = (text) => {
                document.getElementById('compare').value = text;
                document.getElementById('compare').dispatchEvent(new Event('change'));
            };
            window.put('MSFT')",
        )?;
        browser.until("window.letGo")?;
        browser.ask("window.put('BRK.B')")?;
        browser.until(&format!("{LEGEND}.includes('BRK.B')"))?;
        browser.ask("window.letGo()")?;
        browser.until("window.isLate")?;
        let text = browser.ask(&format!("return {LEGEND}"))?;
        let text = text.as_str().unwrap_or_default();
        ensure!(text.contains("BRK.B") && !text.contains("MSFT"), "the older comparison came last: {text}");
        Ok(())
    })
}
