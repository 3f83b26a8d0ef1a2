//! Containers are killed, disconnected and replaced while work flows: nothing is lost, and nothing becomes a dead
//! letter.

use anyhow::ensure;
use libtest_mimic::Trial;

use crate::engine::{self, services};
use crate::support::World;

pub fn trials() -> Vec<Trial> {
    trials![
        what_a_killed_service_had_in_hand_is_done_after,
        a_run_whose_ingest_was_killed_ends_well,
        a_service_that_was_cut_off_does_its_work_later,
        what_a_killed_database_missed_is_loaded_later,
        a_rolling_restart_under_load_loses_nothing
    ]
}

fn symbols(prefix: &str, numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("{prefix}{number}")).collect()
}

/// Checks that all files are loaded, each with its two candles, and that none was given up.
fn all_are_loaded(world: &'static World, prefix: &str, files: i64) -> anyhow::Result<()> {
    world.eventually(&format!("{files} files of {prefix} loaded"), || Ok(world.rows(prefix)? == files * 2))?;
    for queue in ["ingest", "raw", "transformed"] {
        ensure!(world.dead_letters(queue)? == 0, "{queue} has dead letters");
    }
    Ok(())
}

fn what_a_killed_service_had_in_hand_is_done_after(world: &'static World) -> anyhow::Result<()> {
    for (service, prefix) in [("transform", "KILLT"), ("loader", "KILLL")] {
        world.drop_files(&symbols(prefix, 0..60))?;
        world.eventually("the first of them loaded", || Ok(world.rows(prefix)? > 0))?;
        let container = world.container(service);
        world.run(engine::kill(&container))?;
        world.drop_files(&symbols(prefix, 60..80))?;
        world.run(engine::start(&container))?;
        all_are_loaded(world, prefix, 80)?;
    }
    Ok(())
}

fn a_run_whose_ingest_was_killed_ends_well(world: &'static World) -> anyhow::Result<()> {
    let before = world.good_runs()?;
    world.candlewick(&["refresh"])?;
    let container = world.container("ingest");
    world.run(engine::kill(&container))?;
    world.candlewick(&["refresh"])?;
    world.run(engine::start(&container))?;
    world.eventually("both runs ended, and nothing failed", || Ok(world.good_runs()? == before + 2))
}

/// The service is disconnected with messages in flight, and cannot be notified of the last files in the meantime.
fn a_service_that_was_cut_off_does_its_work_later(world: &'static World) -> anyhow::Result<()> {
    for (service, prefix) in [("transform", "CUTT"), ("loader", "CUTL")] {
        let container = world.container(service);
        world.drop_files(&symbols(prefix, 0..60))?;
        world.eventually("the first of them loaded", || Ok(world.rows(prefix)? > 0))?;
        world.run(engine::disconnect(&world.name, &container))?;
        world.drop_files(&symbols(prefix, 60..80))?;
        world.eventually("not healthy", || Ok(world.run(engine::health(&container))? == "unhealthy"))?;
        ensure!(world.rows(prefix)? < 160, "{service} cannot have done what it never heard of");
        world.run(engine::reconnect(&world.name, &container))?;
        all_are_loaded(world, prefix, 80)?;
        world.eventually("healthy", || Ok(world.run(engine::health(&container))? == "healthy"))?;
    }
    Ok(())
}

fn what_a_killed_database_missed_is_loaded_later(world: &'static World) -> anyhow::Result<()> {
    let loader = world.container("loader");
    let database = world.database();
    world.drop_files(&symbols("DOWN", 0..60))?;
    world.eventually("the first of them loaded", || Ok(world.rows("DOWN")? > 0))?;
    world.run(engine::kill(&database))?;
    world.drop_files(&symbols("DOWN", 60..80))?;
    world.eventually("the last of them cleaned", || world.is_cleaned("DOWN79"))?;
    world.eventually("the loader not ready", || Ok(world.run(engine::health(&loader))? == "unhealthy"))?;
    world.run(engine::start(&database))?;
    world.eventually("the database back", || Ok(world.rows("DOWN").is_ok()))?;
    all_are_loaded(world, "DOWN", 80)?;
    world.eventually("the loader ready", || Ok(world.run(engine::health(&loader))? == "healthy"))
}

fn a_rolling_restart_under_load_loses_nothing(world: &'static World) -> anyhow::Result<()> {
    let before = world.good_runs()?;
    let load = std::thread::spawn(move || {
        (0..8).try_for_each(|part| {
            world.candlewick(&["refresh"])?;
            world.drop_files(&symbols("ROLL", part * 30..part * 30 + 30))
        })
    });
    for service in services() {
        let code = world.roll(service)?;
        ensure!(code == Some(0), "{service} ended with {code:?} after SIGTERM");
    }
    load.join().expect("the load does not panic")?;
    all_are_loaded(world, "ROLL", 240)?;
    world.eventually("all runs ended, and nothing failed", || Ok(world.good_runs()? == before + 8))
}
