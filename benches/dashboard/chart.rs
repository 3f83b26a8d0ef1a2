//! How long it takes from an address to a drawn chart, and how even its movements are, in turn with Lightweight Charts
//! alone on the same candles in the same browser.

use candlewick_test_support::figures::median;
use fantoccini::Client;
use serde_json::json;

use crate::support::Environment;
use crate::window::{Driver, drawn};
use crate::{Extent, peer};

/// A chart on our page, and on the page with the library alone.
struct Chart {
    name: &'static str,
    ours: &'static str,
    theirs: &'static str,
}

const WHOLE: [Chart; 2] = [
    Chart { name: "1,260 days", ours: "/symbol/AAPL/1day?range=All", theirs: "/?interval=1day" },
    Chart { name: "500,000 minutes", ours: "/symbol/AAPL/1min?range=All", theirs: "/?interval=1min" },
];

/// The minutes are those of the last session.
const MOVED: [Chart; 2] = [
    Chart { name: "1,260 days", ours: "/symbol/AAPL/1day?range=All", theirs: "/?interval=1day" },
    Chart { name: "500,000 minutes", ours: "/symbol/AAPL/1min?range=1D", theirs: "/?interval=1min&last=390" },
];

pub async fn measure(environment: &Environment, extent: &Extent) {
    let Some(driver) = Driver::start("the chart in a browser") else { return };
    let theirs = peer::serve(environment.pool.clone()).await;
    let address =
        |chart: &Chart| (format!("{}{}", environment.dashboard, chart.ours), format!("{theirs}{}", chart.theirs));
    for chart in &WHOLE {
        first(&driver, chart.name, address(chart), extent.rounds).await;
    }
    for chart in &MOVED {
        for movement in ["wheel", "pan"] {
            frames(&driver, chart.name, movement, address(chart), extent.rounds).await;
        }
    }
}

/// The time to the first chart in a window of its own, and to the same chart once more.
async fn first(driver: &Driver, name: &str, (ours, theirs): (String, String), rounds: usize) {
    let mut firsts = [Vec::new(), Vec::new()];
    let mut agains = Vec::new();
    for _ in 0..rounds {
        for (at, url) in [&ours, &theirs].into_iter().enumerate() {
            let window = driver.open().await;
            firsts[at].push(drawn(&window, url).await);
            if at == 0 {
                agains.push(drawn(&window, url).await);
            }
            window.close().await.unwrap();
        }
    }
    let [ours, theirs] = firsts.map(median);
    println!(
        "chart, {name}: {ours:.0} ms, again {:.0} ms; the library alone {theirs:.0} ms ({:.2})",
        median(agains),
        ours / theirs
    );
}

/// Moves a chart for two seconds of even frames and returns the time between them, in milliseconds.
const MOVE: &str = "const [movement, done] = arguments;
    const box = document.getElementById('chart').getBoundingClientRect();
    const [left, top] = [box.left + box.width / 2, box.top + box.height / 2];
    const target = document.elementFromPoint(left, top);
    const at = (x) => ({ bubbles: true, cancelable: true, view: window, clientX: x, clientY: top, button: 0, buttons: 1 });
    const send = {
        wheel: (step) => target.dispatchEvent(new WheelEvent('wheel', { ...at(left), deltaY: step % 60 < 30 ? -40 : 40 })),
        pan: (step) => target.dispatchEvent(new MouseEvent('mousemove', at(left + 4 * step))),
    }[movement];
    const frames = [];
    let last;
    let step = 0;
    const next = (now) => {
        if (last !== undefined) frames.push(now - last);
        last = now;
        if (step === 120) {
            target.dispatchEvent(new MouseEvent('mouseup', at(left + 4 * step)));
            done(frames);
            return;
        }
        send(step);
        step += 1;
        requestAnimationFrame(next);
    };
    if (movement === 'pan') target.dispatchEvent(new MouseEvent('mousedown', at(left)));
    requestAnimationFrame(next);";

/// The time between two frames that a twentieth exceeds.
async fn frames(driver: &Driver, name: &str, movement: &str, (ours, theirs): (String, String), rounds: usize) {
    let mut slowest = [Vec::new(), Vec::new()];
    for _ in 0..rounds {
        for (at, url) in [&ours, &theirs].into_iter().enumerate() {
            let window = driver.open().await;
            drawn(&window, url).await;
            slowest[at].push(twentieth(&window, movement).await);
            window.close().await.unwrap();
        }
    }
    let [ours, theirs] = slowest.map(median);
    println!("{movement}, {name}: p95 frame {ours:.1} ms; the library alone {theirs:.1} ms ({:.2})", ours / theirs);
}

async fn twentieth(window: &Client, movement: &str) -> f64 {
    let frames = window.execute_async(MOVE, vec![json!(movement)]).await.unwrap();
    let mut frames: Vec<f64> = serde_json::from_value(frames).unwrap();
    frames.sort_by(f64::total_cmp);
    frames[frames.len() * 19 / 20]
}
