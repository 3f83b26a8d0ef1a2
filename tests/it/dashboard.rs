//! The dashboard in a browser: every page, the chart's pixels, and a dropped file whose arrival is shown.

use anyhow::{Context, ensure};
use libtest_mimic::Trial;
use serde_json::json;

use crate::browser::{self, Browser};
use crate::candles::daily;
use crate::stack::Stack;

/// The up and down colors of the chart, and the minimum number of pixels of each in a picture: an empty chart has none.
const DRAWN: (&str, u64) = ("[[31, 111, 214], [180, 85, 0]]", 400);

pub fn trials() -> Vec<Trial> {
    let is_there = browser::is_there();
    if !is_there {
        println!("skipped: the dashboard in a browser, because chromium and chromedriver are not on PATH");
    }
    let all = trials![
        every_page_opens_with_no_complaint_and_no_foreign_request,
        the_chart_is_drawn,
        a_dropped_file_is_seen_to_arrive,
        dark_and_phone_are_readable,
        no_page_is_wider_than_the_window,
        the_keyboard_leads_everywhere,
        the_watchlist_is_searched_and_sorted,
        the_credits_of_today_are_shown,
        ranges_begin_on_their_dates
    ];
    all.into_iter().map(|trial| trial.with_ignored_flag(!is_there)).collect()
}

pub fn with_aapl(test: impl FnOnce(&Browser) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let stack = Stack::get();
    stack.eventually("the candles of AAPL", || Ok(stack.rows("AAPL")? > 1_000))?;
    Browser::with(test)
}

/// True once the chart is drawn.
pub const READY: &str = "document.getElementById('chart').dataset.state === 'ready'";

fn every_page_opens_with_no_complaint_and_no_foreign_request() -> anyhow::Result<()> {
    with_aapl(|browser| {
        let last = "document.querySelector('#legend a').href";
        browser.go("/symbol/AAPL/1day?indicators=sma20,bb20x2,rsi14,macd12x26x9")?;
        browser.until(READY)?;
        let lineage = browser.ask(&format!("return new URL({last}).pathname + new URL({last}).search"))?;
        for path in [
            "/",
            "/symbol/AAPL/1day?indicators=sma20,bb20x2,rsi14,macd12x26x9",
            lineage.as_str().unwrap_or_default(),
            "/pipeline",
            "/quality",
            "/api",
        ] {
            browser.go(path)?;
            browser.until("document.getElementById('live').dataset.state === 'live'")?;
            if path.starts_with("/symbol") {
                browser.until(READY)?;
            }
            let complaints = browser.complaints()?;
            let foreign = browser.foreign()?;
            ensure!(complaints.is_empty(), "{path}: {complaints:?}");
            ensure!(foreign.is_empty(), "{path} asks others: {foreign:?}");
            ensure!(browser.ask("return document.querySelectorAll('h1').length")? == 1, "{path} has not one heading");
        }
        Ok(())
    })
}

/// Counts the pixels in a picture that are close to each of these colors.
const COUNT: &str = "const [png, colours, done] = arguments;
    const image = new Image();
    image.onload = () => {
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [image.width, image.height];
        const context = canvas.getContext('2d');
        context.drawImage(image, 0, 0);
        const { data } = context.getImageData(0, 0, image.width, image.height);
        const near = (at, colour) => colour.every((part, each) => Math.abs(data[at + each] - part) < 40);
        const counts = colours.map(() => 0);
        for (let at = 0; at < data.length; at += 4) colours.forEach((colour, each) => (counts[each] += near(at, colour) ? 1 : 0));
        done(counts);
    };
    image.onerror = () => done([]);
    image.src = URL.createObjectURL(new Blob([new Uint8Array(png)], { type: 'image/png' }));";

fn the_chart_is_drawn() -> anyhow::Result<()> {
    with_aapl(|browser| {
        browser.go("/symbol/AAPL/1day?range=5Y")?;
        browser.ask("localStorage.setItem('theme', 'light'); location.reload()")?;
        browser.until(READY)?;
        require_drawn(browser, &browser.picture("#chart")?)?;
        ensure!(
            browser.ask("return document.getElementById('note').textContent.includes('1259 candles')")? == true,
            "not all candles came"
        );
        Ok(())
    })
}

/// The number of pixels of rising and of falling candles in a picture.
pub fn drawn(browser: &Browser, png: &[u8]) -> anyhow::Result<[u64; 2]> {
    let colours: serde_json::Value = serde_json::from_str(DRAWN.0)?;
    let counts = browser.ask_later(COUNT, vec![json!(png), colours])?;
    serde_json::from_value(counts).context("count the pixels")
}

/// Fails if a picture shows no candles.
pub fn require_drawn(browser: &Browser, png: &[u8]) -> anyhow::Result<()> {
    let counts = drawn(browser, png)?;
    ensure!(counts.iter().all(|count| *count > DRAWN.1), "the chart's picture has {counts:?} pixels of up and down");
    Ok(())
}

fn a_dropped_file_is_seen_to_arrive() -> anyhow::Result<()> {
    with_aapl(|browser| {
        browser.go("/?search=ARRIVAL")?;
        browser.until("document.getElementById('live').dataset.state === 'live'")?;
        browser.ask("window.sameAsBefore = true")?;
        Stack::get().put("raw/interval=1day/symbol=ARRIVAL/candles.csv", daily(&["2024-12-26", "2024-12-27"]))?;
        browser.until(
            "[...document.querySelectorAll('tr[data-search]')].some((row) => row.dataset.search === 'ARRIVAL 1day')",
        )?;
        ensure!(browser.ask("return window.sameAsBefore")? == true, "the page was loaded anew");
        browser.go("/symbol/ARRIVAL/1day?range=All")?;
        browser.until("document.getElementById('note').textContent.includes('2 candles')")?;
        browser.ask("window.sameAsBefore = true")?;
        Stack::get()
            .put("raw/interval=1day/symbol=ARRIVAL/candles.csv", daily(&["2024-12-24", "2024-12-26", "2024-12-27"]))?;
        browser.until("document.getElementById('note').textContent.includes('3 candles')")?;
        ensure!(browser.ask("return window.sameAsBefore")? == true, "the chart's page was loaded anew");
        Ok(())
    })
}

fn dark_and_phone_are_readable() -> anyhow::Result<()> {
    with_aapl(|browser| {
        let back = "getComputedStyle(document.body).backgroundColor";
        browser.go("/")?;
        let light = browser.ask(&format!("return {back}"))?;
        browser.ask("document.getElementById('theme').click()")?;
        ensure!(browser.ask(&format!("return {back}"))? != light, "the theme's switch does nothing");
        browser.resize(500, 900)?;
        for path in ["/", "/symbol/AAPL/1day", "/pipeline", "/quality", "/api"] {
            browser.go(path)?;
            ensure!(browser.ask(&format!("return {back}"))? != light, "{path} forgot the theme");
            browser.until("document.documentElement.scrollWidth <= document.documentElement.clientWidth")?;
        }
        browser.go("/")?;
        ensure!(
            browser.ask("return getComputedStyle(document.querySelector('table.cards tr[data-search]')).display")?
                == "grid",
            "rows are no cards"
        );
        Ok(())
    })
}

/// Between the width of a phone and that of a desktop, too.
fn no_page_is_wider_than_the_window() -> anyhow::Result<()> {
    with_aapl(|browser| {
        for width in [500, 800, 1100, 1440] {
            browser.resize(width, 900)?;
            for path in ["/", "/symbol/AAPL/1day", "/pipeline", "/quality?days=180", "/gaps", "/changes", "/api"] {
                browser.go(path)?;
                let widths = browser.ask(
                    "const { scrollWidth, clientWidth } = document.documentElement; return [scrollWidth, clientWidth]",
                )?;
                ensure!(widths[0] == widths[1], "{path} is {} wide in a window of {}", widths[0], widths[1]);
            }
        }
        Ok(())
    })
}

fn the_keyboard_leads_everywhere() -> anyhow::Result<()> {
    with_aapl(|browser| {
        let press = |key: &str| {
            browser.ask(&format!("document.body.dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true, cancelable: true }}))"))
        };
        browser.go("/symbol/AAPL/1day")?;
        browser.until(READY)?;
        let before = browser.ask("return document.querySelector('#legend a').textContent")?;
        press("ArrowLeft")?;
        press("ArrowLeft")?;
        ensure!(
            browser.ask("return document.querySelector('#legend a').textContent")? != before,
            "the arrow keys do nothing"
        );
        press("m")?;
        browser.until("location.search.includes('sma20')")?;
        press("?")?;
        browser.until("document.getElementById('keys').open")?;
        browser.ask("document.getElementById('keys').close()")?;
        press("g")?;
        press("p")?;
        browser.until("location.pathname === '/pipeline'")
    })
}

fn the_watchlist_is_searched_and_sorted() -> anyhow::Result<()> {
    with_aapl(|browser| {
        browser.go("/")?;
        let symbol = "before.localeCompare(value)";
        let candles = "before - value";
        for (column, order, sign) in [(5, candles, -1), (5, candles, 1), (0, symbol, 1), (0, symbol, -1)] {
            browser.click(&format!("#watchlist th:nth-child({}) a", column + 1))?;
            let direction = if sign < 0 { "descending" } else { "ascending" };
            browser.until(&format!(
                "document.querySelector('#watchlist th:nth-child({})').ariaSort === '{direction}'",
                column + 1
            ))?;
            let is_sorted = format!(
                "return [...document.querySelectorAll('#watchlist tbody tr')].map((row) => row.cells[{column}].dataset.value)
                    .every((value, at, all) => {{ const before = all[at - 1]; return at === 0 || {sign} * ({order}) <= 0; }})"
            );
            ensure!(browser.ask(&is_sorted)? == true, "column {column} is not sorted by {sign} * ({order})");
        }
        browser.until("location.search === '?sort=-symbol'")?;
        browser.go("/")?;
        browser.write("#search", "aap")?;
        let shown = "[...document.querySelectorAll('tr[data-search]')].map((row) => row.dataset.search)";
        browser.until(&format!("{shown}.length > 0 && {shown}.every((text) => text.startsWith('AAPL '))"))?;
        browser.until("location.search === '?search=aap'")?;
        browser.write("#search", "l\u{e007}")?;
        browser.until("location.pathname === '/symbol/AAPL/1day'")
    })
}

fn the_credits_of_today_are_shown() -> anyhow::Result<()> {
    with_aapl(|browser| {
        let has_credits = "[...document.querySelectorAll('.tiles a')].some((tile) => /[1-9]\\d* credits used today/.test(tile.textContent))";
        // The simulated day may end in the middle of the test.
        browser.go("/")?;
        browser.until(&format!("{has_credits} || (location.reload(), false)"))
    })
}

fn ranges_begin_on_their_dates() -> anyhow::Result<()> {
    with_aapl(|browser| {
        browser.go("/")?;
        let script = "const done = arguments[0];
            const folder = document.querySelector('script[type=module]').src.replace(/[^/]*$/, '');
            import(folder + 'view.js').then(({ firstDate }) => done([
                firstDate('1M', '2024-03-31'), firstDate('1M', '2024-03-15'), firstDate('1Y', '2024-02-29'),
                firstDate('YTD', '2024-12-30'), firstDate('All', '2024-12-30'),
            ]));";
        let dates = browser.ask_later(script, Vec::new())?;
        let expected = json!(["2024-02-29", "2024-02-15", "2023-02-28", "2024-01-01", null]);
        ensure!(dates == expected, "{dates}");
        Ok(())
    })
}
