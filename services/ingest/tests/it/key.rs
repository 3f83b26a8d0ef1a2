//! Where the key may come from, and that nothing tells it.

use std::io::Write;
use std::sync::{Arc, Mutex};

use candlewick_shared::adapters::aws::Aws;
use candlewick_shared::adapters::secrets::SecretSource;
use candlewick_shared::runtime::env::Env;
use candlewick_shared::runtime::outcome::Settled;
use candlewick_simulator::settings::Settings;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tracing::subscriber::DefaultGuard;

use crate::support::{KEY, fetch, world};

/// What is logged here, down to the last trace.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn everything() -> (Self, DefaultGuard) {
        // While no subscriber wants everything, tracing may remember for all threads that nobody does: one always wants it.
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
        let log = Self::default();
        let writer = log.clone();
        let level = tracing::level_filters::LevelFilter::TRACE;
        let subscriber = tracing_subscriber::fmt().with_max_level(level).with_writer(move || writer.clone()).finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// Answers one request as Secrets Manager does, and returns its own address and what it was asked.
async fn manager(secret: &str) -> (String, tokio::task::JoinHandle<String>) {
    let body = serde_json::json!({"Name": "candlewick/twelvedata", "SecretString": secret}).to_string();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = String::new();
        let mut bytes = [0; 4096];
        while !asked.contains("SecretId") {
            let read = stream.read(&mut bytes).await.unwrap();
            assert!(read > 0, "it broke off: {asked}");
            asked.push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        asked
    });
    (url, served)
}

async fn key(variable: &str, value: &str, aws: &str) -> anyhow::Result<SecretString> {
    let env = Env::from_variables([(variable.to_owned(), value.to_owned())].into());
    let source: SecretSource = env.secret_source("TWELVEDATA_API_KEY")?;
    source.read(&Aws::at(aws, "us-east-1", "test", "test").await).await
}

#[tokio::test]
async fn the_key_is_in_the_environment_in_a_file_or_in_secrets_manager() {
    let (log, _guard) = Log::everything();
    let nowhere = "http://127.0.0.1:1";
    assert_eq!(key("TWELVEDATA_API_KEY", KEY, nowhere).await.unwrap().expose_secret(), KEY);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{KEY}\n")).unwrap();
    let path = file.path().to_str().unwrap();
    assert_eq!(key("TWELVEDATA_API_KEY_FILE", path, nowhere).await.unwrap().expose_secret(), KEY);
    for secret in [KEY.to_owned(), serde_json::json!({"key": KEY}).to_string()] {
        let (url, asked) = manager(&secret).await;
        let read = key("TWELVEDATA_API_KEY_SECRET", "candlewick/twelvedata", &url).await.unwrap();
        assert_eq!(read.expose_secret(), KEY);
        let asked = asked.await.unwrap();
        assert!(asked.contains("secretsmanager.GetSecretValue") && asked.contains("candlewick/twelvedata"), "{asked}");
    }
    let log = log.text();
    assert!(log.contains("TRACE") && !log.contains(KEY), "{log}");
}

#[tokio::test]
async fn no_trace_of_a_request_shows_the_key() {
    let (log, _guard) = Log::everything();
    let world = world(Settings::default()).await;
    assert_eq!(world.deliver(&fetch("AAPL", "1day")).await.unwrap(), Settled::Done);
    let log = log.text();
    assert!(log.contains("TRACE") && !log.contains(KEY), "{log}");
    let object = world.object("raw/interval=1day/symbol=AAPL/candles.csv").await;
    assert!(!format!("{object:?}").contains(KEY));
}
