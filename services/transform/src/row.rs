//! One raw row: a candle, nothing, or the reason why it is neither.

use candlewick_shared::core::candle::CandleTime;

/// A row that is a possible candle. It keeps its time and where it begins, 24 bytes in all, and not its numbers: those are
/// in the text already, and nearly all of them are copied from there to the clean object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// When the candle opens.
    pub time: CandleTime,
    /// Where the row begins in the text.
    pub start: usize,
    /// Where its numbers are in it, if they can be copied from there.
    pub numbers: Option<Numbers>,
    /// Whether its time was written with a time of day.
    pub has_time_of_day: bool,
    /// Whether an earlier cleaning put it in.
    pub is_filled: bool,
}

/// Where the numbers of a plain row are in it, each with its delimiter before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    from: u8,
    to: u8,
    /// Whether a fraction ends in zeros, which clean CSV does not write.
    pub has_zeros: bool,
}

impl Numbers {
    /// From one place in the row to another; nothing where that is too far to be noted.
    pub fn new(from: usize, to: usize, has_zeros: bool) -> Option<Self> {
        Some(Self { from: u8::try_from(from).ok()?, to: u8::try_from(to).ok()?, has_zeros })
    }

    /// The numbers of the row that begins at a place of a text.
    pub fn of(self, text: &[u8], start: usize) -> &[u8] {
        text.get(start + usize::from(self.from)..start + usize::from(self.to)).unwrap_or_default()
    }
}
