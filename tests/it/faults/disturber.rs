//! Kills processes without notice, like crashes, machines and operators.

use anyhow::{Context, ensure};
use candlewick_localstack::process::Signal;
use candlewick_localstack::supervise::{Service, Status};
use nix::sys::signal::kill as send;
use nix::unistd::Pid;
use tokio::time::Instant;

use super::plan::{PROCESSES, Plan};
use super::support::Environment;
use super::traffic::until;

/// Kills services with `kill -9` at the planned moments; they are restarted.
pub async fn kill(environment: &Environment, plan: &Plan) -> anyhow::Result<()> {
    let start = Instant::now();
    for (at, process) in &plan.kills {
        until(start, *at).await;
        kill_one(&environment.services[*process]).await?;
        environment.tally.add(format!("kill -9 of {}", PROCESSES[*process]), 1);
    }
    Ok(())
}

/// Kills a service as soon as it is running.
async fn kill_one(service: &Service) -> anyhow::Result<()> {
    let mut status = service.status();
    let running = status.wait_for(|status| matches!(status, Status::Running { .. })).await;
    let pid = match *running.context("wait for a service to run")? {
        Status::Running { pid, .. } => Pid::from_raw(pid.try_into().context("read a process id")?),
        _ => return Ok(()),
    };
    // If it has just died of something else, it is being restarted anyway.
    let _ = send(pid, Signal::SIGKILL);
    Ok(())
}

/// Kills PostgreSQL, as a crash does, and starts it again: it recovers from its log.
pub async fn restart_postgres(environment: &Environment, plan: &Plan) -> anyhow::Result<()> {
    let start = Instant::now();
    for at in &plan.restarts {
        until(start, *at).await;
        let mut postgres = environment.postgres.lock().await;
        postgres.process.signal(Signal::SIGQUIT)?;
        postgres.process.wait().await;
        let again = environment.start_postgres_again(postgres.port).await.context("start PostgreSQL again")?;
        ensure!(again.port == postgres.port, "PostgreSQL came back elsewhere");
        *postgres = again;
        environment.tally.add("restart of PostgreSQL", 1);
    }
    Ok(())
}
