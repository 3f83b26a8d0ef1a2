//! The chart under the hand: the mouse zooms, and what is seen can be taken along as a link and as a picture.

use anyhow::{Context, ensure};
use libtest_mimic::Trial;
use serde_json::json;

use crate::browser::{self, Browser};
use crate::dashboard::{READY, require_drawn, with_aapl};

/// What the chart says of the candle under the mouse, and of the newest where there is none.
const LEGEND: &str = "document.getElementById('legend').textContent";

/// Without a browser these are left out; `dashboard` says so for both.
pub fn trials() -> Vec<Trial> {
    let all = trials![
        the_link_leads_to_what_is_seen,
        the_chart_is_given_away_as_a_picture,
        the_mouse_zooms_into_the_chart_and_out,
        the_mouse_finds_candles_and_clicks_on_them
    ];
    all.into_iter().map(|trial| trial.with_ignored_flag(!browser::is_there())).collect()
}

fn the_link_leads_to_what_is_seen() -> anyhow::Result<()> {
    with_aapl(|browser| {
        browser.go("/symbol/AAPL/1day")?;
        browser.allow("clipboard-read")?;
        browser.until(READY)?;
        browser.click("[data-range='3M']")?;
        browser.click("[data-toggle='ma']")?;
        browser.until(&format!("{READY} && document.querySelector('[data-toggle=ma]').ariaPressed === 'true'"))?;
        let before = window(browser)?;
        browser.click("#link")?;
        browser.until("document.getElementById('link').textContent === 'Copied'")?;
        let copied = browser.ask_later("navigator.clipboard.readText().then(arguments[0])", Vec::new())?;
        let copied = copied.as_str().context("read the clipboard")?;
        ensure!(browser.ask("return location.href")? == copied, "{copied} is not the page's address");
        let path = copied.split_once("/symbol").context("find the path of the link")?.1;
        browser.go("/")?;
        browser.go(&format!("/symbol{path}"))?;
        browser.until(READY)?;
        let pressed =
            "return [...document.querySelectorAll('.choice[aria-pressed=true]')].map((choice) => choice.textContent)";
        ensure!(browser.ask(pressed)? == json!(["3M", "MA"]), "other buttons are pressed: {}", browser.ask(pressed)?);
        ensure!(window(browser)? == before, "the link shows other candles");
        Ok(())
    })
}

fn the_chart_is_given_away_as_a_picture() -> anyhow::Result<()> {
    with_aapl(|browser| {
        browser.go("/symbol/AAPL/1day?range=1Y")?;
        browser.ask("localStorage.setItem('theme', 'light'); location.reload()")?;
        browser.until(READY)?;
        browser.click("#png")?;
        let png = browser.download("AAPL_1day.png")?;
        // Width and height stand behind the signature and the header's name (PNG, section 11.2.2).
        let number =
            |at: usize| png.get(at..at + 4).map(|bytes| bytes.iter().fold(0, |all, byte| all << 8 | u32::from(*byte)));
        ensure!((number(16), number(20)) == (Some(1600), Some(900)), "the picture has another size");
        require_drawn(browser, &png)?;
        ensure!(browser.complaints()?.is_empty(), "{:?}", browser.complaints()?);
        Ok(())
    })
}

fn the_mouse_zooms_into_the_chart_and_out() -> anyhow::Result<()> {
    with_aapl(|browser| {
        browser.go("/symbol/AAPL/1day?range=5Y")?;
        browser.until(READY)?;
        let all = window(browser)?;
        browser.wheel("#chart .nsewdrag", -600)?;
        browser.until("location.search.includes('from=') && location.search.includes('to=')")?;
        let part = window(browser)?;
        ensure!(all.0 < part.0 && part.1 < all.1, "the wheel changed {all:?} to {part:?}");
        let pressed = "document.querySelectorAll('[data-range][aria-pressed=true]').length";
        ensure!(browser.ask(&format!("return {pressed}"))? == 0, "a range is still pressed");
        browser.wheel("#chart .nsewdrag", 300)?;
        browser.until(&format!("document.getElementById('chart').layout.xaxis.range[0] < {}", part.0))
    })
}

/// The chart says what is under the mouse, which is where a click leads to.
fn the_mouse_finds_candles_and_clicks_on_them() -> anyhow::Result<()> {
    with_aapl(|browser| {
        browser.go("/symbol/AAPL/1day?range=1Y")?;
        browser.until(READY)?;
        let newest = browser.ask(&format!("return {LEGEND}"))?;
        browser.point("#chart .nsewdrag", 0)?;
        browser.until(&format!("{LEGEND} !== {newest}"))?;
        browser.point("#chart .nsewdrag", 2)?;
        browser.until("document.querySelector('[data-range=All]')?.ariaPressed === 'true'")?;
        // The first of the two would lead away within 300 ms.
        let later = browser.ask_later("setTimeout(arguments[0], 400, 'still here')", Vec::new())?;
        ensure!(later == json!("still here"), "{later}");
        browser.point("#chart .nsewdrag", 1)?;
        browser.until("location.pathname.startsWith('/lineage/AAPL/1day') && location.search.startsWith('?time=2022')")
    })
}

/// The places between which candles are seen.
fn window(browser: &Browser) -> anyhow::Result<(f64, f64)> {
    let range = browser.ask("return document.getElementById('chart').layout.xaxis.range")?;
    let place = |at: usize| range[at].as_f64().with_context(|| format!("read the window {range}"));
    Ok((place(0)?, place(1)?))
}
