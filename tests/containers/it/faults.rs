//! Containers that are killed, cut off and replaced while work flows: nothing is lost, and nothing is buried.

use anyhow::ensure;
use libtest_mimic::Trial;

use crate::engine::{self, SERVICES};
use crate::trial;
use crate::world::World;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("what_a_killed_service_had_in_hand_is_done_after", what_a_killed_service_had_in_hand_is_done_after),
        trial("a_service_that_was_cut_off_does_its_work_later", a_service_that_was_cut_off_does_its_work_later),
        trial("a_rolling_restart_under_load_loses_nothing", a_rolling_restart_under_load_loses_nothing),
    ]
}

fn symbols(prefix: &str, numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| format!("{prefix}{number}")).collect()
}

/// All files are loaded, each with its two candles, and none was given up.
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

fn a_service_that_was_cut_off_does_its_work_later(world: &'static World) -> anyhow::Result<()> {
    let container = world.container("loader");
    world.run(engine::disconnect(&world.name, &container))?;
    world.drop_files(&symbols("CUT", 0..30))?;
    world.eventually("it says that it is not healthy", || Ok(world.run(engine::health(&container))? == "unhealthy"))?;
    ensure!(world.rows("CUT")? == 0, "it cannot have loaded anything");
    world.run(engine::reconnect(&world.name, &container))?;
    all_are_loaded(world, "CUT", 30)?;
    world.eventually("healthy", || Ok(world.run(engine::health(&container))? == "healthy"))
}

fn a_rolling_restart_under_load_loses_nothing(world: &'static World) -> anyhow::Result<()> {
    let load = std::thread::spawn(move || {
        (0..8).try_for_each(|part| world.drop_files(&symbols("ROLL", part * 30..part * 30 + 30)))
    });
    for service in SERVICES {
        let code = world.roll(service)?;
        ensure!(code == Some(0), "{service} ended with {code:?} after SIGTERM");
    }
    load.join().expect("the load does not panic")?;
    all_are_loaded(world, "ROLL", 240)
}
