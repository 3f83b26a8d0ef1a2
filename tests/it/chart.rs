//! The chart in a browser: it follows the mouse, a finger and the keyboard, and reaches both ends of the series.

use anyhow::{Context, ensure};
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::browser::{self, Browser};
use crate::dashboard::{READY, drawn, require_drawn, with_aapl};
use crate::stack::Stack;

/// The legend of the candle under the mouse, or of the newest candle.
const LEGEND: &str = "document.getElementById('legend').textContent";

/// The first and the last visible candle.
const SEEN: &str = "[document.getElementById('chart').dataset.from, document.getElementById('chart').dataset.to]";

/// Without a browser there are no trials; `dashboard` reports that for both modules.
pub fn trials() -> Vec<Trial> {
    let all = trials![
        the_link_leads_to_what_is_seen,
        the_chart_is_given_away_as_a_picture,
        the_mouse_zooms_into_the_chart_and_out,
        a_range_that_is_chosen_during_a_movement_stays,
        keys_count_however_slow_the_frames_are,
        the_mouse_finds_candles_and_clicks_on_them,
        a_long_series_is_seen_to_its_beginning,
        a_candle_has_the_same_average_in_every_range,
        a_finger_reads_a_candle_and_scrolls_the_page,
        a_drawn_chart_stays_when_an_answer_fails,
        symbols_are_compared_in_percent,
        a_series_that_waits_for_its_first_fetch_says_so,
        rising_candles_are_hollow,
        the_csv_of_the_page_has_every_candle_of_the_range,
        the_page_of_a_symbol_is_small
    ];
    all.into_iter().map(|trial| trial.with_ignored_flag(!browser::is_there())).collect()
}

fn seen(browser: &Browser) -> anyhow::Result<(String, String)> {
    let seen = browser.ask(&format!("return {SEEN}"))?;
    let time = |at: usize| seen[at].as_str().map(str::to_owned).with_context(|| format!("read what is seen: {seen}"));
    Ok((time(0)?, time(1)?))
}

fn the_link_leads_to_what_is_seen() -> anyhow::Result<()> {
    with_aapl(|browser| {
        browser.go("/symbol/AAPL/1day")?;
        browser.allow("clipboard-read")?;
        browser.until(READY)?;
        browser.click("[data-range='3M']")?;
        browser.click("[data-indicator='sma20,sma50']")?;
        browser.until(&format!(
            "{READY} && document.querySelector(\"[data-indicator='sma20,sma50']\").ariaPressed === 'true'"
        ))?;
        let before = seen(browser)?;
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
        ensure!(seen(browser)? == before, "the link shows other candles");
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
        // Width and height follow the signature and the chunk header (PNG, section 11.2.2).
        let number =
            |at: usize| png.get(at..at + 4).map(|bytes| bytes.iter().fold(0, |all, byte| all << 8 | u32::from(*byte)));
        let chart = browser.ask("const { clientWidth, clientHeight } = document.getElementById('chart'); return [clientWidth, clientHeight]")?;
        let [width, height] = [0, 1].map(|at| chart[at].as_u64().unwrap_or_default() as u32);
        // The library rounds its width down.
        let has_text = number(16).is_some_and(|found| found.abs_diff(width) <= 2) && number(20) > Some(height + 50);
        ensure!(has_text, "the picture has {:?} by {:?} pixels, the chart {chart}", number(16), number(20));
        require_drawn(browser, &png)?;
        ensure!(browser.complaints()?.is_empty(), "{:?}", browser.complaints()?);
        Ok(())
    })
}

fn the_mouse_zooms_into_the_chart_and_out() -> anyhow::Result<()> {
    with_aapl(|browser| {
        browser.go("/symbol/AAPL/1day?range=5Y")?;
        browser.until(READY)?;
        let all = seen(browser)?;
        browser.wheel("#chart", -600)?;
        browser.until("location.search.includes('from=')")?;
        let part = seen(browser)?;
        ensure!(all.0 < part.0, "the wheel changed {all:?} to {part:?}");
        let pressed = "document.querySelectorAll('[data-range][aria-pressed=true]').length";
        ensure!(browser.ask(&format!("return {pressed}"))? == 0, "a range is still pressed");
        browser.wheel("#chart", 300)?;
        browser.until(&format!("{SEEN}[0] < '{}'", part.0))
    })
}

/// The address follows a movement a moment after its end.
fn a_range_that_is_chosen_during_a_movement_stays() -> anyhow::Result<()> {
    with_aapl(|browser| {
        browser.go("/symbol/AAPL/1day?range=1Y")?;
        browser.until(READY)?;
        press(browser, "+")?;
        browser.ask("document.querySelector('[data-range=\"6M\"]').click()")?;
        let later = browser.ask_later("setTimeout(() => arguments[0](location.search), 600)", Vec::new())?;
        ensure!(later.as_str().is_some_and(|address| address.contains("range=6M")), "{later}");
        browser.until("document.querySelector('[data-range=\"6M\"]')?.ariaPressed === 'true'")
    })
}

/// The chart shows the candle under the mouse, and a click leads to that candle.
fn the_mouse_finds_candles_and_clicks_on_them() -> anyhow::Result<()> {
    with_aapl(|browser| {
        browser.go("/symbol/AAPL/1day?range=1Y")?;
        browser.until(READY)?;
        let newest = browser.ask(&format!("return {LEGEND}"))?;
        browser.point("#chart", 0)?;
        browser.until(&format!("{LEGEND} !== {newest}"))?;
        browser.point("#chart", 2)?;
        browser.until("document.querySelector('[data-range=All]')?.ariaPressed === 'true'")?;
        // The first click of a double click would navigate within 400 ms.
        let later = browser.ask_later("setTimeout(arguments[0], 500, 'still here')", Vec::new())?;
        ensure!(later == json!("still here"), "{later}");
        browser.point("#chart", 1)?;
        browser.until("location.pathname.startsWith('/lineage/AAPL/1day') && location.search.startsWith('?time=2022')")
    })
}

/// As on a slow machine, a frame takes longer than the pause after which a movement counts as ended.
const SLOW_FRAMES: &str = "const frame = window.requestAnimationFrame.bind(window);
    window.requestAnimationFrame = (draw) => setTimeout(() => frame(draw), 700)";

fn keys_count_however_slow_the_frames_are() -> anyhow::Result<()> {
    with_aapl(|browser| {
        browser.go("/symbol/AAPL/1day?range=3M")?;
        browser.until(READY)?;
        browser.ask(SLOW_FRAMES)?;
        press(browser, "7")?;
        let count = "Number(document.getElementById('note').textContent.split(' ')[0])";
        browser.until(&format!("{READY} && {count} > 200"))?;
        // The page still waits for its second frame, after which it places the range for the last time.
        for _ in 0..5 {
            press(browser, "+")?;
        }
        browser.until(&format!("{READY} && 0 < {count} && {count} < 30"))
    })
}

/// Minutes of a market that never closes, as a dropped file.
fn drop_minutes(symbol: &str, count: i64) -> anyhow::Result<()> {
    let begin: jiff::Timestamp = "2024-12-20T00:00:00Z".parse()?;
    let mut text = String::from("datetime,open,high,low,close,volume\n");
    for minute in 0..count {
        let time = jiff::Timestamp::from_second(begin.as_second() + minute * 60)?;
        let price = 100 + minute % 50;
        let close = if minute % 2 == 0 { price + 15 } else { price - 15 };
        text.push_str(&format!("{time},{price},{},{},{close},5\n", price + 20, price - 20));
    }
    Stack::get().put(&format!("raw/interval=1min/symbol={symbol}/2024-12.csv"), text)?;
    Stack::get().eventually("the minutes", || Ok(Stack::get().rows(symbol)? == count))
}

fn a_long_series_is_seen_to_its_beginning() -> anyhow::Result<()> {
    with_aapl(|browser| {
        drop_minutes("LONG", 9_000)?;
        browser.go("/symbol/LONG/1min?range=1D")?;
        browser.until(READY)?;
        ensure!(
            browser.ask("return document.getElementById('chart').dataset.level")? == "1min",
            "it shows other candles"
        );
        let begins = "document.getElementById('chart').dataset.from === '2024-12-20T00:00:00Z'";
        let earlier = "document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'PageUp', bubbles: true, cancelable: true }))";
        browser.until(&format!("({earlier}, {begins})"))?;
        browser.until(&format!("{READY} && Number(document.getElementById('note').textContent.split(' ')[0]) > 0"))?;
        require_drawn(browser, &browser.picture("#chart")?)?;
        // Zoomed out, the same series is shown as longer candles; zoomed in again, as its own.
        browser.go("/symbol/LONG/1min?range=All")?;
        browser
            .until(&format!("{READY} && document.getElementById('note').textContent.includes('derived from 1min')"))?;
        browser.until("document.getElementById('chart').dataset.from === '2024-12-20T00:00:00Z'")?;
        for _ in 0..12 {
            press(browser, "+")?;
        }
        browser.until("document.getElementById('chart').dataset.level === '1min'")
    })
}

fn press(browser: &Browser, key: &str) -> anyhow::Result<Value> {
    browser.ask(&format!(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', {{ key: '{key}', bubbles: true, cancelable: true }}))"
    ))
}

fn a_candle_has_the_same_average_in_every_range() -> anyhow::Result<()> {
    with_aapl(|browser| {
        let mut found = Vec::new();
        for range in ["3M", "1Y", "5Y", "All"] {
            browser.go(&format!("/symbol/AAPL/1day?range={range}&indicators=sma50,ema20"))?;
            browser.until(READY)?;
            let text = browser.ask(&format!("return {LEGEND}"))?;
            let text = text.as_str().context("read the legend")?.to_owned();
            ensure!(text.contains("sma50") && text.contains("ema20"), "the legend has no averages: {text}");
            found.push(text);
        }
        ensure!(found.iter().all(|text| *text == found[0]), "{found:#?}");
        Ok(())
    })
}

fn a_finger_reads_a_candle_and_scrolls_the_page() -> anyhow::Result<()> {
    with_aapl(|browser| {
        browser.resize(500, 800)?;
        browser.go("/symbol/AAPL/1day?range=1Y")?;
        browser.until(READY)?;
        let newest = browser.ask(&format!("return {LEGEND}"))?;
        browser.tap("#chart")?;
        browser.until(&format!("{LEGEND} !== {newest}"))?;
        let later = browser.ask_later(&format!("setTimeout(() => arguments[0]({LEGEND}), 600)"), Vec::new())?;
        ensure!(later != newest, "the tap was forgotten");
        let before = browser.ask("return scrollY")?;
        browser.swipe_up("#chart")?;
        browser.until(&format!("scrollY > {before}"))
    })
}

fn a_drawn_chart_stays_when_an_answer_fails() -> anyhow::Result<()> {
    with_aapl(|browser| {
        browser.go("/symbol/AAPL/1day?range=1Y")?;
        browser.until(READY)?;
        browser.ask("window.askedFor = 0; const real = window.fetch;
            window.fetch = (address, options) => String(address).includes('limit=12000')
                ? (window.askedFor += 1, Promise.resolve(window.askedFor < 3
                    ? new Response('{}', { status: 503, headers: { 'retry-after': '1' } })
                    : window.askedFor === 3 ? real(address, options) : new Response('{\"detail\":\"it is broken\"}', { status: 500 })))
                : real(address, options)")?;
        let change = "window.dispatchEvent(new CustomEvent('candlewick:change', { detail: { kind: 'resync' } }))";
        browser.ask(change)?;
        browser.until("window.askedFor === 3 && document.getElementById('trouble').hidden")?;
        browser.ask(change)?;
        browser.until("document.getElementById('trouble').textContent.includes('it is broken')")?;
        ensure!(browser.ask("return document.getElementById('veil').hidden")? == true, "the chart was taken away");
        require_drawn(browser, &browser.picture("#chart")?)
    })
}

fn symbols_are_compared_in_percent() -> anyhow::Result<()> {
    with_aapl(|browser| {
        browser.go("/symbol/AAPL/1day?range=1Y&compare=MSFT,/MSFT&scale=percent")?;
        browser.until(&format!("{READY} && {LEGEND}.includes('MSFT') && {LEGEND}.includes('ratio to MSFT')"))?;
        let text = browser.ask(&format!("return {LEGEND}"))?;
        ensure!(!text.as_str().unwrap_or_default().contains("–"), "a compared symbol has no value: {text}");
        ensure!(browser.complaints()?.is_empty(), "{:?}", browser.complaints()?);
        Ok(())
    })
}

fn a_series_that_waits_for_its_first_fetch_says_so() -> anyhow::Result<()> {
    with_aapl(|browser| {
        let stack = Stack::get();
        let pool = stack.pool();
        let insert =
            "insert into objects (key, symbol, interval) values ('waits', 'WAITS', '1day') on conflict do nothing";
        stack.run(sqlx::query(insert).execute(&pool)).context("add a series")?;
        browser.go("/")?;
        let height = |symbol: &str| {
            format!("document.querySelector(\"tr[data-search^='{symbol} ']\").getBoundingClientRect().height")
        };
        let heights = browser.ask(&format!("return [{}, {}]", height("WAITS"), height("AAPL")))?;
        let [waiting, fetched] = serde_json::from_value::<[f64; 2]>(heights)?;
        browser.go("/symbol/WAITS/1day")?;
        browser.until("document.getElementById('veil').textContent.includes('has not been fetched yet')")?;
        let complaints = browser.complaints()?;
        stack
            .run(sqlx::query("delete from objects where key = 'waits'").execute(&pool))
            .context("remove the series")?;
        ensure!(complaints.is_empty(), "{complaints:?}");
        // The last row has a thinner border than the others.
        ensure!(waiting < fetched + 2.0, "its row is {waiting} pixels high, and that of AAPL {fetched}");
        Ok(())
    })
}

/// Rising and falling candles alternate and have bodies of one size, so if both were solid, their colors would cover as much.
fn rising_candles_are_hollow() -> anyhow::Result<()> {
    with_aapl(|browser| {
        drop_minutes("HOLLOW", 12)?;
        browser.go("/symbol/HOLLOW/1min?range=All")?;
        browser.ask("localStorage.setItem('theme', 'light'); location.reload()")?;
        browser.until(READY)?;
        let [up, down] = drawn(browser, &browser.picture("#chart")?)?;
        ensure!(up > 0 && down > 3 * up, "rising candles have {up} pixels, falling ones {down}");
        Ok(())
    })
}

fn the_csv_of_the_page_has_every_candle_of_the_range() -> anyhow::Result<()> {
    with_aapl(|browser| {
        drop_minutes("WHOLECSV", 3_000)?;
        browser.go("/symbol/WHOLECSV/1min?range=All")?;
        browser.until(READY)?;
        browser.click("#csv")?;
        let csv = String::from_utf8(browser.download("WHOLECSV_1min.csv")?)?;
        ensure!(csv.lines().count() == 3_001, "the file has {} lines", csv.lines().count());
        Ok(())
    })
}

/// The total number of bytes transferred for the page.
fn the_page_of_a_symbol_is_small() -> anyhow::Result<()> {
    with_aapl(|browser| {
        browser.go("/symbol/AAPL/1day")?;
        browser.until(READY)?;
        let bytes = browser.ask(
            "return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
                .filter((entry) => entry.initiatorType !== 'preload' || !entry.name.includes('/candles'))
                .reduce((sum, entry) => sum + entry.encodedBodySize, 0)",
        )?;
        let bytes = bytes.as_u64().context("read the sizes")?;
        ensure!((70_000..150_000).contains(&bytes), "the page takes {bytes} bytes");
        Ok(())
    })
}
