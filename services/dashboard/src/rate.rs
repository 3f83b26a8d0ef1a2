//! The rate limit of each address.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::client::Client;
use crate::problem::Problem;

/// How many seconds' worth of requests may come at once: opening a page requests a dozen files.
const BURST_SECONDS: u32 = 4;

/// Counts the recent requests of each address.
pub type Limiter = Arc<DefaultKeyedRateLimiter<IpAddr>>;

/// A limiter that lets each address send this many requests per second on average.
pub fn limiter(requests_per_second: NonZeroU32) -> Limiter {
    let burst = requests_per_second.saturating_mul(NonZeroU32::MIN.saturating_add(BURST_SECONDS - 1));
    Arc::new(RateLimiter::keyed(Quota::per_second(requests_per_second).allow_burst(burst)))
}

/// Rejects requests above the rate limit.
pub async fn limit(
    State(limiter): State<Limiter>,
    Extension(client): Extension<Client>,
    request: Request,
    next: Next,
) -> Response {
    if limiter.check_key(&client.key()).is_err() {
        return Problem::too_many_requests().into_response();
    }
    next.run(request).await
}

/// Drops addresses that have been silent for a while, so that the memory does not grow with every client.
pub fn forget_the_silent(limiter: &Limiter) {
    limiter.retain_recent();
    limiter.shrink_to_fit();
}
