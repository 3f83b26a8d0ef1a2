use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use candlewick_localstack::process::{Process, Program, leftovers};
use candlewick_localstack::state::StateDir;
use candlewick_localstack::watchdog::{self, Watchdog};

/// This very test, run again in another process that plays a part.
const ROLE: &str = "CANDLEWICK_TEST_ROLE";
const STATE: &str = "CANDLEWICK_TEST_STATE";

const TEST: [&str; 3] = ["--exact", "watchdog::a_run_that_is_killed_takes_its_children_along", "--nocapture"];

#[tokio::test]
async fn a_run_that_is_killed_takes_its_children_along() {
    match std::env::var(ROLE).as_deref() {
        Ok("up") => up(&given_state()).await,
        Ok(_) => drop(watchdog::run(&given_state()).await.unwrap()),
        Err(_) => kill_and_see(),
    }
}

fn given_state() -> StateDir {
    StateDir::open(Path::new(&std::env::var(STATE).unwrap())).unwrap()
}

/// Like `candlewick up`, with one child that writes to a pipe of the file system.
async fn up(state: &StateDir) {
    let _lock = state.lock().await.unwrap();
    // The part is played as the environment says, and that is inherited: `env` changes it.
    let this = std::env::current_exe().unwrap();
    let args = [format!("{ROLE}=watchdog").into(), this.into_os_string()].into_iter().chain(TEST.map(Into::into));
    let _watchdog = Watchdog::start(Path::new("/usr/bin/env"), args).unwrap();
    let script = "exec sleep 600 > pipe";
    let child = Program::new("child", "/bin/sh").args(["-c", script]).dir(state.root());
    Process::start(&child, state).unwrap().wait().await;
}

/// The pipe opens when the child is there, and ends when the child does.
fn kill_and_see() {
    let (dir, state) = crate::support::state();
    assert!(Command::new("mkfifo").arg(dir.path().join("pipe")).status().unwrap().success());
    let mut up = Command::new(std::env::current_exe().unwrap());
    up.args(TEST).env(ROLE, "up").env(STATE, dir.path()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut up = up.spawn().unwrap();
    let mut pipe = std::fs::File::open(dir.path().join("pipe")).unwrap();
    while leftovers::alive(&state).unwrap().is_empty() {
        // The child may be quicker than the pid file.
        std::thread::yield_now();
    }
    up.kill().unwrap();
    up.wait().unwrap();
    assert_eq!(pipe.read(&mut [0]).unwrap(), 0);
}
