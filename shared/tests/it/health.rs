//! The health of a service, and its interpretation by the health check.

use std::collections::BTreeMap;

use candlewick_shared::runtime::env::Env;
use candlewick_shared::runtime::health::{Health, Readiness};
use candlewick_shared::runtime::health_server::{self, Probe};

use crate::server::{answer, serve};

fn listening_at(address: &str) -> Env {
    Env::from_variables(BTreeMap::from([("HEALTH_LISTEN".to_owned(), address.to_owned())]))
}

/// A loopback address that was free a moment ago.
async fn free() -> String {
    tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string()
}

#[tokio::test]
async fn the_check_follows_the_service_from_its_start_to_its_stop() {
    let env = listening_at(&free().await);
    let health = Health::default();
    let telling = health_server::start(&env, health.clone()).await.unwrap();
    let not_yet = health_server::check(&env, Probe::Ready).await.unwrap_err().to_string();
    assert!(not_yet.contains("starting"), "{not_yet}");
    health.report("raw", Readiness::Ready);
    health_server::check(&env, Probe::Ready).await.unwrap();
    health.report("raw", Readiness::Waiting("the queue does not answer".to_owned()));
    let waiting = health_server::check(&env, Probe::Ready).await.unwrap_err().to_string();
    assert!(waiting.contains("raw: waiting: the queue does not answer"), "{waiting}");
    drop(telling);
}

#[tokio::test]
async fn alive_is_who_answers_ready_or_not() {
    let address = free().await;
    let env = listening_at(&address);
    let _telling = health_server::start(&env, Health::default()).await.unwrap();
    health_server::check(&env, Probe::Ready).await.unwrap_err();
    health_server::check(&env, Probe::Live).await.unwrap();
}

#[tokio::test]
async fn what_listens_on_every_address_is_asked_on_the_loopback() {
    let server = serve(vec![answer("200 OK", "ready")]).await;
    let port = server.url.rsplit_once(':').unwrap().1;
    health_server::check(&listening_at(&format!("0.0.0.0:{port}")), Probe::Ready).await.unwrap();
    assert!(server.requests.await.unwrap()[0].starts_with("GET /readyz "));
}

#[tokio::test]
async fn who_is_not_there_or_asked_for_wrongly_is_named() {
    let gone = free().await;
    let error = format!("{:#}", health_server::check(&listening_at(&gone), Probe::Ready).await.unwrap_err());
    assert!(error.contains(&gone), "{error}");
    let error = format!("{:#}", health_server::check(&Env::default(), Probe::Ready).await.unwrap_err());
    assert!(error.contains("HEALTH_LISTEN is not set"), "{error}");
    let error = format!("{:#}", health_server::check(&listening_at("8080"), Probe::Ready).await.unwrap_err());
    assert!(error.contains("HEALTH_LISTEN") && error.contains("127.0.0.1:8080"), "{error}");
}

#[tokio::test]
async fn without_an_address_nothing_listens_and_a_taken_one_is_an_error() {
    assert!(health_server::start(&Env::default(), Health::default()).await.unwrap().is_none());
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let error = health_server::start(&listening_at(&address), Health::default()).await.unwrap_err();
    assert!(format!("{error:#}").contains(&address), "{error:#}");
}
