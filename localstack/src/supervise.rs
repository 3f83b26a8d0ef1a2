//! Keeps a service running: starts it again when it dies unasked, with growing pauses, and stops it when told to.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::process::{Exit, Process, Program, Stopped};
use crate::progress::Reporter;
use crate::state::StateDir;

/// How many of its last log lines are shown when a service dies soon after its start.
const LINES_SHOWN: usize = 5;

/// The pauses before a service is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The first pause; each further one is twice as long.
    pub first: Duration,
    /// The longest pause.
    pub limit: Duration,
    /// A service that stayed up this long begins with the first pause again.
    pub steady: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(500), limit: Duration::from_secs(30), steady: Duration::from_secs(30) }
    }
}

impl Backoff {
    /// The pause after a death, given the pause before it (if there was one) and how long the service stayed up.
    pub fn pause(&self, before: Option<Duration>, stayed_up: Duration) -> Duration {
        match before {
            Some(before) if stayed_up < self.steady => (before * 2).min(self.limit),
            _ => self.first,
        }
    }
}

/// What a supervised service is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It runs.
    Running {
        /// Its process id.
        pid: u32,
        /// How often it has been started again.
        restarts: u32,
    },
    /// It died and will be started again.
    Waiting {
        /// How it ended; `None` when it could not even be started again.
        exit: Option<Exit>,
        pause: Duration,
    },
    /// It was stopped for good.
    Stopped(Stopped),
}

/// A service that is kept running until its token is cancelled.
#[derive(Debug)]
pub struct Service {
    name: String,
    status: watch::Receiver<Status>,
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

impl Service {
    /// Starts a service and keeps it running. A program that can't be started at all is an error at once.
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
        let keeper = Keeper {
            program,
            state,
            backoff,
            progress,
            cancel: cancel.clone(),
            status: sender,
            pause: None,
            restarts: 0,
        };
        let task = tokio::spawn(keeper.keep(process));
        Ok(Self { name, status, cancel, task })
    }

    /// The service's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its status, to read or to await changes of.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Stops it for good and tells how that went.
    pub async fn stop(self) -> Stopped {
        self.cancel.cancel();
        let _ = self.task.await;
        match *self.status.borrow() {
            Status::Stopped(stopped) => stopped,
            _ => Stopped::Already(Exit::Unknown),
        }
    }
}

struct Keeper {
    program: Program,
    state: StateDir,
    backoff: Backoff,
    progress: Reporter,
    cancel: CancellationToken,
    status: watch::Sender<Status>,
    pause: Option<Duration>,
    restarts: u32,
}

impl Keeper {
    async fn keep(mut self, mut process: Process) {
        let stopped = loop {
            let up_since = Instant::now();
            let exit = tokio::select! {
                exit = process.wait() => exit,
                () = self.cancel.cancelled() => break process.stop().await,
            };
            self.tell_death(&process, exit, up_since.elapsed());
            match self.start_again(exit).await {
                Some(again) => process = again,
                None => break Stopped::Already(exit),
            }
        };
        self.status.send_replace(Status::Stopped(stopped));
    }

    /// A service that lived but a moment most likely said why; one that ran for long is found in its log.
    fn tell_death(&mut self, process: &Process, exit: Exit, stayed_up: Duration) {
        let pause = self.backoff.pause(self.pause, stayed_up);
        self.pause = Some(pause);
        let died = match exit {
            Exit::Code(0) => "stopped unasked".to_owned(),
            _ => format!("died ({exit})"),
        };
        self.say(&format!("{died}; starting it again in {}", seconds(pause)));
        if stayed_up < self.backoff.steady {
            process.last_lines(LINES_SHOWN).iter().for_each(|line| self.say(&format!("  | {line}")));
            self.say(&format!("  its log is {}", process.log().display()));
        }
    }

    /// Tries until the program starts; `None` when cancelled first.
    async fn start_again(&mut self, exit: Exit) -> Option<Process> {
        let mut exit = Some(exit);
        loop {
            let pause = self.pause.unwrap_or(self.backoff.first);
            self.status.send_replace(Status::Waiting { exit, pause });
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.cancel.cancelled() => return None,
            }
            match Process::start(&self.program, &self.state) {
                Ok(process) => return Some(self.started(process)),
                Err(error) => self.tell_no_start(&error),
            }
            exit = None;
        }
    }

    fn started(&mut self, process: Process) -> Process {
        self.restarts += 1;
        self.status.send_replace(Status::Running { pid: process.pid(), restarts: self.restarts });
        process
    }

    fn tell_no_start(&mut self, error: &anyhow::Error) {
        let pause = self.backoff.pause(self.pause, Duration::ZERO);
        self.pause = Some(pause);
        self.say(&format!("could not be started ({error:#}); trying again in {}", seconds(pause)));
    }

    fn say(&self, text: &str) {
        self.progress.line(self.program.name(), text);
    }
}

fn seconds(pause: Duration) -> String {
    format!("{} s", pause.as_secs_f64())
}

#[cfg(test)]
mod tests;
