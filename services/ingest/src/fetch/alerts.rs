//! Alerts about what the source did to a series: a split, a shorter history, or another instrument under its name.

use std::collections::BTreeSet;

use candlewick_shared::core::key::Part;
use candlewick_shared::ports::notifier::{Alert, Kind, Notifier};
use jiff::Timestamp;
use jiff::civil::DateTime;

use crate::fetch::kept_object::KeptObject;
use crate::fetch::loss::Loss;
use crate::fetch::task::{Fetched, Stop, Task};

/// Sends the alerts about one series.
#[derive(Clone, Copy)]
pub(crate) struct SeriesAlerts<'a> {
    pub(crate) notifier: &'a dyn Notifier,
    pub(crate) task: &'a Task,
}

impl SeriesAlerts<'_> {
    /// Reports a split, and the candles that could not be fetched again.
    pub(crate) async fn split(&self, fetched: &Fetched) {
        let Some(ratio) = fetched.overlap.split else { return };
        let series = &self.task.series;
        let old = fetched.rows.iter().filter(|row| row.fetched_at.is_some()).count();
        let kept = match old {
            0 => String::new(),
            old => {
                format!(
                    ", except {old} candles that TwelveData no longer has; they keep their prices from before the split"
                )
            }
        };
        let text = format!(
            "{series}: every past close is {ratio} times its former value, so there was a split. The whole series was fetched \
             again{kept}. Results computed from the old prices are no longer comparable"
        );
        self.send(Alert::new(Kind::SplitFound, series, text)).await;
    }

    /// Reports the losses that were not reported yet.
    pub(crate) async fn losses(&self, part: Part, fetched: &Fetched, kept: Option<&KeptObject>) {
        let known = |loss: &&Loss| kept.is_some_and(|kept| kept.reported_losses.contains(&loss.fetched_at));
        let is_by_hand = kept.is_some_and(|kept| kept.is_by_hand);
        for loss in fetched.losses.iter().filter(|loss| !known(loss)) {
            let text = match is_by_hand {
                true => self.file_loss_text(part, loss),
                false => self.loss_text(part, loss, fetched.overlap.split.is_some()),
            };
            self.send(self.loss_alert(part, loss.fetched_at, &text)).await;
        }
    }

    /// Resolves the losses that are over: the source has the candles again or is no longer asked for them, or the owner
    /// accepted the loss.
    pub(crate) async fn returns(&self, part: Part, fetched: &Fetched, kept: Option<&KeptObject>) {
        let current: BTreeSet<_> = fetched.losses.iter().map(|loss| loss.fetched_at).collect();
        let reported = kept.map(|kept| &kept.reported_losses).into_iter().flatten();
        for since in reported.filter(|since| !current.contains(since)) {
            self.send(self.loss_alert(part, *since, "no candles are missing any more").resolved()).await;
        }
    }

    /// Each loss has its own alert, identified by when the source last had its candles.
    fn loss_alert(&self, part: Part, since: Timestamp, text: &str) -> Alert {
        let subject = self.task.subject(part);
        let alert =
            Alert::new(Kind::HistoryShrank, &subject, text).class(since).key(Some(self.task.path(part).raw_key()));
        alert.cause(format!("{subject} {since}"))
    }

    fn loss_text(&self, part: Part, loss: &Loss, is_split: bool) -> String {
        let subject = self.task.subject(part);
        let symbol = &self.task.series.symbol;
        let fetched_at = loss.fetched_at;
        let candles = self.describe(loss);
        let prices = if is_split { ", at the prices before the split" } else { "" };
        format!(
            "{subject}: TwelveData no longer gives {candles}, also when asked again. The stored candles stay as fetched by \
             {fetched_at}{prices}. If they are gone for a good reason, remove them with `candlewick refresh {symbol} --replace`"
        )
    }

    fn file_loss_text(&self, part: Part, loss: &Loss) -> String {
        let subject = self.task.subject(part);
        let symbol = &self.task.series.symbol;
        let candles = self.describe(loss);
        format!(
            "{subject}: TwelveData does not give {candles} of a dropped file, also when asked again. They stay next to \
             the candles that it gives. To remove them, use `candlewick refresh {symbol} --replace`"
        )
    }

    fn describe(&self, Loss { candles, first, last, .. }: &Loss) -> String {
        match candles {
            1 => format!("the candle of {}", self.time(*first)),
            _ => format!("{candles} candles from {} to {}", self.time(*first), self.time(*last)),
        }
    }

    fn time(&self, time: DateTime) -> String {
        if self.task.series.interval.is_intraday() { time.to_string() } else { time.date().to_string() }
    }

    /// Reports that an answer is about another instrument, and stops the work. However many refreshes find it, it counts as
    /// one alert until something else is stored.
    pub(crate) async fn other_instrument(&self, part: Part, kept: &KeptObject, reason: &str) -> Stop {
        let subject = self.task.subject(part);
        let symbol = &self.task.series.symbol;
        let text = format!(
            "{subject}: TwelveData's answer is probably about another instrument: {reason}. It was not stored, and the stored \
             candles stay. If the answer is right, replace them with `candlewick refresh {symbol} --replace`"
        );
        let alert = Alert::new(Kind::OtherInstrument, &subject, &text).key(Some(self.task.path(part).raw_key()));
        self.send(alert.cause(format!("{subject} {}", kept.fetched_at))).await;
        Stop::OtherInstrument(text)
    }

    async fn send(&self, alert: Alert) {
        let alert = alert.series(Some(self.task.series.clone())).run(Some(self.task.run.clone()));
        let trace_id = self.task.trace.map(|trace| trace.trace_id());
        self.notifier.notify(alert.traced(trace_id)).await;
    }
}
