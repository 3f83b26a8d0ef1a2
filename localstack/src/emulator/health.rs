//! Asks an emulator for its health: one plain HTTP request on the loopback, for which an HTTP client is too much.

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::kind::{Emulator, Settings};

const ANSWER_WITHIN: Duration = Duration::from_secs(5);
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// What an emulator says of the services that are wanted.
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
pub(super) async fn settled(settings: &Settings) -> Health {
    loop {
        match ask(settings).await {
            Ok(Health::Loading) | Err(_) => sleep(ASK_AGAIN).await,
            Ok(settled) => return settled,
        }
    }
}

/// How it is now; an error where nothing answers.
pub(super) async fn ask(settings: &Settings) -> io::Result<Health> {
    let answer = timeout(ANSWER_WITHIN, exchange(settings.port, path(settings.emulator))).await??;
    Ok(judge(settings.emulator, &answer, &settings.services))
}

fn path(emulator: Emulator) -> &'static str {
    match emulator {
        Emulator::LocalStack => "/_localstack/health",
        Emulator::MiniStack => "/_ministack/health",
        Emulator::Moto => "/moto-api/",
    }
}

async fn exchange(port: u16, path: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}

/// LocalStack answers before it has loaded anything, so the answer counts and not that there is one. MiniStack loads a service
/// when it is first asked, and names those it has. moto answers when its launcher has loaded all, and has no word for each.
fn judge(emulator: Emulator, answer: &[u8], services: &[String]) -> Health {
    match emulator {
        Emulator::LocalStack => judge_states(answer, services, "running"),
        Emulator::MiniStack => judge_states(answer, services, "available"),
        Emulator::Moto if answer.starts_with(b"HTTP/1.1 200 ") && has(answer, b"<title>Moto</title>") => Health::Ready,
        Emulator::Moto => Health::Loading,
    }
}

fn has(answer: &[u8], words: &[u8]) -> bool {
    answer.windows(words.len()).any(|window| window == words)
}

fn judge_states(answer: &[u8], services: &[String], ready: &str) -> Health {
    let Some(states) = states(answer) else { return Health::Loading };
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

    const LOCALSTACK: Emulator = Emulator::LocalStack;

    fn judged(emulator: Emulator, head: &str, s3: &str) -> Health {
        let body =
            format!("{{\"services\": {{\"s3\": \"{s3}\", \"sqs\": \"{s3}\", \"iam\": \"disabled\"}}, \"x\": {{}}}}");
        judge(emulator, format!("{head}\r\n\r\n{body}").as_bytes(), &["s3".to_owned(), "sqs".to_owned()])
    }

    #[test]
    fn it_is_ready_when_all_wanted_services_run() {
        assert_eq!(judged(LOCALSTACK, "HTTP/1.1 200 OK", "running"), Health::Ready);
        assert_eq!(judged(LOCALSTACK, "HTTP/1.1 200 OK", "starting"), Health::Loading);
        assert_eq!(judged(LOCALSTACK, "HTTP/1.1 200 OK", "available"), Health::Loading);
        assert_eq!(judged(LOCALSTACK, "HTTP/1.1 503 Busy", "running"), Health::Loading);
        assert_eq!(judged(Emulator::MiniStack, "HTTP/1.1 200 OK", "available"), Health::Ready);
    }

    #[test]
    fn a_service_that_failed_or_does_not_exist_is_named() {
        let both = || vec!["s3".to_owned(), "sqs".to_owned()];
        assert_eq!(judged(LOCALSTACK, "HTTP/1.1 200 OK", "error"), Health::Missing(both()));
        let answer = b"HTTP/1.1 200 OK\r\n\r\n{\"services\": {}}";
        for emulator in [LOCALSTACK, Emulator::MiniStack] {
            assert_eq!(judge(emulator, answer, &["sqz".to_owned()]), Health::Missing(vec!["sqz".to_owned()]));
        }
    }

    #[test]
    fn an_answer_of_another_program_is_no_health() {
        for emulator in Emulator::ALL {
            assert_eq!(judge(emulator, b"HTTP/1.1 200 OK\r\n\r\nhello", &["s3".to_owned()]), Health::Loading);
            assert_eq!(judge(emulator, b"", &[]), Health::Loading);
        }
    }

    #[test]
    fn moto_is_known_by_its_page() {
        let page = b"HTTP/1.1 200 OK\r\n\r\n<html><title>Moto</title></html>";
        assert_eq!(judge(Emulator::Moto, page, &["s3".to_owned()]), Health::Ready);
    }
}
