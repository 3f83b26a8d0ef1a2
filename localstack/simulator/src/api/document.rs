//! JSON documents that preserve the order of object fields.

use serde::ser::{Serialize, Serializer};
use serde_json::Value;

/// A JSON document. The order of fields matters because the official Python client expects the time of a candle in its
/// first field.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    /// A value in which the order of fields does not matter.
    Value(Value),
    List(Vec<Document>),
    /// An object with its fields in this order.
    Object(Vec<(String, Document)>),
}

impl Document {
    pub fn object<Name: Into<String>>(fields: impl IntoIterator<Item = (Name, Self)>) -> Self {
        Self::Object(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }

    /// Creates a string, or null for `None`.
    pub fn text(text: Option<&str>) -> Self {
        Self::Value(text.into())
    }
}

impl From<Value> for Document {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(fields) => serializer.collect_map(fields.iter().map(|(name, value)| (name, value))),
        }
    }
}
