//! Parsing of request parameters.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use jiff::tz::TimeZone;

use super::error::ApiError;
use crate::market::price::Decimals;

/// The parameters of a request by name. Names are case-insensitive, an empty value counts as absent, and the last value
/// of a repeated name is used.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    values: HashMap<String, String>,
}

/// The format of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `format=JSON`, the default.
    Json,
    /// `format=CSV`.
    Csv {
        /// The parameter `delimiter`, by default a semicolon.
        delimiter: char,
    },
}

/// The time zone of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Zone {
    /// The zone of the exchange (`Exchange`, the default); UTC for currencies.
    Exchange,
    /// `UTC` or another zone by its IANA name, which is case-sensitive.
    Named(TimeZone),
}

impl Parameters {
    /// Collects the pairs of a decoded query string.
    pub fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        let present = pairs.into_iter().filter(|(_, value)| !value.trim().is_empty());
        Self { values: present.map(|(name, value)| (name.to_ascii_lowercase(), value)).collect() }
    }

    /// Returns the value of a parameter. `name` is in lower case.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| value.trim())
    }

    /// Returns the value of a parameter as an owned string.
    pub fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    /// Parses a whole number within a range.
    pub fn number(&self, name: &str, range: RangeInclusive<i64>) -> Result<Option<i64>, ApiError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| range.contains(number));
        let supported = || ApiError::invalid(name, text, &format!("values: from {} to {}", range.start(), range.end()));
        number.map(Some).ok_or_else(supported)
    }

    /// Parses `true` or `false`; the default is false.
    pub fn flag(&self, name: &str) -> Result<bool, ApiError> {
        self.one_of(name, &[("false", false), ("true", true)], false)
    }

    /// Parses one of the listed values, in any case.
    pub fn one_of<T: Copy>(&self, name: &str, values: &[(&str, T)], default: T) -> Result<T, ApiError> {
        let Some(text) = self.text(name) else { return Ok(default) };
        let found = values.iter().find(|(value, _)| value.eq_ignore_ascii_case(text));
        let names: Vec<_> = values.iter().map(|(value, _)| *value).collect();
        found
            .map(|(_, value)| *value)
            .ok_or_else(|| ApiError::invalid(name, text, &format!("values: {}", names.join(", "))))
    }

    /// Parses `format` and `delimiter`.
    pub fn format(&self) -> Result<Format, ApiError> {
        // Not trimmed, because the delimiter may be a tab.
        let delimiter = self.values.get("delimiter").map_or(";", String::as_str);
        let mut characters = delimiter.chars();
        let (Some(delimiter_character), None) = (characters.next(), characters.next()) else {
            return Err(ApiError::invalid("delimiter", delimiter, "values: one character"));
        };
        self.one_of(
            "format",
            &[("JSON", Format::Json), ("CSV", Format::Csv { delimiter: delimiter_character })],
            Format::Json,
        )
    }

    /// Parses `dp`: -1 for as many decimals as needed, or 0 to 11.
    pub fn decimals(&self) -> Result<Decimals, ApiError> {
        let places = self.number("dp", -1..=11)?.unwrap_or(-1);
        Ok(usize::try_from(places).map_or(Decimals::Auto, Decimals::Fixed))
    }

    /// Parses `timezone`.
    pub fn zone(&self) -> Result<Zone, ApiError> {
        let Some(name) = self.text("timezone") else { return Ok(Zone::Exchange) };
        if name.eq_ignore_ascii_case("exchange") {
            return Ok(Zone::Exchange);
        }
        // jiff finds names in any case, but the API documents them as case-sensitive.
        let zone = TimeZone::get(name).ok().filter(|zone| zone.iana_name() == Some(name));
        let supported = || ApiError::invalid("timezone", name, "values: Exchange, UTC or an IANA time zone name");
        zone.map(Zone::Named).ok_or_else(supported)
    }
}

impl Zone {
    /// Returns the time zone, given that of the exchange.
    pub fn or<'a>(&'a self, exchange: &'a TimeZone) -> &'a TimeZone {
        match self {
            Self::Exchange => exchange,
            Self::Named(zone) => zone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(pairs: &[(&str, &str)]) -> Parameters {
        Parameters::from_pairs(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
    }

    #[test]
    fn names_are_read_in_any_case_and_empty_values_are_absent() {
        let given = parameters(&[("SymBol", " AAPL "), ("exchange", "")]);
        assert_eq!((given.text("symbol"), given.text("exchange")), (Some("AAPL"), None));
    }

    #[test]
    fn a_zone_must_be_spelled_exactly() {
        assert!(matches!(parameters(&[("timezone", "Asia/Singapore")]).zone(), Ok(Zone::Named(_))));
        assert_eq!(parameters(&[("timezone", "exchange")]).zone(), Ok(Zone::Exchange));
        assert!(matches!(parameters(&[("timezone", "UTC")]).zone(), Ok(Zone::Named(_))));
        for wrong in ["asia/singapore", "Mars/Phobos"] {
            assert_eq!(parameters(&[("timezone", wrong)]).zone().unwrap_err().code, 400, "{wrong}");
        }
    }

    #[test]
    fn values_out_of_range_are_refused_by_name() {
        let error = parameters(&[("outputsize", "5001")]).number("outputsize", 1..=5000).unwrap_err();
        assert_eq!(error.message, "Invalid **outputsize** provided: 5001. Supported values: from 1 to 5000");
        assert_eq!(parameters(&[("dp", "12")]).decimals().unwrap_err().code, 400);
        assert_eq!(parameters(&[("format", "XML")]).format().unwrap_err().code, 400);
    }

    #[test]
    fn the_delimiter_is_a_semicolon_unless_another_is_given() {
        assert_eq!(parameters(&[("format", "csv")]).format(), Ok(Format::Csv { delimiter: ';' }));
        assert_eq!(parameters(&[("format", "CSV"), ("delimiter", ",")]).format(), Ok(Format::Csv { delimiter: ',' }));
    }
}
