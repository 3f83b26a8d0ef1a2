//! Dashboards of the owner in a browser: made, saved, changed by hand, shared, and kept up to date.

use anyhow::{Context, ensure};
use libtest_mimic::Trial;

use crate::browser::{self, Browser};
use crate::candles::daily;
use crate::dashboard::with_aapl;
use crate::stack::{EDIT_TOKEN, Stack};

/// Without a browser there are no trials; `dashboard` reports that for all of them.
pub fn trials() -> Vec<Trial> {
    let all = trials![
        a_dashboard_is_made_in_the_browser_and_shared,
        a_group_has_a_dashboard_with_a_drawn_chart,
        a_tile_follows_what_is_loaded,
        a_dashboard_is_edited_without_losing_the_edits_of_others
    ];
    all.into_iter().map(|trial| trial.with_ignored_flag(!browser::is_there())).collect()
}

/// True once all charts are drawn.
const DRAWN: &str = "[...document.querySelectorAll('[data-candles]')].length > 0
    && [...document.querySelectorAll('[data-candles]')].every((chart) => chart.dataset.state === 'ready')";

fn document(name: &str) -> std::path::PathBuf {
    Stack::get().state.path().join("config/dashboards").join(format!("{name}.toml"))
}

fn write_by_hand(name: &str, text: &str) -> anyhow::Result<()> {
    let path = document(name);
    std::fs::create_dir_all(path.parent().context("find the folder")?)?;
    std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))
}

fn save(browser: &Browser, token: &str) -> anyhow::Result<()> {
    browser.ask("document.getElementById('edit-token').value = ''")?;
    browser.write("#edit-token", token)?;
    browser.click("#editor [type='submit']")
}

fn a_dashboard_is_made_in_the_browser_and_shared() -> anyhow::Result<()> {
    with_aapl(|browser| {
        browser.go("/dashboards")?;
        browser.write("#new-name", "made-here\u{e007}")?;
        browser.until(
            "location.pathname === '/dashboards/made-here/edit' && document.querySelector('#adders [data-kind]')",
        )?;
        browser.ask("document.getElementById('title').value = ''")?;
        browser.write("#title", "Made \"here\" \\ <b>")?;
        browser.click("#adders [data-kind='chart']")?;
        browser.write(".tile-form:first-child input[list='symbols']", "aapl\u{e007}")?;
        browser.until("document.querySelector('.tile-form .chip')?.textContent.startsWith('AAPL 1day close')")?;
        for kind in ["table", "value", "gaps", "run"] {
            browser.click(&format!("#adders [data-kind='{kind}']"))?;
            if kind != "run" {
                browser.write(".tile-form:last-child input[list='symbols']", "AAPL\u{e007}")?;
                browser.until("document.querySelector('.tile-form:last-child .chip')")?;
            }
        }
        // The last tile goes one place up.
        browser.ask("document.querySelectorAll('.tile-form:last-child .tile-head button')[0].click()")?;
        save(browser, "not-the-token")?;
        browser.until("document.getElementById('trouble').textContent.includes('DASHBOARD_EDIT_TOKEN')")?;
        save(browser, EDIT_TOKEN)?;
        browser.until(&format!("location.pathname === '/dashboards/made-here' && {DRAWN}"))?;
        let points = browser.ask("return Number(document.querySelector('[data-candles]').dataset.points)")?;
        ensure!(points.as_u64() > Some(200), "the chart has {points} points");
        ensure!(browser.ask("return document.querySelector('h1').textContent")? == "Made \"here\" \\ <b>", "the title");
        let kinds = std::fs::read_to_string(document("made-here")).context("read the document")?;
        let kinds: Vec<_> = kinds.lines().filter_map(|line| line.strip_prefix("kind = ")).collect();
        ensure!(kinds == ["\"chart\"", "\"table\"", "\"value\"", "\"run\"", "\"gaps\""], "{kinds:?}");
        browser.click("#read-only-link")?;
        browser.until(&format!("location.pathname === '/shared/made-here' && {DRAWN}"))?;
        ensure!(browser.ask("return document.querySelectorAll('nav').length")? == 0, "a shared one leads elsewhere");
        // The refused token is a line in the console, which is the only one.
        let complaints = browser.complaints()?;
        ensure!(complaints.len() <= 1 && complaints.iter().all(|text| text.contains("403")), "{complaints:?}");
        Ok(())
    })
}

fn a_group_has_a_dashboard_with_a_drawn_chart() -> anyhow::Result<()> {
    with_aapl(|browser| {
        browser.go("/dashboards/stocks")?;
        browser.until(DRAWN)?;
        browser.until("document.querySelector('.tile .legend').textContent.includes('AAPL 1day close')")?;
        ensure!(browser.complaints()?.is_empty(), "{:?}", browser.complaints()?);
        browser.ask("window.dispatchEvent(new Event('candlewick:theme'))")?;
        browser.until(DRAWN)
    })
}

fn a_tile_follows_what_is_loaded() -> anyhow::Result<()> {
    with_aapl(|browser| {
        let text = "title = \"Live\"\n[[tiles]]\nkind = \"value\"\nvariables = [\"TILE 1day\"]\n
            [[tiles]]\nkind = \"chart\"\nvariables = [\"TILE 1day\"]\n";
        write_by_hand("live", text)?;
        browser.go("/dashboards/live")?;
        browser.until(&format!("document.getElementById('live').dataset.state === 'live' && {DRAWN}"))?;
        browser.until("document.getElementById('tile-0').textContent.includes('not in the store')")?;
        browser.ask("window.sameAsBefore = true")?;
        Stack::get().put("raw/interval=1day/symbol=TILE/candles.csv", daily(&["2024-12-26", "2024-12-27"]))?;
        browser.until("document.getElementById('tile-0').textContent.includes('2024-12-27')")?;
        browser.until("document.querySelector('[data-candles]').dataset.points === '2'")?;
        ensure!(browser.ask("return window.sameAsBefore")? == true, "the page was loaded anew");
        Ok(())
    })
}

fn a_dashboard_is_edited_without_losing_the_edits_of_others() -> anyhow::Result<()> {
    with_aapl(|browser| {
        write_by_hand("both", "title = \"First\"\n[[tiles]]\nkind = \"run\"\n")?;
        browser.go("/dashboards/both/edit")?;
        browser.until("document.querySelector('#adders [data-kind]')")?;
        write_by_hand("both", "title = \"Second\"\n[[tiles]]\nkind = \"run\"\n")?;
        browser.write("#title", " edited")?;
        save(browser, EDIT_TOKEN)?;
        browser.until("document.getElementById('trouble').textContent.includes('open it again')")?;
        let kept = std::fs::read_to_string(document("both"))?;
        ensure!(kept.contains("Second"), "the other edit is lost: {kept}");
        Ok(())
    })
}
