//! Asks LocalStack for its health: one plain HTTP request on the loopback, for which an HTTP client is too much.

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

const REQUEST: &[u8] = b"GET /_localstack/health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// What LocalStack says of the services that are wanted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// All are loaded.
    Ready,
    /// Not all of them yet, or nothing that can be made out.
    Loading,
    /// These will never be there.
    Missing(Vec<String>),
}

/// Waits until it is ready, or can't be; however long that takes.
pub(super) async fn settled(port: u16, services: &[String]) -> Health {
    loop {
        match ask(port, services).await {
            Ok(Health::Loading) | Err(_) => sleep(ASK_AGAIN).await,
            Ok(settled) => return settled,
        }
    }
}

/// How it is now; an error where nothing answers.
pub(super) async fn ask(port: u16, services: &[String]) -> io::Result<Health> {
    let answer = timeout(ANSWER_WITHIN, exchange(port)).await??;
    Ok(judge(&answer, services))
}

async fn exchange(port: u16) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(REQUEST).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}

/// It answers before it has loaded anything, so the answer counts and not that there is one.
fn judge(answer: &[u8], services: &[String]) -> Health {
    let Some(states) = states(answer) else { return Health::Loading };
    let is =
        |service: &&String, found: &[&str]| found.contains(&states.get(*service).map_or("unknown", String::as_str));
    let missing: Vec<String> =
        services.iter().filter(|service| is(service, &["disabled", "error", "unknown"])).cloned().collect();
    if !missing.is_empty() {
        return Health::Missing(missing);
    }
    let loaded = services.iter().all(|service| is(&service, &["running"]));
    if loaded { Health::Ready } else { Health::Loading }
}

/// The state of each service, in a body that is either plain or in one chunk: its braces bound it.
fn states(answer: &[u8]) -> Option<BTreeMap<String, String>> {
    #[derive(Deserialize)]
    struct Body {
        services: BTreeMap<String, String>,
    }
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let json = body.get(body.find('{')?..=body.rfind('}')?)?;
    let body: Body = serde_json::from_str(json).ok()?;
    (head.split(' ').nth(1) == Some("200")).then_some(body.services)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(head: &str, s3: &str) -> Health {
        let body = format!("{{\"services\": {{\"s3\": \"{s3}\", \"sqs\": \"running\", \"iam\": \"disabled\"}}}}");
        judge(format!("{head}\r\n\r\n{body}").as_bytes(), &["s3".to_owned(), "sqs".to_owned()])
    }

    #[test]
    fn it_is_ready_when_all_wanted_services_run() {
        assert_eq!(judged("HTTP/1.1 200 OK", "running"), Health::Ready);
        assert_eq!(judged("HTTP/1.1 200 OK", "starting"), Health::Loading);
        assert_eq!(judged("HTTP/1.1 200 OK", "available"), Health::Loading);
        assert_eq!(judged("HTTP/1.1 503 Busy", "running"), Health::Loading);
    }

    #[test]
    fn a_service_that_failed_or_does_not_exist_is_named() {
        assert_eq!(judged("HTTP/1.1 200 OK", "error"), Health::Missing(vec!["s3".to_owned()]));
        let answer = b"HTTP/1.1 200 OK\r\n\r\n{\"services\": {}}";
        assert_eq!(judge(answer, &["sqz".to_owned()]), Health::Missing(vec!["sqz".to_owned()]));
    }

    #[test]
    fn an_answer_of_another_program_is_no_health() {
        assert_eq!(judge(b"HTTP/1.1 200 OK\r\n\r\nhello", &["s3".to_owned()]), Health::Loading);
        assert_eq!(judge(b"", &[]), Health::Loading);
    }
}
