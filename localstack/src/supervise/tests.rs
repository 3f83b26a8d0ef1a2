use std::sync::Arc;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;
use crate::progress::silent;

const QUICK: Backoff =
    Backoff { first: Duration::from_millis(5), limit: Duration::from_millis(20), steady: Duration::from_secs(30) };

fn state() -> (tempfile::TempDir, StateDir) {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    (dir, state)
}

fn shell(script: &str) -> Program {
    Program::new("transform", "/bin/sh").args(["-c", script])
}

fn recorder() -> (Reporter, UnboundedReceiver<String>) {
    let (sender, receiver) = unbounded_channel();
    let reporter = Arc::new(move |source: &str, text: &str| drop(sender.send(format!("{source}: {text}"))));
    (reporter, receiver)
}

async fn restarted(service: &Service, times: u32) -> u32 {
    let mut status = service.status();
    let wanted = |status: &Status| matches!(status, Status::Running { restarts, .. } if *restarts >= times);
    let found = *tokio::time::timeout(Duration::from_secs(10), status.wait_for(wanted)).await.unwrap().unwrap();
    let Status::Running { pid, .. } = found else { unreachable!() };
    pid
}

#[test]
fn pauses_double_up_to_the_limit_and_begin_again_after_a_steady_time() {
    let backoff = Backoff::default();
    let brief = Duration::from_secs(1);
    let mut pauses = vec![backoff.pause(None, brief)];
    for _ in 0..7 {
        pauses.push(backoff.pause(pauses.last().copied(), brief));
    }
    assert_eq!(
        pauses.iter().map(Duration::as_secs_f64).collect::<Vec<_>>(),
        [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    );
    assert_eq!(backoff.pause(Some(backoff.limit), backoff.steady), backoff.first);
}

#[tokio::test]
async fn a_service_that_is_killed_comes_back_and_it_is_said() {
    let (_dir, state) = state();
    let (progress, mut lines) = recorder();
    let service = Service::start(shell("exec sleep 600"), state, QUICK, progress, CancellationToken::new()).unwrap();
    let first = restarted(&service, 0).await;
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(first.cast_signed()), nix::sys::signal::Signal::SIGKILL).unwrap();
    assert_eq!(lines.recv().await.unwrap(), "transform: died (signal 9); restarting in 0.005 s");
    let second = restarted(&service, 1).await;
    assert_ne!(first, second);
    assert_eq!(service.stop().await, Stopped::Asked(Exit::Signal(15)));
}

#[tokio::test]
async fn a_service_that_dies_at_once_shows_its_last_words_and_waits_longer_each_time() {
    let (_dir, state) = state();
    let (progress, mut lines) = recorder();
    let script = "echo 'error: DATABASE_URL is not set'; exit 2";
    let service = Service::start(shell(script), state, QUICK, progress, CancellationToken::new()).unwrap();
    restarted(&service, 2).await;
    assert_eq!(lines.recv().await.unwrap(), "transform: died (exit code 2); restarting in 0.005 s");
    assert_eq!(lines.recv().await.unwrap(), "transform:   | error: DATABASE_URL is not set");
    assert!(lines.recv().await.unwrap().contains("transform.log"));
    assert_eq!(lines.recv().await.unwrap(), "transform: died (exit code 2); restarting in 0.01 s");
    service.stop().await;
}

#[tokio::test]
async fn a_service_that_ends_without_error_is_started_again_too() {
    let (_dir, state) = state();
    let (progress, mut lines) = recorder();
    let service = Service::start(shell("exit 0"), state, QUICK, progress, CancellationToken::new()).unwrap();
    assert!(lines.recv().await.unwrap().starts_with("transform: exited unexpectedly; restarting"));
    restarted(&service, 1).await;
    service.stop().await;
}

#[tokio::test]
async fn cancelling_stops_a_service_even_while_it_waits_to_be_started_again() {
    let (_dir, state) = state();
    let slow = Backoff { first: Duration::from_secs(600), ..QUICK };
    let cancel = CancellationToken::new();
    let service = Service::start(shell("exit 1"), state.clone(), slow, silent(), cancel.clone()).unwrap();
    let mut status = service.status();
    status.wait_for(|status| matches!(status, Status::Waiting { .. })).await.unwrap();
    cancel.cancel();
    assert_eq!(service.stop().await, Stopped::Already(Exit::Code(1)));
    assert_eq!(crate::process::leftovers::alive(&state).unwrap(), []);
}

#[tokio::test]
async fn a_program_that_vanishes_is_tried_again_and_its_error_told() {
    let (dir, state) = state();
    let path = dir.path().join("service");
    std::os::unix::fs::symlink("/bin/false", &path).unwrap();
    let (progress, mut lines) = recorder();
    let program = Program::new("loader", &path);
    let service = Service::start(program, state, QUICK, progress, CancellationToken::new()).unwrap();
    std::fs::remove_file(&path).unwrap();
    while !lines.recv().await.unwrap().starts_with("loader: could not be started (start loader") {}
    std::os::unix::fs::symlink("/bin/false", &path).unwrap();
    restarted(&service, 1).await;
    service.stop().await;
}

#[tokio::test]
async fn a_program_that_cannot_be_started_at_all_is_an_error_at_once() {
    let (_dir, state) = state();
    let program = Program::new("loader", "/nowhere");
    assert!(Service::start(program, state, QUICK, silent(), CancellationToken::new()).is_err());
}
