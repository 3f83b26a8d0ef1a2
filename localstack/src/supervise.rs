//! Supervises a service: restarts it when it exits unexpectedly, after increasing pauses, until it is stopped.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::process::{Exit, Process, Program, Stopped};
use crate::progress::Reporter;
use crate::state::StateDir;

/// How many lines of its log are shown when a service exits soon after its start.
const LINES_SHOWN: usize = 5;

/// The pauses before a service is restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The first pause. Each following one is twice as long.
    pub first: Duration,
    /// The maximum pause.
    pub limit: Duration,
    /// After this uptime the next pause is the first one again.
    pub steady: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(500), limit: Duration::from_secs(30), steady: Duration::from_secs(30) }
    }
}

impl Backoff {
    /// Returns the pause after an exit, given the previous pause (if there was one) and the uptime of the service.
    pub fn pause(&self, before: Option<Duration>, uptime: Duration) -> Duration {
        match before {
            Some(before) if uptime < self.steady => (before * 2).min(self.limit),
            _ => self.first,
        }
    }
}

/// The status of a supervised service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Running {
        pid: u32,
        /// How often it has been restarted.
        restarts: u32,
    },
    /// It exited and will be restarted after a pause.
    Waiting {
        /// How it ended, or `None` if the restart failed.
        exit: Option<Exit>,
        pause: Duration,
    },
    /// It was stopped and will not be restarted.
    Stopped(Stopped),
}

/// A service that is kept running until it is stopped or its token is cancelled.
#[derive(Debug)]
pub struct Service {
    name: String,
    status: watch::Receiver<Status>,
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

impl Service {
    /// Starts a service and supervises it. Fails if the program cannot be started at all.
    pub fn start(
        program: Program,
        state: StateDir,
        backoff: Backoff,
        progress: Reporter,
        cancel: CancellationToken,
    ) -> anyhow::Result<Self> {
        let name = program.name().to_owned();
        let process = Process::start(&program, &state)?;
        let (sender, status) = watch::channel(Status::Running { pid: process.pid(), restarts: 0 });
        let supervisor = Supervisor {
            program,
            state,
            backoff,
            progress,
            cancel: cancel.clone(),
            status: sender,
            pause: None,
            restarts: 0,
        };
        let task = tokio::spawn(supervisor.run(process));
        Ok(Self { name, status, cancel, task })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns a receiver of the status and its changes.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Stops the service and returns how it ended.
    pub async fn stop(self) -> Stopped {
        self.cancel.cancel();
        let _ = self.task.await;
        match *self.status.borrow() {
            Status::Stopped(stopped) => stopped,
            _ => Stopped::Already(Exit::Unknown),
        }
    }
}

struct Supervisor {
    program: Program,
    state: StateDir,
    backoff: Backoff,
    progress: Reporter,
    cancel: CancellationToken,
    status: watch::Sender<Status>,
    pause: Option<Duration>,
    restarts: u32,
}

impl Supervisor {
    async fn run(mut self, mut process: Process) {
        let stopped = loop {
            let started = Instant::now();
            let exit = tokio::select! {
                exit = process.wait() => exit,
                () = self.cancel.cancelled() => break process.stop().await,
            };
            self.report_exit(&process, exit, started.elapsed());
            match self.restart(exit).await {
                Some(restarted) => process = restarted,
                None => break Stopped::Already(exit),
            }
        };
        self.status.send_replace(Status::Stopped(stopped));
    }

    /// The end of the log is shown only if the service ran for a short time, because it then most likely has the reason.
    fn report_exit(&mut self, process: &Process, exit: Exit, uptime: Duration) {
        let pause = self.backoff.pause(self.pause, uptime);
        self.pause = Some(pause);
        let died = match exit {
            Exit::Code(0) => "exited unexpectedly".to_owned(),
            _ => format!("died ({exit})"),
        };
        self.report(&format!("{died}; restarting in {}", seconds(pause)));
        if uptime < self.backoff.steady {
            process.last_lines(LINES_SHOWN).iter().for_each(|line| self.report(&format!("  | {line}")));
            self.report(&format!("  its log is {}", process.log().display()));
        }
    }

    /// Retries until the program starts. Returns `None` if it is cancelled before.
    async fn restart(&mut self, exit: Exit) -> Option<Process> {
        let mut exit = Some(exit);
        loop {
            let pause = self.pause.unwrap_or(self.backoff.first);
            self.status.send_replace(Status::Waiting { exit, pause });
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.cancel.cancelled() => return None,
            }
            match Process::start(&self.program, &self.state) {
                Ok(process) => return Some(self.mark_running(process)),
                Err(error) => self.report_failed_start(&error),
            }
            exit = None;
        }
    }

    fn mark_running(&mut self, process: Process) -> Process {
        self.restarts += 1;
        self.status.send_replace(Status::Running { pid: process.pid(), restarts: self.restarts });
        process
    }

    fn report_failed_start(&mut self, error: &anyhow::Error) {
        let pause = self.backoff.pause(self.pause, Duration::ZERO);
        self.pause = Some(pause);
        self.report(&format!("could not be started ({error:#}); retrying in {}", seconds(pause)));
    }

    fn report(&self, text: &str) {
        self.progress.line(self.program.name(), text);
    }
}

fn seconds(pause: Duration) -> String {
    format!("{} s", pause.as_secs_f64())
}

#[cfg(test)]
mod tests;
