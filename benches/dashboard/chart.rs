//! How long it takes from an address to a drawn chart, in Chromium without a window.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use candlewick_test_support::figures::median;
use fantoccini::{Client, ClientBuilder};
use serde_json::json;

use crate::support::Environment;
use crate::{Extent, program};

const CHARTS: [(&str, &str); 2] =
    [("1,260 days", "/symbol/AAPL/1day?range=All"), ("100,000 minutes", "/symbol/AAPL/1min?range=All")];

/// A driver, which ends with the measurement whatever becomes of it.
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub async fn measure(environment: &Environment, extent: &Extent) {
    let what = "time to first chart";
    let (Some(chromedriver), Some(_)) = (program("chromedriver", what), program("chromium", what)) else { return };
    let port = candlewick_localstack::ports::Picker::new().pick(&candlewick_localstack::ports::Wish::Any).unwrap();
    let mut command = Command::new(chromedriver);
    command.arg(format!("--port={port}")).stdout(Stdio::null()).stderr(Stdio::null());
    let _driver = Driver(command.spawn().unwrap());
    for (name, path) in CHARTS {
        let mut firsts = Vec::new();
        let mut agains = Vec::new();
        for _ in 0..extent.rounds {
            // A window of its own has nothing in its cache; the second visit has what may be kept.
            let window = open(port).await;
            firsts.push(drawn(&window, &format!("{}{path}", environment.dashboard)).await);
            agains.push(drawn(&window, &format!("{}{path}", environment.dashboard)).await);
            window.close().await.unwrap();
        }
        println!("chart, {name}, ms: {firsts:.0?}, again {agains:.0?}");
        println!("chart, {name}: {:.0} ms, again {:.0} ms", median(firsts), median(agains));
    }
}

async fn open(port: u16) -> Client {
    let options = json!({"goog:chromeOptions": {"args": [
        "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,900",
    ]}});
    let connect = async || {
        ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(options.as_object().unwrap().clone())
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
    };
    // The driver listens a moment after it was started.
    for _ in 0..200 {
        if let Ok(client) = connect().await {
            return client;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no window opens")
}

/// From the beginning of the visit to the drawn chart, in milliseconds, by the browser's clock.
async fn drawn(window: &Client, url: &str) -> f64 {
    window.goto(url).await.unwrap();
    let marked = "const done = arguments[0];
        const look = () => {
            const mark = performance.getEntriesByName('candlewick:drawn')[0];
            if (mark) done(mark.startTime);
            else setTimeout(look, 5);
        };
        look();";
    window.execute_async(marked, Vec::new()).await.unwrap().as_f64().unwrap()
}
