//! The options that select dead letters.

use candlewick_shared::reads::dead_letters::DeadLetter;
use jiff::Timestamp;

use crate::moment::{Moment, moment};

/// Selects dead letters. A letter must match every given option.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Filter {
    /// Only letters of this class, such as unreadable_object
    #[arg(long)]
    class: Option<String>,
    /// Only letters from this service: ingest, transform, loader or a consumer of your own
    #[arg(long, value_name = "SERVICE")]
    stage: Option<String>,
    /// Only letters about keys that begin with this prefix, such as raw/interval=1day/
    #[arg(long, value_name = "PREFIX")]
    key: Option<String>,
    /// Only letters given up at or after this time: 2024-12-30, 2024-12-30T22:00:00Z, or how long ago (2h, 3d)
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Moment>,
    /// Only letters given up before this time, in the same formats as --since
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Moment>,
}

impl Filter {
    /// Whether a letter matches every option. A letter of unknown time matches no --since and no --until.
    pub fn matches(&self, letter: &DeadLetter, now: Timestamp) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        is(&self.class, &letter.class)
            && is(&self.stage, &letter.stage)
            && self.key.as_ref().is_none_or(|prefix| letter.keys.iter().any(|key| key.starts_with(prefix)))
            && self.since.is_none_or(|since| letter.sent.is_some_and(|sent| sent >= since.resolve(now)))
            && self.until.is_none_or(|until| letter.sent.is_some_and(|sent| sent < until.resolve(now)))
    }
}

#[cfg(test)]
pub mod tests {
    use candlewick_shared::adapters::sqs_browse::Held;
    use candlewick_shared::core::object_created::ObjectCreated;
    use candlewick_shared::ports::queue::{Message, Receipt};

    use super::*;

    /// A letter from the raw queue.
    pub fn letter(body: &str, attributes: &[(&str, &str)]) -> DeadLetter {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        let message = Message {
            id: "id-1".to_owned(),
            receipt: Receipt("receipt".to_owned()),
            body: body.to_owned(),
            receive_count: 1,
            attributes: attributes.iter().map(owned).collect(),
        };
        DeadLetter::read("raw", Held { message, sent: Some("2024-12-30T22:00:00Z".parse().unwrap()) })
    }

    /// The S3 event of a daily raw object.
    pub fn event(symbol: &str) -> String {
        let key = format!("raw/interval=1day/symbol={symbol}/candles.csv");
        let time = "2024-12-30T22:00:00Z".parse().unwrap();
        ObjectCreated { bucket: "b", key: &key, etag: "e", size: 1, time }.body()
    }

    fn has(change: impl FnOnce(&mut Filter)) -> bool {
        let mut filter = Filter::default();
        change(&mut filter);
        let letter = letter(&event("AAPL"), &[("class", "bad"), ("stage", "transform")]);
        filter.matches(&letter, "2024-12-30T23:00:00Z".parse().unwrap())
    }

    #[test]
    fn everything_that_is_given_must_hold() {
        assert!(has(|_| {}));
        assert!(has(|filter| filter.class = Some("bad".to_owned())));
        assert!(!has(|filter| filter.class = Some("ba".to_owned())));
        assert!(!has(|filter| filter.stage = Some("loader".to_owned())));
        assert!(has(|filter| filter.key = Some("raw/interval=1day/symbol=AAPL/".to_owned())));
        assert!(!has(|filter| filter.key = Some("raw/interval=1h/".to_owned())));
        assert!(!has(|filter| {
            filter.class = Some("bad".to_owned());
            filter.stage = Some("loader".to_owned());
        }));
    }

    #[test]
    fn since_includes_its_time_and_until_does_not() {
        let at = |text: &str| Some(moment(text).unwrap());
        assert!(has(|filter| filter.since = at("2024-12-30T22:00:00Z")));
        assert!(!has(|filter| filter.since = at("59m")));
        assert!(!has(|filter| filter.until = at("2024-12-30T22:00:00Z")));
        assert!(has(|filter| filter.until = at("59m")));
    }
}
