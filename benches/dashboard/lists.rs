//! How long the watchlist, a search and the list of the API take with ten thousand series of sixty candles.

use std::time::Instant;

use candlewick_test_support::figures::median;
use reqwest::Client;

use crate::Extent;
use crate::support::Environment;

const SERIES: &str = "insert into objects (key, symbol, interval, etag, raw_written, loaded_at, rows_total)
        select 'k' || n, 'S' || lpad(n::text, 5, '0'), '1day', 'e1', now(), now(), 60 from generate_series(1, 10000) as n;
    insert into candles (symbol, interval, time, open, high, low, close, volume, is_filled, object_id)
        select symbol, '1day', timestamptz '2024-10-01Z' + day * interval '1 day', 10, 12, 9, 10 + (id + day) % 2, 1000, false, id
        from objects, generate_series(1, 60) as day where symbol like 'S_____';
    vacuum analyze";

const ASKED: [(&str, &str); 5] = [
    ("the watchlist", "/"),
    ("its next page", "/?after=5000"),
    ("a search", "/?search=S042"),
    ("sorted by the change", "/?sort=-change"),
    ("the API's list", "/api/v1/series?search=S042"),
];

pub async fn measure(environment: &Environment, extent: &Extent) {
    for statement in SERIES.split(';') {
        sqlx::raw_sql(statement).execute(&environment.pool).await.unwrap();
    }
    let client = Client::new();
    for (name, path) in ASKED {
        let mut times = Vec::new();
        for _ in 0..extent.rounds * 5 {
            let begin = Instant::now();
            let response = client.get(format!("{}{path}", environment.dashboard)).header("accept", "text/html, */*");
            response.send().await.unwrap().error_for_status().unwrap().bytes().await.unwrap();
            times.push(begin.elapsed().as_secs_f64() * 1_000.0);
        }
        let slowest = times.iter().copied().fold(0.0, f64::max);
        println!("10,000 series, {name}: {:.0} ms, the slowest {slowest:.0} ms", median(times));
    }
}
