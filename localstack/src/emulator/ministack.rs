//! MiniStack: one process and one event loop, everything in memory.

use super::kind::Settings;
use crate::python::Requirements;

/// Sets what MiniStack has no setting for, then starts it.
pub(super) const LAUNCH: &str = include_str!("ministack/launch.py");

pub(super) const REQUIREMENTS: Requirements = Requirements {
    title: "MiniStack 1.5",
    size: "90 MB",
    locks: &[include_str!("../../requirements-ministack.txt")],
    prepare: None,
    otherwise: "",
};

pub(super) fn variables(settings: &Settings, dir: String) -> Vec<(&'static str, String)> {
    let off = || "0".to_owned();
    vec![
        ("SERVICES", settings.services.join(",")),
        ("GATEWAY_PORT", settings.port.to_string()),
        // Its default is every address of the machine.
        ("BIND_HOST", "127.0.0.1".to_owned()),
        // The host of queue addresses.
        ("MINISTACK_HOST", "127.0.0.1".to_owned()),
        ("TMPDIR", dir),
        ("LOG_LEVEL", "WARNING".to_owned()),
        // It would listen on two more ports, and take Docker's containers of an earlier MiniStack for its own.
        ("SFTP_ENABLED", off()),
        ("IOT_MTLS_ENABLED", off()),
        ("DOCKER_HOST", "unix:///nonexistent".to_owned()),
        ("PERSIST_STATE", off()),
        ("S3_PERSIST", off()),
    ]
}
