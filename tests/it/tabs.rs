//! Pages that update by themselves, in many tabs of one browser.

use anyhow::ensure;
use libtest_mimic::Trial;
use serde_json::json;

use crate::browser::{self, Browser};
use crate::candles::daily;
use crate::dashboard::{READY, with_aapl};
use crate::stack::Stack;

/// Without a browser there are no trials; `dashboard` reports that for all of them.
pub fn trials() -> Vec<Trial> {
    let all = trials![
        twenty_tabs_are_live_at_once,
        only_the_row_that_changed_is_fetched,
        a_burst_of_changes_is_a_few_refreshes_one_at_a_time,
        a_hidden_tab_hears_nothing_and_catches_up_when_it_is_seen
    ];
    all.into_iter().map(|trial| trial.with_ignored_flag(!browser::is_there())).collect()
}

const LIVE: &str = "document.getElementById('live').dataset.state === 'live'";

/// Browsers open six connections per host: one stream per tab would use them all.
fn twenty_tabs_are_live_at_once() -> anyhow::Result<()> {
    with_aapl(|browser| {
        for count in [6, 20] {
            while browser.tabs()? < count {
                browser.open_tab()?;
                browser.go("/symbol/AAPL/1day?range=3M")?;
                browser.until(&format!("{LIVE} && {READY}"))?;
            }
            browser.click("nav a[href='/pipeline']")?;
            browser.until(&format!("location.pathname === '/pipeline' && {LIVE}"))?;
            let symbol = format!("TABS{count}");
            browser.go(&format!("/?search={symbol}"))?;
            browser.until(LIVE)?;
            Stack::get().put(&format!("raw/interval=1day/symbol={symbol}/candles.csv"), daily(&["2024-12-26"]))?;
            browser.until(&format!("document.querySelector('tr[data-search=\"{symbol} 1day\"]')"))?;
        }
        Ok(())
    })
}

/// The list has two series, and one is loaded again.
fn only_the_row_that_changed_is_fetched() -> anyhow::Result<()> {
    with_aapl(|browser| {
        let drop = |symbol: &str, days: &[&str]| {
            Stack::get().put(&format!("raw/interval=1day/symbol={symbol}/candles.csv"), daily(days))
        };
        drop("ROWA", &["2024-12-26"])?;
        drop("ROWB", &["2024-12-26"])?;
        Stack::get().eventually("both rows", || Ok(Stack::get().rows("ROWA")? + Stack::get().rows("ROWB")? == 2))?;
        browser.go("/?search=ROW")?;
        browser.until(&format!("{LIVE} && document.querySelectorAll('tr[data-search^=ROW]').length === 2"))?;
        browser.ask(
            "window.other = document.querySelector('tr[data-search=\"ROWB 1day\"]'); window.fetched = [];
            const real = window.fetch;
            window.fetch = (address, options) => (window.fetched.push(String(address)), real(address, options))",
        )?;
        drop("ROWA", &["2024-12-26", "2024-12-27"])?;
        browser.until(
            "document.querySelector('tr[data-search=\"ROWA 1day\"] td[data-label=Candles]').dataset.value === '2'",
        )?;
        browser.until("window.fetched.some((address) => address.startsWith('/parts/summary?search=ROW'))")?;
        let fetched = browser.ask("return window.fetched.filter((address) => address.includes('ROW'))")?;
        let all = fetched.as_array().into_iter().flatten().filter_map(serde_json::Value::as_str);
        let of_rows: Vec<_> = all.clone().filter(|address| address.starts_with("/parts/rows")).collect();
        ensure!(
            !of_rows.is_empty() && of_rows.iter().all(|address| address.contains("ROWA") && !address.contains("ROWB")),
            "{fetched}"
        );
        ensure!(all.clone().all(|address| address.starts_with("/parts/")), "the whole page was fetched: {fetched}");
        ensure!(
            browser.ask("return window.other === document.querySelector('tr[data-search=\"ROWB 1day\"]')")? == true,
            "the other row was replaced"
        );
        Ok(())
    })
}

/// Counts how often an address is fetched, and how many of these fetches are concurrent.
const COUNTING: &str = "window.pages = { all: 0, now: 0, most: 0 };
    const real = window.fetch;
    window.fetch = async (address, options) => {
        if (!String(address).endsWith('limit=7')) return real(address, options);
        window.pages.all += 1;
        window.pages.now += 1;
        window.pages.most = Math.max(window.pages.most, window.pages.now);
        await new Promise((resolve) => setTimeout(resolve, 700));
        try { return await real(address, options); } finally { window.pages.now -= 1; }
    };";

fn a_burst_of_changes_is_a_few_refreshes_one_at_a_time() -> anyhow::Result<()> {
    with_aapl(|browser| {
        browser.go("/quality")?;
        browser.until(LIVE)?;
        browser.ask(COUNTING)?;
        // Publishes changes faster than the page settles, for six seconds.
        let burst = "const done = arguments[0];
            import(document.querySelector('script[src$=\"app.js\"]').src.replace('app.js', 'later.js')).then(({ Later }) => {
                const pages = new Later(() => fetch('/api/v1/runs?limit=7'), 250, 2000);
                let left = 60;
                const timer = setInterval(() => {
                    pages.ask();
                    left -= 1;
                    if (left === 0) { clearInterval(timer); done({ ...window.pages }); }
                }, 100);
            });";
        let during = browser.ask_later(burst, Vec::new())?;
        ensure!(during["all"].as_u64() >= Some(1), "nothing was fetched while changes came: {during}");
        browser.until("window.pages.now === 0 && window.pages.all > 1")?;
        let after = browser.ask("return window.pages")?;
        ensure!(after["most"] == json!(1) && after["all"].as_u64() <= Some(8), "{after}");
        Ok(())
    })
}

fn set_visibility(browser: &Browser, state: &str) -> anyhow::Result<()> {
    let script = format!(
        "Object.defineProperty(document, 'visibilityState', {{ value: '{state}', configurable: true }});
        document.dispatchEvent(new Event('visibilitychange'))"
    );
    browser.ask(&script).map(|_| ())
}

fn a_hidden_tab_hears_nothing_and_catches_up_when_it_is_seen() -> anyhow::Result<()> {
    with_aapl(|browser| {
        let row = "document.querySelector('tr[data-search=\"UNSEEN 1day\"]')";
        browser.go("/?search=UNSEEN")?;
        browser.until(LIVE)?;
        set_visibility(browser, "hidden")?;
        browser.ask("window.heard = 0; window.addEventListener('candlewick:change', () => (window.heard += 1))")?;
        Stack::get().put("raw/interval=1day/symbol=UNSEEN/candles.csv", daily(&["2024-12-26"]))?;
        Stack::get().eventually("the candle", || Ok(Stack::get().rows("UNSEEN")? == 1))?;
        ensure!(
            browser.ask(&format!("return window.heard === 0 && !{row}"))? == true,
            "a hidden tab received a change"
        );
        set_visibility(browser, "visible")?;
        browser.until(row)
    })
}
