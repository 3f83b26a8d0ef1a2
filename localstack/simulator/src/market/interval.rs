//! The twelve intervals of the API.

/// The span of one candle, by the name that the API gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    name: &'static str,
    span: Span,
}

/// What an interval covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// So many minutes, counted from the opening of each session.
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
    /// The interval of that exact name; `None` where the API has none.
    pub fn parse(text: &str) -> Option<Self> {
        Self::all().find(|interval| interval.name == text)
    }

    /// All intervals, shortest first.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.into_iter().map(|(name, span)| Self { name, span })
    }

    /// The API's name, such as `15min`.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// What it covers.
    pub fn span(self) -> Span {
        self.span
    }

    /// Whether its candles are shorter than a session, and so carry a time of day.
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
