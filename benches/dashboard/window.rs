//! A browser without a window, driven by the measurement.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder};
use serde_json::json;

use crate::program;

/// A driver, which ends with the measurement whatever becomes of it.
pub struct Driver {
    process: Child,
    port: u16,
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Driver {
    /// Starts the driver; `None`, and a line that says so, if there is none or no Chromium.
    pub fn start(what: &str) -> Option<Self> {
        let (chromedriver, _) = program("chromedriver", what).zip(program("chromium", what))?;
        let port = candlewick_localstack::ports::Picker::new().pick(&candlewick_localstack::ports::Wish::Any).unwrap();
        let mut command = Command::new(chromedriver);
        command.arg(format!("--port={port}")).stdout(Stdio::null()).stderr(Stdio::null());
        Some(Self { process: command.spawn().unwrap(), port })
    }

    /// Opens a window of its own, which has nothing in its cache.
    pub async fn open(&self) -> Client {
        let options = json!({"goog:chromeOptions": {"args": [
            "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,900",
        ]}});
        let connect = async || {
            ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
                .capabilities(options.as_object().unwrap().clone())
                .connect(&format!("http://127.0.0.1:{}", self.port))
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
}

/// From the beginning of the visit to the drawn chart, in milliseconds, by the browser's clock.
pub async fn drawn(window: &Client, url: &str) -> f64 {
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
