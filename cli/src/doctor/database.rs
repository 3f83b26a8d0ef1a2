//! Checks the database's schema, and whether loads take longer than a lease.

use candlewick_shared::core::topology::Topology;

use super::finding::{Examined, Skipped};
use super::snapshot::{Database, Snapshot};

pub fn examine(examined: &mut Examined, topology: &Topology, snapshot: &Snapshot) {
    match &snapshot.database {
        None => {
            let why = "DATABASE_URL is not set".to_owned();
            examined.skipped.push(Skipped { check: "database", why: why.clone() });
            examined.skipped.push(Skipped { check: "visibility against measured work", why });
        }
        Some(Err(reason)) => examined.find("database", "PostgreSQL", reason, "start it, or correct DATABASE_URL"),
        Some(Ok(database)) => {
            schema(examined, database);
            work(examined, topology, database);
        }
    }
}

fn schema(examined: &mut Examined, database: &Database) {
    let missing: Vec<_> = database.known.iter().filter(|step| !database.applied.contains(step)).collect();
    if !missing.is_empty() {
        let problem = format!("the schema lacks the steps {missing:?} of this version");
        examined.find(
            "database",
            "PostgreSQL",
            problem,
            "run `candlewick migrate` of this version, or start `up` again on your own machine",
        );
    }
    let unknown: Vec<_> = database.applied.iter().filter(|step| !database.known.contains(step)).collect();
    if !unknown.is_empty() {
        let problem = format!("the schema has steps {unknown:?}, which this version does not know");
        examined.find("database", "PostgreSQL", problem, "use this command in the same version as the services");
    }
}

/// Compares the median time from a transformed object to its rows with the loader's lease. That time includes waiting,
/// so it is never too small. Work that takes longer than a lease keeps it only while no heartbeat is missed.
fn work(examined: &mut Examined, topology: &Topology, database: &Database) {
    let loader = topology.queues.iter().find(|(_, queue)| queue.service == "loader");
    let (Some((role, queue)), Some(work)) = (loader, database.work_seconds) else { return };
    let lease = queue.visibility_timeout_seconds;
    if work > f64::from(lease) {
        let problem = format!("half of the recent loads took longer than {work:.0} s, and a lease lasts {lease} s");
        let mend = "raise visibility_timeout_seconds in topology.json above that time, or run more loaders";
        examined.find("visibility", role, problem, mend);
    }
}

#[cfg(test)]
mod tests {
    use super::super::findings::examine as examine_all;
    use super::super::findings::tests::{found, healthy, one};
    use super::*;

    fn broken(break_it: impl FnOnce(&mut Database)) -> Vec<(&'static str, String)> {
        found(|snapshot| break_it(snapshot.database.as_mut().unwrap().as_mut().unwrap()))
    }

    #[test]
    fn a_schema_of_another_version_is_found() {
        assert_eq!(broken(|database| database.known.push(2)), one("database", "PostgreSQL"));
        assert_eq!(broken(|database| database.applied.push(2)), one("database", "PostgreSQL"));
        assert_eq!(found(|snapshot| snapshot.database = Some(Err("down".to_owned()))), one("database", "PostgreSQL"));
    }

    #[test]
    fn work_that_outlives_its_lease_is_found() {
        assert_eq!(broken(|database| database.work_seconds = Some(31.0)), one("visibility", "transformed"));
        assert!(broken(|database| database.work_seconds = None).is_empty());
    }

    #[test]
    fn a_database_of_no_known_address_is_left_out_and_said_so() {
        let examined = examine_all(Topology::built_in(), &Snapshot { database: None, ..healthy() });
        assert!(examined.findings.is_empty() && examined.skipped.len() == 2, "{examined:?}");
    }
}
