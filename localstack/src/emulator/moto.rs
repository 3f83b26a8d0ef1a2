//! The server of moto: Flask on a server with a thread a connection, everything in memory.

use super::kind::Settings;
use crate::python::Requirements;

/// Makes moto do one thing at a time, then starts it.
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
        // moto calls itself by this one.
        ("MOTO_PORT", settings.port.to_string()),
        // Objects of more than 16 MB are spooled here.
        ("TMPDIR", dir),
    ]
}
