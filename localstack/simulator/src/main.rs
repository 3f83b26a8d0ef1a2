//! The program of the TwelveData simulator.

use std::io::{ErrorKind, IsTerminal};
use std::net::SocketAddr;

use anyhow::{Context, Error, Result};
use candlewick_shared::runtime::env::Env;
use candlewick_shared::runtime::health_server;
use candlewick_simulator::serve;
use candlewick_simulator::settings::Arguments;
use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt().with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr).init();
    let arguments = Arguments::parse();
    if arguments.healthcheck {
        return health_server::ask(arguments.listen, "/_simulator/clock").await;
    }
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    let listener = bind(arguments.listen).await?;
    let settings = arguments.into_settings(Env::of_process().clock()?);
    let shutdown = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    serve(listener, settings, shutdown).await
}

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => {
            let port = address.port();
            Error::msg(format!("port {port} is in use: stop the program that uses it or choose another with --listen"))
        }
        _ => Error::new(error).context(format!("listen on {address}")),
    })
}
