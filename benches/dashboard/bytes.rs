//! How many bytes an answer has.

use reqwest::Client;
use reqwest::header::ACCEPT_ENCODING;

use crate::support::Environment;

/// The answers that are weighed. October 2020 has 22 sessions.
const ASKED: [(&str, &str); 4] = [
    ("five years of days", "1day/candles"),
    ("five years of closes", "1day/candles?fields=time,close"),
    ("a month of minutes", "1min/candles?from=2020-10-01&to=2020-10-31"),
    ("a month of minutes, as a chart has it", "1min/candles?from=2020-10-01&to=2020-10-31&points=1500"),
];

pub async fn measure(environment: &Environment) {
    let client = Client::new();
    for (name, path) in ASKED {
        let url = format!("{}/api/v1/series/AAPL/{path}", environment.dashboard);
        let weigh = async |encoding: &str| {
            let answer = client.get(&url).header(ACCEPT_ENCODING, encoding).send().await.unwrap();
            answer.error_for_status().unwrap().bytes().await.unwrap().len()
        };
        let packed = weigh("gzip").await;
        let plain = weigh("identity").await;
        println!("bytes, {name}: {packed} packed, {plain} plain ({:.2})", packed as f64 / plain as f64);
    }
}
