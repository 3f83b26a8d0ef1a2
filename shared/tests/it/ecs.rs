//! The protocol of the ECS agent.

use std::time::Duration;

use candlewick_shared::adapters::ecs::EcsProtection;
use candlewick_shared::ports::protection::Protection;
use tokio::net::TcpListener;

use crate::server::{answer, serve};

const GRANTED: &str =
    r#"{"protection":{"ExpirationDate":"2024-12-30T22:10:00Z","ProtectionEnabled":true,"TaskArn":"arn"}}"#;
const REFUSED: &str = r#"{"failure":{"Arn":"arn","Detail":null,"Reason":"DEPLOYMENT_BLOCKED"}}"#;

#[tokio::test]
async fn protection_is_asked_for_in_whole_minutes() {
    let server = serve(vec![answer("200 OK", GRANTED)]).await;
    let agent = EcsProtection::new(&format!("{}/api/some-id", server.url)).unwrap();
    agent.protect(Some(Duration::from_secs(541))).await.unwrap();
    let request = server.requests.await.unwrap().remove(0);
    assert!(request.starts_with("PUT /api/some-id/task-protection/v1/state HTTP/1.1\r\n"), "{request}");
    assert!(request.to_lowercase().contains("content-type: application/json"), "{request}");
    assert!(request.ends_with(r#"{"ExpiresInMinutes":10,"ProtectionEnabled":true}"#), "{request}");
}

#[tokio::test]
async fn protection_is_taken_back() {
    let server = serve(vec![answer("200 OK", GRANTED)]).await;
    EcsProtection::new(&format!("{}/", server.url)).unwrap().protect(None).await.unwrap();
    assert!(server.requests.await.unwrap()[0].ends_with(r#"{"ProtectionEnabled":false}"#));
}

#[tokio::test]
async fn a_refusal_is_an_error_with_the_agents_words_whatever_the_status() {
    for status in ["200 OK", "400 Bad Request"] {
        let server = serve(vec![answer(status, REFUSED)]).await;
        let error = EcsProtection::new(&server.url).unwrap().protect(None).await.unwrap_err().to_string();
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
