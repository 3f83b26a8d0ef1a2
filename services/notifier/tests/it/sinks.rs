//! What stands for the other side: an HTTP server and a mail server in this process.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// What was posted: the idempotency key and the body.
pub type Posts = Arc<Mutex<Vec<(String, String)>>>;

/// An HTTP server that keeps what is posted, and answers with a status; its address.
pub async fn http(status: u16) -> (String, Posts) {
    let posts = Posts::default();
    let status = StatusCode::from_u16(status).unwrap();
    let take = move |State(posts): State<Posts>, headers: HeaderMap, body: String| async move {
        let key = headers.get("Idempotency-Key").map(|key| key.to_str().unwrap().to_owned());
        posts.lock().unwrap().push((key.unwrap_or_default(), body));
        status
    };
    let router = Router::new().fallback(take).with_state(posts.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/T0/s3cret", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, posts)
}

/// A request that an HTTP server took.
#[derive(Clone, Debug)]
pub struct Taken {
    pub path: String,
    pub headers: HeaderMap,
    pub body: String,
}

/// An HTTP server that keeps whole requests and answers with a status, a header and a text; its address without a path.
pub async fn server(
    status: u16,
    header: Option<(&'static str, String)>,
    text: &'static str,
) -> (String, Arc<Mutex<Vec<Taken>>>) {
    let taken = Arc::<Mutex<Vec<Taken>>>::default();
    let kept = taken.clone();
    let take = move |uri: axum::http::Uri, headers: HeaderMap, body: String| async move {
        kept.lock().unwrap().push(Taken { path: uri.to_string(), headers, body });
        let mut answer = HeaderMap::new();
        header.map(|(name, value)| answer.insert(name, value.parse().unwrap()));
        (StatusCode::from_u16(status).unwrap(), answer, text)
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(take)).await.unwrap() });
    (address, taken)
}

/// A mail server that takes one mail, and gives it back as it came; its address.
pub async fn mail() -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("smtp://{}", listener.local_addr().unwrap());
    (address, tokio::spawn(take_mail(listener)))
}

/// The least of RFC 5321 that a client needs.
async fn take_mail(listener: TcpListener) -> String {
    let (stream, _) = listener.accept().await.unwrap();
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut mail = String::new();
    let mut in_data = false;
    write.write_all(b"220 sink\r\n").await.unwrap();
    while let Some(line) = lines.next_line().await.unwrap() {
        let answer = match line.split(' ').next().unwrap_or_default() {
            "." if in_data => {
                write.write_all(b"250 taken\r\n").await.unwrap();
                return mail;
            }
            _ if in_data => {
                mail.push_str(&line);
                mail.push('\n');
                continue;
            }
            "DATA" => {
                in_data = true;
                "354 go on\r\n"
            }
            _ => "250 ok\r\n",
        };
        mail.push_str(&format!("{line}\n"));
        write.write_all(answer.as_bytes()).await.unwrap();
    }
    mail
}
