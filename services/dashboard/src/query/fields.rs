//! Parameters that select the fields of candles.

use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;
use utoipa::ToSchema;

/// A field of a candle, named after its column in transformed CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum Field {
    /// A date, or an instant for intraday candles.
    Time,
    Open,
    High,
    Low,
    Close,
    /// The traded volume.
    Volume,
    /// Whether cleaning filled in the candle.
    IsFilled,
}

impl Field {
    /// Every field, in the order of transformed CSV.
    pub const ALL: [Self; 7] =
        [Self::Time, Self::Open, Self::High, Self::Low, Self::Close, Self::Volume, Self::IsFilled];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Open => "open",
            Self::High => "high",
            Self::Low => "low",
            Self::Close => "close",
            Self::Volume => "volume",
            Self::IsFilled => "is_filled",
        }
    }
}

/// There is no field with this name.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{name:?} is no field of a candle: there are {}", Field::ALL.map(Field::name).join(", "))]
pub struct NoField {
    name: String,
}

impl FromStr for Field {
    type Err = NoField;

    fn from_str(text: &str) -> Result<Self, NoField> {
        Self::ALL.into_iter().find(|field| field.name() == text).ok_or_else(|| NoField { name: text.to_owned() })
    }
}

/// The requested fields, without duplicates, in the order of the request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Fields(Vec<Field>);

impl Default for Fields {
    fn default() -> Self {
        Self(Field::ALL.to_vec())
    }
}

impl FromIterator<Field> for Fields {
    fn from_iter<T: IntoIterator<Item = Field>>(fields: T) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl FromStr for Fields {
    type Err = NoField;

    fn from_str(text: &str) -> Result<Self, NoField> {
        let mut fields = Vec::new();
        for name in text.split(',') {
            let field = name.trim().parse()?;
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        Ok(Self(fields))
    }
}

impl TryFrom<String> for Fields {
    type Error = NoField;

    fn try_from(text: String) -> Result<Self, NoField> {
        text.parse()
    }
}

impl Fields {
    pub fn iter(&self) -> impl Iterator<Item = Field> + '_ {
        self.0.iter().copied()
    }

    /// The index of a field among the requested ones; `None` if it was not requested.
    pub fn place(&self, field: Field) -> Option<usize> {
        self.0.iter().position(|asked| *asked == field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&'static str> {
        text.parse::<Fields>().unwrap().iter().map(Field::name).collect()
    }

    #[test]
    fn fields_come_once_and_in_the_order_in_which_they_were_named() {
        assert_eq!(names("close,time,close"), ["close", "time"]);
        assert_eq!(names("time, is_filled"), ["time", "is_filled"]);
        let all = Field::ALL.map(Field::name);
        assert_eq!((names(&all.join(",")), Fields::default()), (all.to_vec(), Fields(Field::ALL.to_vec())));
    }

    #[test]
    fn an_unknown_field_is_named_with_those_there_are() {
        for (text, name) in [("time,vwap", "\"vwap\""), ("", "\"\""), ("time,", "\"\""), ("Close", "\"Close\"")] {
            let error = text.parse::<Fields>().unwrap_err().to_string();
            assert!(error.starts_with(name), "{error}");
            assert!(error.ends_with("time, open, high, low, close, volume, is_filled"), "{error}");
        }
    }
}
