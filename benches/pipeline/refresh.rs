//! Ten symbols, from the message to their rows: what a scheduler would run as ten chains of three tasks.

use std::time::Instant;

use candlewick_shared::ports::queue::{NewMessage, Queue};

use crate::drops;
use crate::ground::Ground;
use crate::processes::Processes;

pub async fn measure(ground: &Ground) {
    let begun = Instant::now();
    let body = r#"{"kind":"refresh","run":"bench"}"#.to_owned();
    ground.queue("INGEST_QUEUE_URL").send(&[NewMessage { body, ..NewMessage::default() }]).await.unwrap();
    // The sample is loaded already.
    drops::until_loaded(&ground.running.pool, "%", 11).await;
    let seconds = begun.elapsed().as_secs_f64();
    ground.settle().await;
    let services: f64 = ground.services().peaks().iter().map(|(_, peak)| peak).sum();
    let under = Processes::named(&ground.state, &["localstack", "simulator"]);
    let under: f64 = under.peaks().iter().map(|(_, peak)| peak).sum();
    println!(
        "ten symbols, from the message to all rows: {seconds:.2} s; services {services:.0} MB, LocalStack and simulator {under:.0} MB"
    );
}
