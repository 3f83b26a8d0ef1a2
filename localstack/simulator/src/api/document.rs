//! JSON whose objects keep the order of their fields.

use serde::ser::{Serialize, Serializer};
use serde_json::Value;

/// A JSON document. The official Python client takes the first field of a candle for its time, so order matters there.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    /// Any value, where order does not matter.
    Value(Value),
    /// A list.
    List(Vec<Document>),
    /// An object, its fields in this order.
    Object(Vec<(String, Document)>),
}

impl Document {
    /// An object.
    pub fn object<Name: Into<String>>(fields: impl IntoIterator<Item = (Name, Self)>) -> Self {
        Self::Object(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }

    /// A text or, for nothing, null.
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
