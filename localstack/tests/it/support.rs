//! What the tests share.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use candlewick_localstack::ports::{Picker, Wish};
use candlewick_localstack::progress::Reporter;
use candlewick_localstack::state::StateDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

pub const PATIENCE: Duration = Duration::from_secs(60);

pub fn state() -> (tempfile::TempDir, StateDir) {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    open_to_all(dir.path());
    (dir, state)
}

/// A temporary directory is its maker's only; a clone is not.
pub fn open_to_all(dir: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755)).unwrap();
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
