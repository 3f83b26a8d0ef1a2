//! The protocol of the ECS agent, against a server that speaks it.

use std::time::Duration;

use candlewick_shared::adapters::ecs::EcsProtection;
use candlewick_shared::ports::protection::Protection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const GRANTED: &str =
    r#"{"protection":{"ExpirationDate":"2024-12-30T22:10:00Z","ProtectionEnabled":true,"TaskArn":"arn"}}"#;
const REFUSED: &str = r#"{"failure":{"Arn":"arn","Detail":null,"Reason":"DEPLOYMENT_BLOCKED"}}"#;

/// A server that answers once, and returns what it was asked.
async fn agent(status: &'static str, answer: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/api/some-id", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !is_whole(&request) {
            assert_ne!(socket.read_buf(&mut request).await.unwrap(), 0, "the request broke off");
        }
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", answer.len());
        socket.write_all(format!("{head}{answer}").as_bytes()).await.unwrap();
        String::from_utf8(request).unwrap()
    });
    (address, serving)
}

fn is_whole(request: &[u8]) -> bool {
    String::from_utf8_lossy(request).split_once("\r\n\r\n").is_some_and(|(_, body)| body.ends_with('}'))
}

#[tokio::test]
async fn protection_is_asked_for_in_whole_minutes() {
    let (address, serving) = agent("200 OK", GRANTED).await;
    EcsProtection::new(&address).unwrap().protect(Some(Duration::from_secs(541))).await.unwrap();
    let request = serving.await.unwrap();
    assert!(request.starts_with("PUT /api/some-id/task-protection/v1/state HTTP/1.1\r\n"), "{request}");
    assert!(request.to_lowercase().contains("content-type: application/json"), "{request}");
    assert!(request.ends_with(r#"{"ExpiresInMinutes":10,"ProtectionEnabled":true}"#), "{request}");
}

#[tokio::test]
async fn protection_is_taken_back() {
    let (address, serving) = agent("200 OK", GRANTED).await;
    EcsProtection::new(&format!("{address}/")).unwrap().protect(None).await.unwrap();
    assert!(serving.await.unwrap().ends_with(r#"{"ProtectionEnabled":false}"#));
}

#[tokio::test]
async fn a_refusal_is_an_error_with_the_agents_words_whatever_the_status() {
    for status in ["200 OK", "400 Bad Request"] {
        let (address, _serving) = agent(status, REFUSED).await;
        let error = EcsProtection::new(&address).unwrap().protect(None).await.unwrap_err().to_string();
        assert!(error.contains("DEPLOYMENT_BLOCKED"), "{error}");
    }
}

#[tokio::test]
async fn an_agent_that_is_not_there_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert!(EcsProtection::new(&address).unwrap().protect(None).await.is_err());
}
