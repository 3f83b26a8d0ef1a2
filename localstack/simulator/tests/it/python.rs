//! The official Python client against the simulator.

use std::io::Write;
use std::process::Command;

use candlewick_simulator::settings::Settings;

use crate::support::served;

/// Names a Python that has the package `twelvedata` with pandas.
const VARIABLE: &str = "CANDLEWICK_TWELVEDATA_PYTHON";

#[tokio::test(flavor = "multi_thread")]
async fn the_official_python_client_gets_its_candles() {
    let Ok(python) = std::env::var(VARIABLE) else {
        // Written past the test runner's capture, because a test that proves nothing must say so.
        writeln!(std::io::stderr(), "skipped: {VARIABLE} names no Python with the package twelvedata").unwrap();
        return;
    };
    let api = served(Settings::default()).await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python_client.py");
    let output = tokio::task::spawn_blocking({
        let base = api.base.clone();
        move || Command::new(python).args([script, &base]).output()
    });
    let output = output.await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
