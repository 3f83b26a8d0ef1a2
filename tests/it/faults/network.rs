//! The network between the services and their dependencies: it cuts, delays and truncates.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::support::LEASE;
use super::tally::Tally;

/// The target of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    S3,
    Sqs,
    Postgres,
}

/// After how long without a byte a response counts as complete.
const SILENCE: Duration = Duration::from_secs(2);

/// A fault of a connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// The connection is reset, and the data in transit is lost.
    Cut,
    /// The data in transit is delayed.
    Delay(Duration),
    /// Part of the data in transit arrives, followed by the end of the stream.
    Truncate,
}

/// A fault, and the number of bytes after which it happens.
pub type Strike = (usize, Fault);

/// The faults of the n-th connection to a target.
pub fn strikes(seed: u64, way: Way, connection: u64) -> impl Iterator<Item = Strike> + Send {
    let own = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (connection << 2) ^ way as u64;
    let mut dice = StdRng::seed_from_u64(own);
    std::iter::repeat_with(move || {
        (2_usize.pow(dice.random_range(9..18)) + dice.random_range(0..2048), fault(&mut dice))
    })
}

fn fault(dice: &mut StdRng) -> Fault {
    match dice.random_range(0..20) {
        0..6 => Fault::Cut,
        6..10 => Fault::Truncate,
        10..18 => Fault::Delay(Duration::from_millis(dice.random_range(20..700))),
        _ => Fault::Delay(LEASE + Duration::from_millis(dice.random_range(300..1500))),
    }
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::S3 => "S3",
            Self::Sqs => "SQS",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// A section of the network, which exists until it is dropped.
pub struct Network {
    /// The port on which it listens. It forwards to another address.
    pub port: u16,
    _accepting: AbortOnDropHandle<()>,
}

/// The state that its connections share.
struct Shared {
    seed: u64,
    way: Way,
    to: SocketAddr,
    tally: Arc<Tally>,
    calm: CancellationToken,
}

impl Network {
    /// A proxy to an address of this machine that injects faults until `calm` is cancelled.
    pub async fn to(
        to: SocketAddr,
        way: Way,
        seed: u64,
        tally: Arc<Tally>,
        calm: CancellationToken,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("listen for a service")?;
        let port = listener.local_addr().context("learn the port")?.port();
        let shared = Arc::new(Shared { seed, way, to, tally, calm });
        Ok(Self { port, _accepting: AbortOnDropHandle::new(tokio::spawn(shared.accept(listener))) })
    }
}

impl Shared {
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        for connection in 0.. {
            let Ok((client, _)) = listener.accept().await else { return };
            let shared = Arc::clone(&self);
            // Connections are expected to break at any time, so errors are ignored.
            tokio::spawn(async move { shared.connect(client, connection).await.ok() });
        }
    }

    async fn connect(&self, mut client: TcpStream, connection: u64) -> std::io::Result<()> {
        let mut server = TcpStream::connect(self.to).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let line = Line { strikes: strikes(self.seed, self.way, connection), left: 0, next: None };
        let ended = self.pass_on(&mut client, &mut server, line).await;
        drop(client);
        if self.way == Way::S3 {
            read_to_the_end(server).await;
        }
        ended
    }

    /// Forwards data in both directions, until one side or a fault ends the connection.
    async fn pass_on(
        &self,
        client: &mut TcpStream,
        server: &mut TcpStream,
        mut line: Line<impl Iterator<Item = Strike>>,
    ) -> std::io::Result<()> {
        let mut up = [0; 16_384];
        let mut down = [0; 16_384];
        loop {
            let (chunk, other) = tokio::select! {
                read = client.read(&mut up) => (&up[..read?], &mut *server),
                read = server.read(&mut down) => (&down[..read?], &mut *client),
            };
            if chunk.is_empty() {
                return Ok(());
            }
            let Some((at, fault)) = line.pass(chunk.len()).filter(|_| !self.calm.is_cancelled()) else {
                other.write_all(chunk).await?;
                continue;
            };
            self.count(fault);
            match fault {
                Fault::Delay(length) => {
                    let _ = timeout(length, self.calm.cancelled()).await;
                    other.write_all(chunk).await?;
                }
                Fault::Truncate => return other.write_all(&chunk[..at]).await,
                Fault::Cut => return client.set_zero_linger(),
            }
        }
    }

    fn count(&self, fault: Fault) {
        let way = self.way.name();
        let what = match fault {
            Fault::Cut => "cut",
            Fault::Delay(_) => "delayed",
            Fault::Truncate => "truncated",
        };
        self.tally.add(format!("{way}: connection {what}"), 1);
        if matches!(fault, Fault::Delay(length) if length > LEASE) {
            self.tally.add("delay longer than a lease", 1);
        }
    }
}

/// LocalStack locks an object as long as somebody reads it, and does not notice that a reader is gone. So the rest of a
/// response that was cut is read here: otherwise the next writer of that object, and every reader after it, would wait
/// forever. S3 itself has no such locks.
async fn read_to_the_end(mut server: TcpStream) {
    let mut rest = [0; 16_384];
    while matches!(timeout(SILENCE, server.read(&mut rest)).await, Ok(Ok(bytes)) if bytes > 0) {}
}

/// The distance of a connection from its next fault.
struct Line<S> {
    strikes: S,
    left: usize,
    next: Option<Fault>,
}

impl<S: Iterator<Item = Strike>> Line<S> {
    /// Counts transferred bytes. Returns the fault that happens among them, and its offset.
    fn pass(&mut self, bytes: usize) -> Option<Strike> {
        if self.next.is_none() {
            let (after, fault) = self.strikes.next()?;
            (self.left, self.next) = (after, Some(fault));
        }
        if bytes < self.left {
            self.left -= bytes;
            return None;
        }
        self.next.take().map(|fault| (self.left, fault))
    }
}
