//! What to do about each kind of alert.

use super::alert::Kind;
use super::symbol::Symbol;
use super::topology::Topology;

impl Kind {
    /// What to do next, as commands. `stage` is the service that raised the alert, `symbol` what it is about.
    #[must_use]
    pub fn next_step(self, stage: &str, symbol: Option<&Symbol>) -> String {
        let symbol = symbol.map_or_else(|| "SYMBOL".to_owned(), Symbol::to_shell_word);
        match self {
            Self::BadWatchlist => "candlewick watchlist check; correct what it names".to_owned(),
            Self::CalendarHorizon => {
                "update Candlewick, because each release extends the calendars; or put a file that reaches further into \
                 config/calendars next to the watchlist, as docs/calendars.md shows"
                    .to_owned()
            }
            Self::CandlesLost => {
                "if that was not intended, drop the earlier file again, or restore the earlier version of the object"
                    .to_owned()
            }
            Self::CreditsGone => "nothing, or get a larger plan at twelvedata.com".to_owned(),
            Self::DeadLetter => {
                // The stage comes from an event in the queue, which may be forged.
                let service = Topology::current().service(stage);
                let only = service.map(|service| format!(" --stage {service}")).unwrap_or_default();
                format!("candlewick dlq list{only}; fix what the reason names; candlewick dlq redrive{only}")
            }
            Self::DirtyObject | Self::LongGap => {
                "look at the cleaning report and at the quarantined rows of the object".to_owned()
            }
            Self::EventsUndelivered => {
                "correct the sink that the text names; candlewick events lists the events meanwhile".to_owned()
            }
            Self::HistoryShrank | Self::OtherInstrument => {
                format!("to accept what the source has now: candlewick refresh {symbol} --replace")
            }
            Self::IngestFailed | Self::StaleSeries => format!("candlewick refresh {symbol}"),
            Self::Outage => "restore what the text names; candlewick status shows how many messages wait".to_owned(),
            Self::RunFailed => "candlewick status; then candlewick refresh".to_owned(),
            Self::SplitFound => "nothing".to_owned(),
        }
    }
}
