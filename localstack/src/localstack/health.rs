//! Asks LocalStack for its health: one plain HTTP request on the loopback, for which an HTTP client is too much.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

const REQUEST: &[u8] = b"GET /_localstack/health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// Waits until it is ready, however long that takes.
pub(super) async fn ready(port: u16) {
    while !ask(port).await.unwrap_or(false) {
        sleep(ASK_AGAIN).await;
    }
}

/// Whether it is ready now; an error where nothing answers.
pub(super) async fn ask(port: u16) -> io::Result<bool> {
    let answer = timeout(ANSWER_WITHIN, exchange(port)).await??;
    Ok(is_healthy(&answer))
}

async fn exchange(port: u16) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(REQUEST).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}

/// Another program on the port may well answer 200; only LocalStack lists its services.
fn is_healthy(answer: &[u8]) -> bool {
    let answer = String::from_utf8_lossy(answer);
    answer.split(' ').nth(1) == Some("200") && answer.contains("\"services\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_list_of_services_is_health() {
        assert!(is_healthy(b"HTTP/1.1 200 OK\r\n\r\n{\"services\": {\"s3\": \"running\"}}"));
        assert!(!is_healthy(b"HTTP/1.1 200 OK\r\n\r\nhello"));
        assert!(!is_healthy(b"HTTP/1.1 503 Busy\r\n\r\n{\"services\": {}}"));
        assert!(!is_healthy(b""));
    }
}
