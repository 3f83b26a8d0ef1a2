//! A plain HTTP request to a program on the loopback. Only health is asked so, and no HTTP client is needed for that.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Returns the whole response, with its head.
pub(crate) async fn get(port: u16, path: &str) -> io::Result<Vec<u8>> {
    timeout(RESPONSE_TIMEOUT, request(port, path)).await?
}

async fn request(port: u16, path: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await?;
    Ok(response)
}

/// Reads the JSON object of a response with status 200. The body is either plain or a single chunk, so the outer braces delimit
/// the object.
pub(crate) fn json<T: DeserializeOwned>(response: &[u8]) -> Option<T> {
    let text = std::str::from_utf8(response).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let object = body.get(body.find('{')?..=body.rfind('}')?)?;
    (head.split(' ').nth(1) == Some("200")).then(|| serde_json::from_str(object).ok())?
}
