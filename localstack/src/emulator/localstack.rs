//! LocalStack in host mode, that is without Docker.

use super::kind::Settings;
use crate::python::Requirements;

/// Configures what LocalStack has no setting for, then starts it.
pub(super) const LAUNCH: &str = concat!(include_str!("localstack/event_keys.py"), include_str!("localstack/launch.py"));

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
        // Otherwise queue URLs would contain localhost.localstack.cloud, which not every name server resolves.
        ("LOCALSTACK_HOST", address),
        ("SQS_ENDPOINT_STRATEGY", "path".to_owned()),
        // For LocalStack's caches. Objects and queues are kept in memory only.
        ("FILESYSTEM_ROOT", dir),
        // In any container it would otherwise assume that this is its own image and use directories of the system.
        ("OVERRIDE_IN_DOCKER", "0".to_owned()),
        ("DISABLE_EVENTS", "1".to_owned()),
        ("SKIP_SSL_CERT_DOWNLOAD", "1".to_owned()),
        ("DNS_ADDRESS", "0".to_owned()),
    ]
}
