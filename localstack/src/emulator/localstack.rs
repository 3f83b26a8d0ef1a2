//! LocalStack in host mode.

use super::kind::Settings;
use crate::python::Requirements;

/// Sets what LocalStack has no setting for, then starts it.
pub(super) const LAUNCH: &str = include_str!("localstack/launch.py");

pub(super) const REQUIREMENTS: Requirements = Requirements {
    title: "LocalStack 4.12",
    size: "170 MB",
    locks: &[include_str!("../../requirements-build.txt"), include_str!("../../requirements.txt")],
    prepare: Some(include_str!("localstack/prepare.py")),
    otherwise: "",
};

pub(super) fn variables(settings: &Settings, dir: String) -> Vec<(&'static str, String)> {
    let address = format!("127.0.0.1:{}", settings.port);
    vec![
        ("SERVICES", settings.services.join(",")),
        ("EAGER_SERVICE_LOADING", "1".to_owned()),
        ("GATEWAY_LISTEN", address.clone()),
        // Queue addresses then work without a name server that knows localhost.localstack.cloud.
        ("LOCALSTACK_HOST", address),
        ("SQS_ENDPOINT_STRATEGY", "path".to_owned()),
        // LocalStack keeps its caches here; objects and queues it forgets.
        ("FILESYSTEM_ROOT", dir),
        // In a container it would otherwise take itself for its own image, and the whole file system for its own.
        ("OVERRIDE_IN_DOCKER", "0".to_owned()),
        ("DISABLE_EVENTS", "1".to_owned()),
        ("SKIP_SSL_CERT_DOWNLOAD", "1".to_owned()),
        ("DNS_ADDRESS", "0".to_owned()),
    ]
}
