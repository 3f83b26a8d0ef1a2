//! Ten symbols, from the message to their rows: what a scheduler would run as ten chains of three tasks.

use std::time::Instant;

use candlewick_shared::ports::queue::{NewMessage, Queue};

use crate::drops;
use crate::processes::Processes;
use crate::support::Environment;

pub async fn measure(environment: &Environment) {
    let begun = Instant::now();
    let body = r#"{"kind":"refresh","run":"bench"}"#.to_owned();
    environment.queue("INGEST_QUEUE_URL").send(&[NewMessage { body, ..NewMessage::default() }]).await.unwrap();
    // The sample is loaded already.
    drops::until_loaded(&environment.running.pool, "%", 11).await;
    let seconds = begun.elapsed().as_secs_f64();
    environment.settle().await;
    let services: f64 = environment.services().peaks().iter().map(|(_, peak)| peak).sum();
    let under = Processes::named(&environment.state, &["localstack", "simulator"]);
    let under: f64 = under.peaks().iter().map(|(_, peak)| peak).sum();
    println!(
        "ten symbols, from the message to all rows: {seconds:.2} s; services {services:.0} MB, LocalStack and simulator {under:.0} MB"
    );
}
