//! Queries the health of an emulator.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::sleep;

use super::kind::{Emulator, Settings};
use crate::http;

const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The state of the requested services.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// All services are loaded.
    Ready,
    /// Some services are not loaded yet, or the response could not be read.
    Loading,
    /// The emulator cannot load these services.
    Missing(Vec<String>),
}

/// Waits without limit until the emulator is ready or reports a service that it cannot load.
pub(super) async fn wait_until_settled(settings: &Settings) -> Health {
    loop {
        match query(settings).await {
            Ok(Health::Loading) | Err(_) => sleep(POLL_INTERVAL).await,
            Ok(settled) => return settled,
        }
    }
}

/// Returns the current health, or an error if nothing responds.
pub(super) async fn query(settings: &Settings) -> io::Result<Health> {
    let response = http::get(settings.port, path(settings.emulator)).await?;
    Ok(interpret(settings.emulator, &response, &settings.services))
}

fn path(emulator: Emulator) -> &'static str {
    match emulator {
        Emulator::LocalStack => "/_localstack/health",
        Emulator::MiniStack => "/_ministack/health",
        Emulator::Moto => "/moto-api/",
    }
}

/// LocalStack responds before it has loaded anything, so its response has to be read. MiniStack loads a service at the first
/// request for it and lists the services it has. moto responds once its launcher has loaded all services and does not list them.
fn interpret(emulator: Emulator, response: &[u8], services: &[String]) -> Health {
    match emulator {
        Emulator::LocalStack => interpret_states(response, services, "running"),
        Emulator::MiniStack => interpret_states(response, services, "available"),
        Emulator::Moto if is_moto_page(response) => Health::Ready,
        Emulator::Moto => Health::Loading,
    }
}

fn is_moto_page(response: &[u8]) -> bool {
    let title = b"<title>Moto</title>";
    response.starts_with(b"HTTP/1.1 200 ") && response.windows(title.len()).any(|window| window == title)
}

fn interpret_states(response: &[u8], services: &[String], ready: &str) -> Health {
    let Some(states) = states(response) else { return Health::Loading };
    let is =
        |service: &&String, found: &[&str]| found.contains(&states.get(*service).map_or("unknown", String::as_str));
    let missing: Vec<String> =
        services.iter().filter(|service| is(service, &["disabled", "error", "unknown"])).cloned().collect();
    if !missing.is_empty() {
        return Health::Missing(missing);
    }
    let loaded = services.iter().all(|service| is(&service, &[ready]));
    if loaded { Health::Ready } else { Health::Loading }
}

/// Reads the state of each service.
fn states(response: &[u8]) -> Option<BTreeMap<String, String>> {
    #[derive(Deserialize)]
    struct Body {
        services: BTreeMap<String, String>,
    }
    let body: Body = http::json(response)?;
    Some(body.services)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCALSTACK: Emulator = Emulator::LocalStack;

    fn health(emulator: Emulator, head: &str, s3: &str) -> Health {
        let body =
            format!("{{\"services\": {{\"s3\": \"{s3}\", \"sqs\": \"{s3}\", \"iam\": \"disabled\"}}, \"x\": {{}}}}");
        interpret(emulator, format!("{head}\r\n\r\n{body}").as_bytes(), &["s3".to_owned(), "sqs".to_owned()])
    }

    #[test]
    fn it_is_ready_when_all_wanted_services_run() {
        assert_eq!(health(LOCALSTACK, "HTTP/1.1 200 OK", "running"), Health::Ready);
        assert_eq!(health(LOCALSTACK, "HTTP/1.1 200 OK", "starting"), Health::Loading);
        assert_eq!(health(LOCALSTACK, "HTTP/1.1 200 OK", "available"), Health::Loading);
        assert_eq!(health(LOCALSTACK, "HTTP/1.1 503 Busy", "running"), Health::Loading);
        assert_eq!(health(Emulator::MiniStack, "HTTP/1.1 200 OK", "available"), Health::Ready);
    }

    #[test]
    fn a_service_that_failed_or_does_not_exist_is_named() {
        let both = || vec!["s3".to_owned(), "sqs".to_owned()];
        assert_eq!(health(LOCALSTACK, "HTTP/1.1 200 OK", "error"), Health::Missing(both()));
        let answer = b"HTTP/1.1 200 OK\r\n\r\n{\"services\": {}}";
        for emulator in [LOCALSTACK, Emulator::MiniStack] {
            assert_eq!(interpret(emulator, answer, &["sqz".to_owned()]), Health::Missing(vec!["sqz".to_owned()]));
        }
    }

    #[test]
    fn an_answer_of_another_program_is_no_health() {
        for emulator in Emulator::ALL {
            assert_eq!(interpret(emulator, b"HTTP/1.1 200 OK\r\n\r\nhello", &["s3".to_owned()]), Health::Loading);
            assert_eq!(interpret(emulator, b"", &[]), Health::Loading);
        }
    }

    #[test]
    fn moto_is_known_by_its_page() {
        let page = b"HTTP/1.1 200 OK\r\n\r\n<html><title>Moto</title></html>";
        assert_eq!(interpret(Emulator::Moto, page, &["s3".to_owned()]), Health::Ready);
    }
}
