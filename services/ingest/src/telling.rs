//! Tells the owner what a source did to a series: split it, shortened it, or gave another one under its name.

use std::collections::BTreeSet;

use candlewick_shared::core::key::{ObjectPath, Part};
use candlewick_shared::ports::notifier::{Alert, Kind};
use jiff::Timestamp;
use jiff::civil::DateTime;

use crate::fetch::{Fetched, Fetching, Stop};
use crate::kept::KeptObject;
use crate::loss::Loss;

impl Fetching<'_> {
    /// Tells of a split, and of the candles that could not be fetched anew.
    pub(crate) async fn tell_of_split(&self, fetched: &Fetched) {
        let Some(ratio) = fetched.overlap.split else { return };
        let series = &self.task.series;
        let old = fetched.rows.iter().filter(|row| row.fetched_at.is_some()).count();
        let kept = match old {
            0 => String::new(),
            old => format!(" but for {old} candles that TwelveData no longer gives, which keep the prices before it"),
        };
        let text = format!(
            "{series}: every past close is {ratio} times what it was: a split. All of the series was fetched anew{kept}; \
             what is kept elsewhere at the old prices no longer compares"
        );
        self.tell(Alert::new(Kind::SplitFound, series, text)).await;
    }

    /// Tells of the losses that the owner has not heard of yet.
    pub(crate) async fn tell_of_losses(&self, part: Part, fetched: &Fetched, kept: Option<&KeptObject>) {
        let known = |loss: &&Loss| kept.is_some_and(|kept| kept.shrank.contains(&loss.fetched_at));
        let is_by_hand = kept.is_some_and(|kept| kept.is_by_hand);
        for loss in fetched.losses.iter().filter(|loss| !known(loss)) {
            let text = match is_by_hand {
                true => self.words_of_a_file(part, loss),
                false => self.words(part, loss, fetched.overlap.split.is_some()),
            };
            self.tell(self.shrank(part, loss.fetched_at, &text)).await;
        }
    }

    /// Tells of the losses that are no more: the source has all of it again, or is not asked for it, or the owner accepted.
    pub(crate) async fn tell_of_returns(&self, part: Part, fetched: &Fetched, kept: Option<&KeptObject>) {
        let standing: BTreeSet<_> = fetched.losses.iter().map(|loss| loss.fetched_at).collect();
        let told = kept.map(|kept| &kept.shrank).into_iter().flatten();
        for since in told.filter(|since| !standing.contains(since)) {
            self.tell(self.shrank(part, *since, "nothing is missing any more").resolved()).await;
        }
    }

    /// Each loss is an alert of its own, by when the source last gave what is lost: one that grows is told again.
    fn shrank(&self, part: Part, since: Timestamp, text: &str) -> Alert {
        let subject = self.subject(part);
        let alert = Alert::new(Kind::HistoryShrank, &subject, text).class(since).key(Some(self.path(part).raw_key()));
        alert.cause(format!("{subject} {since}"))
    }

    fn words(&self, part: Part, loss: &Loss, is_split: bool) -> String {
        let (subject, symbol, fetched_at) = (self.subject(part), &self.task.series.symbol, loss.fetched_at);
        let (what, prices) = (self.what(loss), if is_split { ", at the prices before the split" } else { "" });
        format!(
            "{subject}: TwelveData no longer gives {what}, also when asked again. What is kept stays as it was fetched by \
             {fetched_at}{prices}. If it is rightly gone, remove it with `candlewick refresh {symbol} --replace`"
        )
    }

    fn words_of_a_file(&self, part: Part, loss: &Loss) -> String {
        let (subject, symbol, what) = (self.subject(part), &self.task.series.symbol, self.what(loss));
        format!(
            "{subject}: TwelveData does not give {what} of a file that was put over what it gave, also when asked again. They stay \
             beside what it gives. To have only that, remove them with `candlewick refresh {symbol} --replace`"
        )
    }

    fn what(&self, Loss { candles, first, last, .. }: &Loss) -> String {
        match candles {
            1 => format!("the candle of {}", self.time(*first)),
            _ => format!("{candles} candles from {} to {}", self.time(*first), self.time(*last)),
        }
    }

    fn time(&self, time: DateTime) -> String {
        if self.task.series.interval.is_intraday() { time.to_string() } else { time.date().to_string() }
    }

    /// Tells that an answer is about another instrument, and stops the work. Told at each refresh that meets it, it counts
    /// once for as long as nothing else was stored.
    pub(crate) async fn other(&self, part: Part, kept: &KeptObject, reason: &str) -> Stop {
        let (subject, symbol) = (self.subject(part), &self.task.series.symbol);
        let text = format!(
            "{subject}: what TwelveData gives now is probably another instrument: {reason}. None of it is stored, and what is \
             kept stays. If it is right, take it in place of what is kept with `candlewick refresh {symbol} --replace`"
        );
        let alert = Alert::new(Kind::OtherInstrument, &subject, &text).key(Some(self.path(part).raw_key()));
        self.tell(alert.cause(format!("{subject} {}", kept.fetched_at))).await;
        Stop::Other(text)
    }

    async fn tell(&self, alert: Alert) {
        let alert = alert.series(Some(self.task.series.clone())).run(Some(self.task.run.clone()));
        let trace_id = self.task.trace.map(|trace| trace.trace_id());
        self.ingest.notifier.notify(alert.traced(trace_id)).await;
    }

    fn path(&self, part: Part) -> ObjectPath {
        ObjectPath { series: self.task.series.clone(), part }
    }

    /// The series, or the month of it.
    fn subject(&self, part: Part) -> String {
        match part {
            Part::Whole => self.task.series.to_string(),
            Part::Month(month) => format!("{} {month}", self.task.series),
        }
    }
}
