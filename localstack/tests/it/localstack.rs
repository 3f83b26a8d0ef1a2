use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use candlewick_localstack::localstack::{LocalStack, REQUIREMENTS, Settings, is_ready};
use candlewick_localstack::process::{Exit, Stopped};
use candlewick_localstack::progress::silent;
use candlewick_localstack::python::{Environment, Search};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{PATIENCE, free_port, python_home, state};

async fn environment() -> Environment {
    Environment::ensure(&python_home(), &REQUIREMENTS, &Search::from_env(), &silent()).await.unwrap()
}

fn settings(port: u16) -> Settings {
    let services = ["s3", "sqs", "sns"].map(str::to_owned).to_vec();
    Settings { port, services, patience: PATIENCE }
}

/// LocalStack checks no signature; it only reads the service and region from it.
async fn call(port: u16, service: &str, request: &str) -> String {
    let credential = format!("Credential=test/20250101/us-east-1/{service}/aws4_request");
    let text = format!(
        "{request} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\
         Authorization: AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=x\r\n\r\n"
    );
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn localstack_starts_serves_from_its_own_directory_and_stops() {
    let (_guard, state) = state();
    let port = free_port();
    let settings = settings(port);
    let stack = LocalStack::start(&environment().await, &settings, &state, &silent()).await.unwrap();
    assert_eq!(stack.endpoint, format!("http://127.0.0.1:{port}"));
    assert!(is_ready(port, &settings.services).await.unwrap());
    // All of 127/8 is this machine's loopback, but only one address of it was asked for.
    assert!(TcpListener::bind(("127.0.0.2", port)).is_ok(), "it must not listen on every address");

    assert!(call(port, "s3", "PUT /candles").await.starts_with("HTTP/1.1 200"));
    assert!(state.root().join("localstack/s3/candles").is_dir(), "objects must not go to a directory that users share");
    let queue = call(port, "sqs", "GET /?Action=CreateQueue&QueueName=raw&Version=2012-11-05").await;
    assert!(queue.contains(&format!("http://127.0.0.1:{port}/queue/us-east-1/000000000000/raw")), "{queue}");

    assert_eq!(stack.process.stop().await, Stopped::Asked(Exit::Code(0)));
    assert!(is_ready(port, &settings.services).await.is_err());
}

#[tokio::test]
async fn a_localstack_that_is_late_is_stopped_and_the_error_says_where_its_log_is() {
    let (_guard, state) = state();
    let settings = Settings { patience: Duration::ZERO, ..settings(free_port()) };
    let error = LocalStack::start(&environment().await, &settings, &state, &silent()).await.unwrap_err().to_string();
    assert!(error.contains("not ready within 0 s") && error.contains("localstack.log"), "{error}");
    assert_eq!(candlewick_localstack::process::leftovers::alive(&state).unwrap(), []);
}

#[tokio::test]
async fn a_service_that_localstack_does_not_have_is_named() {
    let (_guard, state) = state();
    let settings = Settings { services: vec!["s3".into(), "sqz".into()], ..settings(free_port()) };
    let error = LocalStack::start(&environment().await, &settings, &state, &silent()).await.unwrap_err().to_string();
    assert!(error.contains("LocalStack cannot serve sqz and was stopped"), "{error}");
}

#[tokio::test]
async fn a_localstack_that_dies_shows_its_last_words() {
    let (_guard, state) = state();
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let settings = settings(taken.local_addr().unwrap().port());
    let error = LocalStack::start(&environment().await, &settings, &state, &silent()).await.unwrap_err().to_string();
    assert!(error.contains("ended before it was ready") && error.contains("Address already in use"), "{error}");
}
