//! A server that gives prepared responses, one per connection, and records the requests.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The address, and the requests once every response has been given.
pub struct Server {
    pub url: String,
    pub requests: JoinHandle<Vec<String>>,
}

/// A complete response with this status and body.
pub fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

pub async fn serve(answers: Vec<String>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = tokio::spawn(async move {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            requests.push(request(&mut socket).await);
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
        requests
    });
    Server { url, requests }
}

async fn request(socket: &mut TcpStream) -> String {
    let mut request = Vec::new();
    while !is_whole(&String::from_utf8_lossy(&request)) {
        assert_ne!(socket.read_buf(&mut request).await.unwrap(), 0, "the request broke off");
    }
    String::from_utf8(request).unwrap()
}

fn is_whole(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let header = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
    body.len() >= header.map_or(0, |length| length.parse().unwrap())
}
