//! The Docker engine: whether it has what these tests need, and operations that testcontainers lacks.

use anyhow::{Context, bail, ensure};
use candlewick_shared::core::topology::Topology;
use testcontainers::bollard::Docker;
use testcontainers::bollard::models::{ImageConfig, NetworkConnectRequest, NetworkDisconnectRequest};
use testcontainers::bollard::query_parameters::{
    InspectContainerOptions, KillContainerOptions, RemoveContainerOptions, StartContainerOptions,
};

/// The services of `topology.json`.
pub fn services() -> impl Iterator<Item = &'static str> {
    Topology::built_in().services.keys().map(String::as_str)
}

/// LocalStack's image.
pub const LOCALSTACK: (&str, &str) = ("localstack/localstack", "4.12.0");

/// PostgreSQL's image: its name, and its tag, which `POSTGRES_VERSION` sets.
pub fn postgres() -> (&'static str, String) {
    let version = std::env::var("POSTGRES_VERSION").unwrap_or_else(|_| "17".to_owned());
    ("postgres", format!("{version}-bookworm"))
}

/// The tag of Candlewick's own images.
pub fn tag() -> String {
    std::env::var("CANDLEWICK_TAG").unwrap_or_else(|_| "local".to_owned())
}

pub fn connect() -> anyhow::Result<Docker> {
    Docker::connect_with_defaults().context("find a Docker engine")
}

/// Whether an engine answers and has all images: these tests do not pull them.
pub fn is_usable() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start a runtime")?;
    runtime.block_on(async {
        let docker = connect()?;
        docker.ping().await.map_err(|_| anyhow::anyhow!("no Docker engine answers"))?;
        for image in images() {
            let found = docker.inspect_image(&image).await;
            ensure!(found.is_ok(), "the image {image} is missing: run tests/containers/images");
        }
        Ok(())
    })
}

fn images() -> Vec<String> {
    let (name, tag_of_postgres) = postgres();
    let own = services().chain(["simulator", "candlewick"]).map(|name| format!("candlewick/{name}:{}", tag()));
    let others = [format!("{}:{}", LOCALSTACK.0, LOCALSTACK.1), format!("{name}:{tag_of_postgres}")];
    others.into_iter().chain(own).collect()
}

/// The configuration of an image.
pub async fn image_config(name: &str) -> anyhow::Result<ImageConfig> {
    let image = connect()?.inspect_image(&format!("candlewick/{name}:{}", tag())).await?;
    image.config.context("read the image's configuration")
}

/// Kills a container's process without notice.
pub async fn kill(container: &str) -> anyhow::Result<()> {
    let signal = KillContainerOptions { signal: "KILL".to_owned() };
    connect()?.kill_container(container, Some(signal)).await.context("kill a container")
}

/// Disconnects a container from the network.
pub async fn disconnect(network: &str, container: &str) -> anyhow::Result<()> {
    let request = NetworkDisconnectRequest { container: container.to_owned(), force: None };
    connect()?.disconnect_network(network, request).await.context("cut a container off")
}

/// Reconnects a container to the network.
pub async fn reconnect(network: &str, container: &str) -> anyhow::Result<()> {
    let request = NetworkConnectRequest { container: container.to_owned(), endpoint_config: None };
    connect()?.connect_network(network, request).await.context("bring a container back")
}

/// The last result of a container's health check: `starting`, `healthy` or `unhealthy`.
pub async fn health(container: &str) -> anyhow::Result<String> {
    let inspected = connect()?.inspect_container(container, None::<InspectContainerOptions>).await?;
    let status = inspected.state.and_then(|state| state.health).and_then(|health| health.status);
    match status {
        Some(status) => Ok(status.to_string()),
        None => bail!("{container} has no health check"),
    }
}

/// Removes a container and its contents.
pub async fn remove(container: &str) -> anyhow::Result<()> {
    let options = RemoveContainerOptions { force: true, v: true, ..RemoveContainerOptions::default() };
    connect()?.remove_container(container, Some(options)).await.context("remove a container")
}

/// Removes a network that no longer has containers.
pub async fn remove_network(network: &str) -> anyhow::Result<()> {
    connect()?.remove_network(network).await.context("remove the network")
}

/// Starts a stopped container.
pub async fn start(container: &str) -> anyhow::Result<()> {
    connect()?.start_container(container, None::<StartContainerOptions>).await.context("start a container")
}
