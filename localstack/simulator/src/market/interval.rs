//! The twelve intervals of the API.

/// An interval of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    name: &'static str,
    span: Span,
}

/// The length of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// This number of minutes, counted from the opening of each session.
    Minutes(i64),
    /// One session.
    Day,
    /// Monday to Sunday, dated by the Monday.
    Week,
    /// A calendar month, dated by its first day.
    Month,
}

const ALL: [(&str, Span); 12] = [
    ("1min", Span::Minutes(1)),
    ("5min", Span::Minutes(5)),
    ("15min", Span::Minutes(15)),
    ("30min", Span::Minutes(30)),
    ("45min", Span::Minutes(45)),
    ("1h", Span::Minutes(60)),
    ("2h", Span::Minutes(120)),
    ("4h", Span::Minutes(240)),
    ("8h", Span::Minutes(480)),
    ("1day", Span::Day),
    ("1week", Span::Week),
    ("1month", Span::Month),
];

impl Interval {
    /// Parses a name such as `15min`, which is case-sensitive.
    pub fn parse(text: &str) -> Option<Self> {
        Self::all().find(|interval| interval.name == text)
    }

    /// Returns all intervals, shortest first.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.into_iter().map(|(name, span)| Self { name, span })
    }

    /// Returns the API's name, such as `15min`.
    pub fn name(self) -> &'static str {
        self.name
    }

    pub fn span(self) -> Span {
        self.span
    }

    /// Returns whether candles are shorter than a session, and so have a time of day.
    pub fn is_intraday(self) -> bool {
        matches!(self.span, Span::Minutes(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_the_api_and_no_others() {
        for name in ["1min", "45min", "8h", "1day", "1month"] {
            assert_eq!(Interval::parse(name).unwrap().name(), name);
        }
        for name in ["", "5h", "1DAY", "0.99min", "1d"] {
            assert_eq!(Interval::parse(name), None);
        }
    }
}
