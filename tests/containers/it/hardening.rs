//! How the images must be run, and what they must not contain. All other tests show that they work with a read-only
//! file system and without capabilities.

use anyhow::{Context, ensure};
use libtest_mimic::Trial;

use crate::engine::{self, services};
use crate::support::World;

pub fn trials() -> Vec<Trial> {
    trials![an_image_runs_its_program_and_not_as_root, a_service_says_that_it_is_healthy, there_is_no_shell]
}

fn an_image_runs_its_program_and_not_as_root(world: &'static World) -> anyhow::Result<()> {
    for name in services() {
        let config = world.run(engine::image_config(name))?;
        let program = format!("candlewick-{name}");
        ensure!(config.user.as_deref() == Some("65532:65532"), "{name} runs as {:?}", config.user);
        ensure!(config.entrypoint == Some(vec![program.clone()]), "{name} starts {:?}", config.entrypoint);
        let check = config.healthcheck.and_then(|check| check.test).context("find the health check")?;
        ensure!(check == ["CMD", &program, "healthcheck"], "{name} is checked by {check:?}");
        let labels = config.labels.context("find the labels")?;
        ensure!(labels.get("org.opencontainers.image.title") == Some(&program), "{name} is labelled {labels:?}");
    }
    Ok(())
}

fn a_service_says_that_it_is_healthy(world: &'static World) -> anyhow::Result<()> {
    for name in services() {
        let container = world.container(name);
        world.eventually("healthy", || Ok(world.run(engine::health(&container))? == "healthy"))?;
    }
    Ok(())
}

fn there_is_no_shell(world: &'static World) -> anyhow::Result<()> {
    for name in services() {
        let error = world.shell(name).err().with_context(|| format!("{name} has a shell"))?;
        ensure!(format!("{error:#}").contains("no such file"), "{name}: {error:#}");
    }
    Ok(())
}
