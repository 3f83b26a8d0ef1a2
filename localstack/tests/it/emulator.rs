use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use candlewick_localstack::emulator::{self, Emulator, Settings, Started, is_ready};
use candlewick_localstack::process::{Exit, Stopped, leftovers};
use candlewick_localstack::progress::silent;
use candlewick_localstack::python::{self, Search};
use candlewick_localstack::state::StateDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{PATIENCE, free_port, python_home, state};

fn settings(emulator: Emulator, port: u16) -> Settings {
    let services = ["s3", "sqs", "sns"].map(str::to_owned).to_vec();
    Settings { emulator, port, services, patience: PATIENCE }
}

async fn start(settings: &Settings, state: &StateDir) -> anyhow::Result<Started> {
    let requirements = emulator::requirements(settings.emulator);
    let environment = python::ensure(&python_home(), requirements, &Search::from_env(), &silent()).await?;
    Started::start(&environment, settings, state, &silent()).await
}

async fn failure(settings: &Settings) -> String {
    let (_guard, state) = state();
    let error = start(settings, &state).await.unwrap_err().to_string();
    assert_eq!(leftovers::alive(&state).unwrap(), []);
    assert!(error.contains(&format!("{}.log", settings.emulator)), "{error}");
    error
}

/// None of them checks a signature; they only read the service and region from it.
async fn call(port: u16, service: &str, request: &str, body: &str) -> String {
    let credential = format!("Credential=test/20250101/us-east-1/{service}/aws4_request");
    // What has a target is a call of SQS to an emulator that looks at it first.
    let target = if service == "sqs" { "X-Amz-Target: AmazonSQS.CreateQueue\r\n" } else { "" };
    let text = format!(
        "{request} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {}\r\nConnection: close\r\n\
         Content-Type: application/x-amz-json-1.0\r\n{target}\
         Authorization: AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=x\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn serves_on_the_loopback_and_stops(emulator: Emulator, queue: &str) {
    let (_guard, state) = state();
    let port = free_port();
    let settings = settings(emulator, port);
    let stack = start(&settings, &state).await.unwrap();
    assert_eq!(stack.endpoint, format!("http://127.0.0.1:{port}"));
    assert!(is_ready(&settings).await.unwrap());
    // All of 127/8 is this machine's loopback, but only one address of it was asked for.
    assert!(TcpListener::bind(("127.0.0.2", port)).is_ok(), "it must not listen on every address");

    assert!(call(port, "s3", "PUT /candles", "").await.starts_with("HTTP/1.1 200"));
    let shared = emulator == Emulator::LocalStack && !state.root().join("localstack/s3/candles").is_dir();
    assert!(!shared, "objects must not go to a directory that users share");
    let made = call(port, "sqs", "POST /", r#"{"QueueName": "raw"}"#).await;
    assert!(made.contains(&format!("http://127.0.0.1:{port}/{queue}/raw")), "{made}");

    assert_eq!(stack.process.stop().await, Stopped::Asked(Exit::Code(0)));
    assert!(is_ready(&settings).await.is_err());
}

#[tokio::test]
async fn localstack_starts_serves_from_its_own_directory_and_stops() {
    serves_on_the_loopback_and_stops(Emulator::LocalStack, "queue/us-east-1/000000000000").await;
}

#[tokio::test]
async fn ministack_starts_serves_and_stops() {
    serves_on_the_loopback_and_stops(Emulator::MiniStack, "000000000000").await;
}

#[tokio::test]
async fn moto_starts_serves_and_stops() {
    serves_on_the_loopback_and_stops(Emulator::Moto, "123456789012").await;
}

#[tokio::test]
async fn an_emulator_that_is_late_is_stopped_and_the_error_says_where_its_log_is() {
    for emulator in Emulator::ALL {
        let settings = Settings { patience: Duration::ZERO, ..settings(emulator, free_port()) };
        let error = failure(&settings).await;
        assert!(error.contains(&format!("{} was not ready within 0 s", emulator.title())), "{error}");
    }
}

#[tokio::test]
async fn a_service_that_an_emulator_does_not_have_is_named() {
    let with = |emulator| Settings { services: vec!["s3".into(), "sqz".into()], ..settings(emulator, free_port()) };
    for emulator in [Emulator::LocalStack, Emulator::MiniStack] {
        let error = failure(&with(emulator)).await;
        assert!(error.contains(&format!("{} cannot serve sqz and was stopped", emulator.title())), "{error}");
    }
    let error = failure(&with(Emulator::Moto)).await;
    assert!(error.contains("ended before it was ready") && error.contains("moto has no service sqz"), "{error}");
}

#[tokio::test]
async fn an_emulator_that_dies_shows_its_last_words() {
    for (emulator, words) in [
        (Emulator::LocalStack, "Address already in use"),
        (Emulator::MiniStack, "already in use"),
        (Emulator::Moto, "already in use"),
    ] {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let error = failure(&settings(emulator, taken.local_addr().unwrap().port())).await;
        let begins = format!("{} ended before it was ready", emulator.title());
        assert!(error.starts_with(&begins) && error.contains(words), "{error}");
    }
}
