//! Parses paths and query parameters into types that hold only valid values.

pub mod candles;
pub mod changes;
pub mod fields;
pub mod listing;
pub mod loaded_events;
pub mod many;
pub mod page;
pub mod runs;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use candlewick_shared::core::interval::Interval;
use candlewick_shared::core::key::Series;
use candlewick_shared::core::symbol::Symbol;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::problem::Problem;

/// The query parameters. Invalid ones become a problem that names them.
#[derive(Clone, Debug)]
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|Query(asked)| Self(asked)).map_err(|error: QueryRejection| Problem::bad_request(error.body_text()))
    }
}

/// The query parameters of a page with a form. A browser sends empty fields too, which count as absent.
#[derive(Clone, Debug)]
pub struct AskedByForm<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for AskedByForm<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Asked(mut fields) = Asked::<Vec<(String, String)>>::from_request_parts(parts, state).await?;
        fields.retain(|(_, value)| !value.is_empty());
        let filled = serde_urlencoded::to_string(fields).map_err(|error| Problem::bad_request(error.to_string()))?;
        let query = serde_urlencoded::from_str(&filled).map_err(|error| Problem::bad_request(error.to_string()))?;
        Ok(Self(query))
    }
}

/// The path parameters. Invalid ones become a problem.
#[derive(Clone, Debug)]
pub struct At<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        path.map(|Path(at)| Self(at)).map_err(|error: PathRejection| Problem::bad_request(error.body_text()))
    }
}

/// The schema of intervals in the OpenAPI document.
#[derive(Clone, Copy, Debug)]
pub struct IntervalName;

impl PartialSchema for IntervalName {
    fn schema() -> RefOr<Schema> {
        let names = Interval::ALL.map(Interval::as_str);
        let object = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(names));
        object.description(Some("Stored, or derived from a shorter one")).into()
    }
}

impl ToSchema for IntervalName {}

/// The schema of symbols in the OpenAPI document.
#[derive(Clone, Copy, Debug)]
pub struct SymbolName;

impl PartialSchema for SymbolName {
    fn schema() -> RefOr<Schema> {
        let object = ObjectBuilder::new().schema_type(Type::String).pattern(Some(r"^[!-*.-<>?A-~][!-+\--~]{0,63}$"));
        object
            .description(Some("Percent-encoded in a path: BTC%2FUSD. Letters of other scripts are allowed too"))
            .into()
    }
}

impl ToSchema for SymbolName {}

/// The schema of lists of symbols in the OpenAPI document.
#[derive(Clone, Copy, Debug)]
pub struct SymbolNames;

impl PartialSchema for SymbolNames {
    fn schema() -> RefOr<Schema> {
        let list = r"^[!-*.-<>?A-~][!-+\--~]{0,63}(,[!-*.-<>?A-~][!-+\--~]{0,63}){0,99}$";
        ObjectBuilder::new().schema_type(Type::String).pattern(Some(list)).into()
    }
}

impl ToSchema for SymbolNames {}

/// Deserializes a number of rows and checks its bounds.
pub fn bounded<'de, D: Deserializer<'de>, const MOST: u32>(source: D) -> Result<Option<u32>, D::Error> {
    match Option::<u32>::deserialize(source)? {
        Some(number) if !(1..=MOST).contains(&number) => {
            Err(D::Error::custom(format!("{number} is not within 1 and {MOST}")))
        }
        number => Ok(number),
    }
}

/// A series in a path.
#[derive(Clone, Debug, Deserialize)]
pub struct SeriesPath {
    /// The symbol, percent-encoded in the address: `BTC%2FUSD`.
    pub symbol: Symbol,
    /// The interval of the candles.
    pub interval: Interval,
}

impl From<SeriesPath> for Series {
    fn from(SeriesPath { symbol, interval }: SeriesPath) -> Self {
        Self { symbol, interval }
    }
}
