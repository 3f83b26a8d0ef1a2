use std::time::Duration;

use super::leftovers::{Leftover, Outcome};
use super::*;
use crate::state::StateDir;

fn state() -> (tempfile::TempDir, StateDir) {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::open(dir.path()).unwrap();
    (dir, state)
}

fn shell(script: &str) -> Program {
    Program::new("sh", "/bin/sh").args(["-c", script])
}

/// Polls for a condition that cannot be awaited.
async fn until(holds: impl Fn() -> bool) {
    let polling = async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), polling).await.unwrap();
}

/// Waits for a line of output, which a shell prints once it has set its traps.
async fn until_prints(process: &Process, word: &str) {
    until(|| process.last_lines(9).iter().any(|line| line == word)).await;
}

#[tokio::test]
async fn output_goes_to_the_log_and_the_exit_is_told_to_all_who_wait() {
    let (_dir, state) = state();
    let process = Process::start(&shell("echo out; echo err >&2; exit 7"), &state).unwrap();
    let (first, second) = tokio::join!(process.wait(), process.wait());
    assert_eq!((first, second), (Exit::Code(7), Exit::Code(7)));
    let mut lines = process.last_lines(5);
    lines.sort();
    assert_eq!(lines, ["err", "out"]);
    assert_eq!(leftovers::stop(&state).await.unwrap(), [], "its pid file is gone");
}

#[tokio::test]
async fn last_lines_are_those_of_this_run() {
    let (_dir, state) = state();
    Process::start(&shell("echo old"), &state).unwrap().wait().await;
    let process = Process::start(&shell("seq 1 4"), &state).unwrap();
    process.wait().await;
    assert_eq!(process.last_lines(2), ["3", "4"]);
    assert_eq!(process.last_lines(9).len(), 4);
    assert!(std::fs::read_to_string(process.log()).unwrap().starts_with("old\n"));
}

#[tokio::test]
async fn a_program_that_does_not_exist_is_an_error_that_names_it() {
    let (_dir, state) = state();
    let error = Process::start(&Program::new("loader", "/nowhere/loader"), &state).unwrap_err();
    assert!(format!("{error:#}").contains("start loader (/nowhere/loader)"), "{error:#}");
}

#[tokio::test]
async fn stopping_asks_first_and_reaches_the_whole_group() {
    let (_dir, state) = state();
    let process = Process::start(&shell("sleep 600 & echo $!; echo up; wait"), &state).unwrap();
    until_prints(&process, "up").await;
    let grandchild = process.last_lines(2)[0].parse().unwrap();
    assert!(identity::started(grandchild).is_some());
    assert_eq!(process.stop().await, Stopped::Asked(Exit::Signal(15)));
    assert_eq!(process.stop().await, Stopped::Already(Exit::Signal(15)));
    until(|| identity::started(grandchild).is_none()).await;
}

#[tokio::test]
async fn stopping_also_ends_what_left_the_group() {
    let (_dir, state) = state();
    // With job control, a shell gives its jobs groups of their own.
    let shell = Program::new("bash", "bash").args(["-c", "set -m; sleep 600 & echo $!; echo up; wait"]);
    let process = Process::start(&shell, &state).unwrap();
    until_prints(&process, "up").await;
    let grandchild: i32 = process.last_lines(2)[0].parse().unwrap();
    let group = nix::unistd::getpgid(Some(nix::unistd::Pid::from_raw(grandchild))).unwrap();
    assert_ne!(group.as_raw(), process.pid().cast_signed());
    process.stop().await;
    until(|| identity::started(grandchild).is_none()).await;
}

#[tokio::test]
async fn what_a_killed_process_left_in_its_group_ends_too() {
    let (_dir, state) = state();
    let process = Process::start(&shell("trap '' TERM; sleep 600 & echo $!; echo up; wait"), &state).unwrap();
    until_prints(&process, "up").await;
    let grandchild = process.last_lines(2)[0].parse().unwrap();
    assert!(identity::started(grandchild).is_some());
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(process.pid().cast_signed()), Signal::SIGKILL).unwrap();
    assert_eq!(process.wait().await, Exit::Signal(9));
    until(|| identity::started(grandchild).is_none()).await;
}

#[tokio::test]
async fn a_process_that_ignores_its_signals_is_killed() {
    let (_dir, state) = state();
    let plan = [(Signal::SIGTERM, Duration::from_millis(50)), (Signal::SIGINT, Duration::from_millis(50))];
    let deaf = shell("trap '' TERM INT; echo up; while :; do sleep 600; done").stop_by(StopPlan::new(&plan));
    let process = Process::start(&deaf, &state).unwrap();
    until_prints(&process, "up").await;
    assert_eq!(process.stop().await, Stopped::Killed);
    assert_eq!(process.exited(), Some(Exit::Signal(9)));
}

#[tokio::test]
async fn the_second_signal_of_a_plan_is_tried_before_killing() {
    let (_dir, state) = state();
    let plan = [(Signal::SIGTERM, Duration::from_millis(50)), (Signal::SIGINT, Duration::from_secs(10))];
    let program = shell("trap '' TERM; trap 'exit 3' INT; echo up; while :; do sleep 0.01; done");
    let process = Process::start(&program.stop_by(StopPlan::new(&plan)), &state).unwrap();
    until_prints(&process, "up").await;
    assert_eq!(process.stop().await, Stopped::Asked(Exit::Code(3)));
}

#[tokio::test]
async fn a_clean_environment_keeps_path_and_drops_the_rest() {
    let (_dir, state) = state();
    let program = Program::new("env", "/usr/bin/env").clean_env().env("MINE", "1");
    let process = Process::start(&program, &state).unwrap();
    process.wait().await;
    let names: Vec<String> =
        process.last_lines(99).iter().filter_map(|line| Some(line.split_once('=')?.0.to_owned())).collect();
    assert!(names.contains(&"PATH".to_owned()) && names.contains(&"MINE".to_owned()), "{names:?}");
    assert!(!names.iter().any(|name| name.starts_with("CARGO")), "{names:?}");
}

#[tokio::test]
async fn leftovers_are_stopped_the_last_started_first() {
    let (_dir, state) = state();
    let start = |name: &str| Process::start(&Program::new(name, "sleep").args(["600"]), &state).unwrap();
    let database = start("database");
    let service = start("service");
    assert_eq!(leftovers::alive(&state).unwrap().len(), 2);
    let stopped = leftovers::stop(&state).await.unwrap();
    let expected =
        |process: &Process| Leftover { name: process.name().to_owned(), pid: process.pid(), outcome: Outcome::Asked };
    assert_eq!(stopped, [expected(&service), expected(&database)]);
    assert_eq!(database.wait().await, Exit::Signal(15));
}

#[tokio::test]
async fn a_leftover_that_ignores_its_signal_is_killed() {
    let (_dir, state) = state();
    let deaf = shell("trap '' TERM; echo up; while :; do sleep 600; done");
    let deaf = deaf.stop_by(StopPlan::term(Duration::from_millis(50)));
    let process = Process::start(&deaf, &state).unwrap();
    until_prints(&process, "up").await;
    assert_eq!(leftovers::stop(&state).await.unwrap()[0].outcome, Outcome::Killed);
}

#[tokio::test]
async fn a_pid_that_has_changed_hands_is_left_alone() {
    let (_dir, state) = state();
    let process = Process::start(&Program::new("mine", "sleep").args(["600"]), &state).unwrap();
    let text = std::fs::read_to_string(state.pid_file("mine")).unwrap();
    let mut record: serde_json::Value = serde_json::from_str(&text).unwrap();
    record["started"] = "1@another".into();
    std::fs::write(state.pid_file("mine"), record.to_string()).unwrap();
    assert_eq!(leftovers::alive(&state).unwrap(), []);
    assert_eq!(leftovers::stop(&state).await.unwrap()[0].outcome, Outcome::Gone);
    assert_eq!(process.exited(), None);
    assert_eq!(process.stop().await, Stopped::Asked(Exit::Signal(15)));
}

#[tokio::test]
async fn a_pid_file_that_cannot_be_read_is_an_error_that_names_it() {
    let (_dir, state) = state();
    std::fs::write(state.pid_file("odd"), "?").unwrap();
    let error = leftovers::stop(&state).await.unwrap_err();
    assert!(format!("{error:#}").contains("odd.pid"), "{error:#}");
}
