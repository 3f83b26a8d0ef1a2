//! What the tests share.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use candlewick_localstack::ports::{Picker, Wish};
use candlewick_localstack::process::leftovers;
use candlewick_localstack::progress::Reporter;
use candlewick_localstack::state::StateDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

pub const PATIENCE: Duration = Duration::from_secs(60);

/// A state directory that ends with the test, and all that runs in it too, even when the test fails.
pub struct Guard {
    dir: tempfile::TempDir,
    state: StateDir,
}

impl Guard {
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

impl Drop for Guard {
    /// On a thread of its own, because a runtime can't be entered from within the test's.
    fn drop(&mut self) {
        let stop = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(leftovers::stop(&self.state)).unwrap();
        };
        std::thread::scope(|scope| scope.spawn(stop).join()).unwrap();
    }
}

pub fn state() -> (Guard, StateDir) {
    let dir = tempfile::tempdir().unwrap();
    // A temporary directory is its maker's only; a clone is not.
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    (Guard { dir, state: state.clone() }, state)
}

/// Where `candlewick up` keeps its environments too, so that they are installed once.
pub fn python_home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(".local")
}

pub fn free_port() -> u16 {
    Picker::new().pick(&Wish::Any).unwrap()
}

/// A reporter, and the lines it has heard.
pub fn heard() -> (Reporter, UnboundedReceiver<String>) {
    let (sender, receiver) = unbounded_channel();
    (Arc::new(move |source: &str, text: &str| drop(sender.send(format!("{source}: {text}")))), receiver)
}

pub fn all(mut lines: UnboundedReceiver<String>) -> String {
    std::iter::from_fn(|| lines.try_recv().ok()).collect::<Vec<_>>().join("\n")
}
