//! A connection that is closed when the peer is too slow.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// How slow the peer may be.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// The time from the first byte of a request, or from the start of the connection, until the request head is
    /// complete.
    pub head: Duration,
    /// The time without traffic in either direction. It exceeds the keep-alive time of load balancers, so that they are
    /// the ones to close the connection. Responses and event streams send something far more often.
    pub idle: Duration,
    /// How long the peer may accept none of the bytes that are sent.
    pub write: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { head: seconds(10), idle: seconds(150), write: seconds(30) }
    }
}

/// Whether a request is being answered. The handler sets it, and the next byte received starts another request head.
#[derive(Clone, Debug, Default)]
pub struct Answering(Arc<AtomicBool>);

impl Answering {
    /// Records that the head of a request is complete.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A connection that fails with [`io::ErrorKind::TimedOut`] when the peer is too slow.
#[derive(Debug)]
pub struct Timed<S> {
    stream: S,
    patience: Patience,
    answering: Answering,
    head_begun: Instant,
    moved: Instant,
    reading: Pin<Box<Sleep>>,
    /// The write timeout, set while the peer accepts no bytes.
    writing: Option<Pin<Box<Sleep>>>,
}

impl<S> Timed<S> {
    /// Starts the timeouts of a new connection.
    pub fn new(stream: S, patience: Patience, answering: Answering) -> Self {
        let now = Instant::now();
        let reading = Box::pin(sleep(patience.head));
        Self { stream, patience, answering, head_begun: now, moved: now, reading, writing: None }
    }

    fn heard(&mut self) {
        self.moved = Instant::now();
        if self.answering.0.swap(false, Ordering::Relaxed) {
            self.head_begun = self.moved;
            self.reading.as_mut().reset(self.head_begun + self.patience.head);
        }
    }

    /// The deadline for the peer's next byte.
    fn end(&self) -> Instant {
        let is_answering = self.answering.0.load(Ordering::Relaxed);
        if is_answering { self.moved + self.patience.idle } else { self.head_begun + self.patience.head }
    }

    /// Returns an error once the deadline for the peer's next byte has passed.
    fn poll_silence(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.reading.as_mut().poll(context));
            let end = self.end();
            if end <= Instant::now() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.reading.as_mut().reset(end);
        }
    }

    /// The result of a write, or an error if the peer has accepted nothing for too long.
    fn watched(&mut self, context: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.moved = Instant::now();
            self.writing = None;
            return written;
        }
        let patience = self.patience.write;
        let writing = self.writing.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(writing.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_pending() {
            return self.poll_silence(context);
        }
        if buffer.filled().len() > before {
            self.heard();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watched(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.watched(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    fn connection() -> (DuplexStream, Timed<DuplexStream>, Answering) {
        let (theirs, ours) = duplex(16);
        let answering = Answering::default();
        (theirs, Timed::new(ours, Patience::default(), answering.clone()), answering)
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_comes_byte_by_byte_is_not_waited_for() {
        let (mut theirs, mut ours, _) = connection();
        let begun = Instant::now();
        let trickle = async {
            loop {
                theirs.write_all(b"x").await.unwrap();
                sleep(Duration::from_secs(1)).await;
            }
        };
        let read = async { while ours.read_u8().await.is_ok() {} };
        tokio::select! { () = read => {}, () = trickle => unreachable!() }
        assert_eq!(begun.elapsed().as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_answered_may_be_silent_for_longer_and_not_for_ever() {
        let (mut theirs, mut ours, answering) = connection();
        theirs.write_all(b"x").await.unwrap();
        ours.read_u8().await.unwrap();
        answering.begin();
        let begun = Instant::now();
        assert_eq!(ours.read_u8().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(begun.elapsed().as_secs(), 150);
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_head_has_its_own_time() {
        let (mut theirs, mut ours, answering) = connection();
        answering.begin();
        sleep(Duration::from_secs(100)).await;
        theirs.write_all(b"x").await.unwrap();
        ours.read_u8().await.unwrap();
        let begun = Instant::now();
        assert!(ours.read_u8().await.is_err());
        assert_eq!(begun.elapsed().as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_of_an_answer_is_left() {
        let (mut theirs, mut ours, answering) = connection();
        answering.begin();
        let begun = Instant::now();
        let slowly = async {
            theirs.read_u8().await.unwrap();
            sleep(Duration::from_secs(20)).await;
            theirs.read_u8().await.unwrap();
            std::future::pending::<()>().await
        };
        tokio::select! {
            written = ours.write_all(&[0; 64]) => assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut),
            () = slowly => unreachable!(),
        }
        assert_eq!(begun.elapsed().as_secs(), 50, "from the last byte that was taken");
    }
}
