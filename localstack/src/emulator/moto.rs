//! The server mode of moto: Flask with one thread per connection, all data in memory.

use super::kind::Settings;
use crate::python::Requirements;

/// Makes moto process one request at a time, then starts it.
pub(super) const LAUNCH: &str = include_str!("moto/launch.py");

pub(super) const REQUIREMENTS: Requirements = Requirements {
    title: "moto 5.2",
    size: "140 MB",
    locks: &[include_str!("../../requirements-moto.txt")],
    prepare: None,
    otherwise: "",
};

pub(super) fn variables(settings: &Settings, dir: String) -> Vec<(&'static str, String)> {
    vec![
        ("CANDLEWICK_SERVICES", settings.services.join(",")),
        // moto sends requests to itself on this port.
        ("MOTO_PORT", settings.port.to_string()),
        // Objects larger than 16 MB are spooled here.
        ("TMPDIR", dir),
    ]
}
