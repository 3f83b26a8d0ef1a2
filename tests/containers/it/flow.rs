//! Work flows from container to container.

use anyhow::ensure;
use libtest_mimic::Trial;

use crate::support::World;

pub fn trials() -> Vec<Trial> {
    trials![a_refresh_fills_the_database, a_dropped_file_is_loaded, provisioning_again_changes_nothing]
}

fn a_refresh_fills_the_database(world: &'static World) -> anyhow::Result<()> {
    world.candlewick(&["refresh"])?;
    world.eventually("five years of AAPL, MSFT and BRK.B", || {
        let [apple, microsoft, berkshire] = ["AAPL", "MSFT", "BRK.B"].map(|symbol| world.rows(symbol));
        Ok(apple? > 1200 && microsoft? > 1200 && berkshire? > 1200)
    })?;
    for queue in ["ingest", "raw", "transformed"] {
        ensure!(world.dead_letters(queue)? == 0, "{queue} has dead letters");
    }
    Ok(())
}

fn a_dropped_file_is_loaded(world: &'static World) -> anyhow::Result<()> {
    world.drop_files(&["DROPPED".to_owned()])?;
    world.eventually("two rows", || Ok(world.rows("DROPPED")? == 2))
}

fn provisioning_again_changes_nothing(world: &'static World) -> anyhow::Result<()> {
    let before = world.rows("AAPL")?;
    world.candlewick(&["provision"])?;
    ensure!(world.rows("AAPL")? == before, "rows are gone");
    world.drop_files(&["AGAIN".to_owned()])?;
    world.eventually("two rows", || Ok(world.rows("AGAIN")? == 2))
}
