//! Clients that cannot be trusted: slow ones, many, and those that read as much as they can.

use std::net::SocketAddr;
use std::time::Duration;

use candlewick_dashboard::config::Guard;
use candlewick_dashboard::connection::Patience;
use candlewick_dashboard::live::Hub;
use candlewick_dashboard::places::Places;
use candlewick_dashboard::server::Limits;
use libtest_mimic::Trial;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::support::{World, header, open_guard};

pub fn trials() -> Vec<Trial> {
    trials![
        a_request_that_never_ends_is_not_waited_for,
        who_takes_nothing_of_an_answer_is_left,
        a_connection_is_kept_for_the_next_request_and_not_for_ever,
        one_address_cannot_take_every_connection,
        one_address_cannot_take_every_stream_of_events,
        a_head_that_is_too_large_is_refused,
        http_2_in_plain_text_is_not_spoken,
        browsers_that_came_by_tls_are_told_to_stay_with_it,
        every_answer_names_its_trace
    ]
}

/// Short timeouts, so that the tests need not wait long.
const HASTY: Patience =
    Patience { head: Duration::from_millis(500), idle: Duration::from_secs(2), write: Duration::from_millis(500) };

async fn serve(world: &World, places: Places, patience: Patience) -> SocketAddr {
    world.serve_within(world.app(), open_guard(), Limits { places, patience }).await
}

async fn connect(address: SocketAddr, sent: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    stream
}

/// Everything that arrives until the peer closes or resets the connection.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut bytes)).await.unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn a_request_that_never_ends_is_not_waited_for(world: World) {
    let address = serve(&world, Places::new(9, 9), HASTY).await;
    for sent in
        ["", "GET / HTTP/1.1\r\nHost: local", "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx"]
    {
        let mut stream = connect(address, sent).await;
        rest(&mut stream).await;
    }
    let mut trickle = connect(address, "GET / HTTP/1.1\r\n").await;
    while trickle.write_all(b"A: b\r\n").await.is_ok() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Many copies of the chart library exceed the buffers of a connection.
async fn who_takes_nothing_of_an_answer_is_left(world: World) {
    let address = serve(&world, Places::new(1, 1), HASTY).await;
    let library = candlewick_dashboard::assets::CHART_LIBRARY_ADDRESS;
    let request = format!("GET {library} HTTP/1.1\r\nHost: localhost\r\n\r\n").repeat(400);
    let _greedy = connect(address, &request).await;
    // The silent client holds the only place.
    while tokio::time::timeout(Duration::from_secs(30), answers(address)).await.unwrap() != 200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The status of a response on a new connection; 0 if the connection is refused.
async fn answers(address: SocketAddr) -> u16 {
    let Ok(mut stream) = TcpStream::connect(address).await else { return 0 };
    let _ = stream.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

async fn a_connection_is_kept_for_the_next_request_and_not_for_ever(world: World) {
    let address = serve(&world, Places::new(9, 9), HASTY).await;
    let mut stream = connect(address, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let mut buffer = [0; 4096];
    assert!(stream.read(&mut buffer).await.unwrap() > 0);
    // Longer than the limit for a head.
    tokio::time::sleep(Duration::from_secs(1)).await;
    stream.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    assert!(stream.read(&mut buffer).await.unwrap() > 0, "the connection was closed between two requests");
    assert_eq!(rest(&mut stream).await, "");
}

async fn one_address_cannot_take_every_connection(world: World) {
    let address = serve(&world, Places::new(9, 3), Patience::default()).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(connect(address, "GET").await);
    }
    assert_eq!(answers(address).await, 0, "there are more connections than an address may have");
    held.pop();
    while answers(address).await != 200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn one_address_cannot_take_every_stream_of_events(world: World) {
    let app =
        candlewick_dashboard::app::App { hub: Hub::new(Places::new(9, 2), CancellationToken::new()), ..world.app() };
    let address = world.serve(app, Guard { trusted_proxies: 1, ..open_guard() }).await;
    let listen = async |forwarded: &str| world.ask(address, "/api/v1/events", &[("x-forwarded-for", forwarded)]).await;
    let held = [listen("2001:db8::1").await, listen("2001:db8::2").await];
    assert!(held.iter().all(|stream| stream.status() == 200));
    let refused = listen("2001:db8::3").await;
    assert_eq!((refused.status().as_u16(), header(&refused, "retry-after")), (503, "10".to_owned()));
    assert_eq!(listen("2001:db8:0:1::1").await.status(), 200, "another network has its own");
}

async fn a_head_that_is_too_large_is_refused(world: World) {
    let address = serve(&world, Places::new(9, 9), Patience::default()).await;
    let mut stream = connect(address, "GET / HTTP/1.1\r\nHost: localhost\r\n").await;
    let line = format!("A: {}\r\n", "b".repeat(1_000));
    let mut sent = 0;
    while sent < 10_000_000 && stream.write_all(line.as_bytes()).await.is_ok() {
        sent += line.len();
    }
    assert!(sent < 10_000_000, "ten megabytes of one head were taken");
}

async fn http_2_in_plain_text_is_not_spoken(world: World) {
    let mut stream = connect(world.address, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0").await;
    let answer = rest(&mut stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
}

async fn browsers_that_came_by_tls_are_told_to_stay_with_it(world: World) {
    let address = world.serve(world.app(), Guard { trusted_proxies: 1, ..open_guard() }).await;
    let by_tls = [("x-forwarded-proto", "https")];
    assert_eq!(header(&world.ask(address, "/", &by_tls).await, "strict-transport-security"), "max-age=31536000");
    assert_eq!(
        header(&world.ask(address, "/", &[("x-forwarded-proto", "http")]).await, "strict-transport-security"),
        ""
    );
    assert_eq!(header(&world.get_with("/", &by_tls).await, "strict-transport-security"), "", "anybody can write that");
}

async fn every_answer_names_its_trace(world: World) {
    let parent = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
    assert_eq!(header(&world.get_with("/", &parent).await, "x-request-id"), "0af7651916cd43dd8448eb211c80319c");
    for path in ["/nothing", "/livez"] {
        assert_eq!(header(&world.get(path).await, "x-request-id").len(), 32, "{path}");
    }
}
