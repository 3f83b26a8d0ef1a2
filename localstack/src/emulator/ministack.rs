//! MiniStack: one process with one event loop, all data in memory.

use super::kind::Settings;
use crate::python::Requirements;

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
        // By default it listens on all addresses of the machine.
        ("BIND_HOST", "127.0.0.1".to_owned()),
        // The host name in queue URLs.
        ("MINISTACK_HOST", "127.0.0.1".to_owned()),
        ("TMPDIR", dir),
        ("LOG_LEVEL", "WARNING".to_owned()),
        // By default it listens on two more ports and adopts Docker containers of an earlier MiniStack.
        ("SFTP_ENABLED", off()),
        ("IOT_MTLS_ENABLED", off()),
        ("DOCKER_HOST", "unix:///nonexistent".to_owned()),
        ("PERSIST_STATE", off()),
        ("S3_PERSIST", off()),
    ]
}
