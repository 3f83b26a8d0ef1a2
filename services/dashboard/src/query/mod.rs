//! Addresses and their parameters as types that cannot be wrong.

pub mod candles;
pub mod fields;
pub mod page;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::symbol::Symbol;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// The parameters behind the question mark; those that are not of their form are a problem that names them.
#[derive(Clone, Debug)]
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|Query(asked)| Self(asked)).map_err(|error: QueryRejection| Problem::bad_request(error.body_text()))
    }
}

/// The parts of the path; those that are not of their form are a problem.
#[derive(Clone, Debug)]
pub struct At<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        path.map(|Path(at)| Self(at)).map_err(|error: PathRejection| Problem::bad_request(error.body_text()))
    }
}

/// A series, as a path names it.
#[derive(Clone, Debug, Deserialize)]
pub struct SeriesPath {
    /// The instrument, percent-encoded in the address: `BTC%2FUSD`.
    pub symbol: Symbol,
    /// The length of its candles.
    pub interval: Interval,
}

impl From<SeriesPath> for Series {
    fn from(SeriesPath { symbol, interval }: SeriesPath) -> Self {
        Self { symbol, interval }
    }
}
