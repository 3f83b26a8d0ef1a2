//! Limits responses with many candles: only a few run at a time per address, each until its last byte is sent.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::body::{Frame, SizeHint};

use crate::client::Client;
use crate::places::{Place, Places};
use crate::problem::Problem;

/// The number of simultaneous responses, in total and per address. Each takes up to 30 MiB while it is built.
pub const AT_ONCE: (usize, usize) = (4, 2);

/// How long a request waits for a free place.
const PATIENCE: Duration = Duration::from_secs(5);

/// The largest chunk of a body in bytes. The connection asks for the next chunk when most of the previous one is sent.
const PART: usize = 64 << 10;

/// Delays a request for candles until its address has a free place.
pub async fn limit(
    State(places): State<Places>,
    Extension(client): Extension<Client>,
    request: Request,
    next: Next,
) -> Response {
    if !request.uri().path().contains("/candles") {
        return next.run(request).await;
    }
    match tokio::time::timeout(PATIENCE, places.wait(client.key())).await {
        Ok(place) => next.run(request).await.map(|body| Body::new(Held::new(body, place))),
        Err(_) => Problem::too_many_requests().into_response(),
    }
}

/// A body in small chunks that holds a place until it is dropped. Other requests get their turn between two chunks, because
/// compressing one takes a while.
struct Held {
    body: Body,
    rest: Bytes,
    has_yielded: bool,
    _place: Place,
}

impl Held {
    fn new(body: Body, place: Place) -> Self {
        Self { body, rest: Bytes::new(), has_yielded: true, _place: place }
    }
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if !self.has_yielded {
            self.has_yielded = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.rest.is_empty() {
            match std::task::ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                end => return Poll::Ready(end),
            }
        }
        let part = self.rest.len().min(PART);
        self.has_yielded = false;
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(part)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.len() as u64;
        let body = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + rest);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}
