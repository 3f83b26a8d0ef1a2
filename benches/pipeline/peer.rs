//! The same two hops in Python, as a process of its own.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use candlewick_shared::ports::store::ObjectStore;
use candlewick_test_support::programs::root;

use crate::Extent;
use crate::drops;
use crate::files;
use crate::support::Environment;

/// The most files that the worker is given: it is slow.
const MOST: usize = 200;

pub async fn measure(environment: &Environment, extent: &Extent) {
    let count = extent.files.min(MOST);
    let dir = tempfile::tempdir().unwrap();
    let ready = dir.path().join("ready");
    let mut worker = start(environment, count, &ready);
    while !ready.exists() {
        assert!(worker.try_wait().unwrap().is_none(), "the worker ended before it began");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let store = environment.store();
    let named = drops::symbols("PX", count).into_iter().map(|symbol| (symbol.clone(), files::raw(&symbol))).collect();
    let begun = Instant::now();
    drops::put_all(&store as &dyn ObjectStore, named).await;
    let output = worker.wait_with_output().unwrap();
    assert!(output.status.success(), "the worker failed");
    let seconds = begun.elapsed().as_secs_f64();
    println!("python, {count} files in {seconds:.1} s: {}", String::from_utf8_lossy(&output.stdout).trim());
}

fn start(environment: &Environment, count: usize, ready: &Path) -> Child {
    let mut command = Command::new(python());
    command.arg(root().join("benches/peers/worker.py")).arg(count.to_string()).arg(ready);
    command.envs(environment.running.addresses.settings()).stdout(Stdio::piped()).spawn().unwrap()
}

/// A Python that has what the worker needs, made where there is none.
fn python() -> std::path::PathBuf {
    let requirements = root().join("benches/peers/worker.txt");
    let home = root().join(".local/bench/worker");
    let installed = home.join("installed.txt");
    let wanted = fs::read_to_string(&requirements).unwrap();
    if fs::read_to_string(&installed).ok().as_ref() != Some(&wanted) {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home));
        run(Command::new(home.join("bin/pip")).args(["install", "--quiet", "-r"]).arg(&requirements));
        fs::write(installed, wanted).unwrap();
    }
    home.join("bin/python")
}

fn run(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?} failed");
}
