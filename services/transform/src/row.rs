//! A raw row that is a possible candle.

use candlewick_shared::core::candle::CandleTime;

/// A row that is a possible candle. It stores its time and its position, 24 bytes in total, and not its numbers:
/// these are already in the text, and nearly all of them are copied from there to the transformed object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The start of the candle.
    pub time: CandleTime,
    /// The offset of the row in the text.
    pub start: usize,
    /// The position of its numbers in the row, if they can be copied.
    pub numbers: Option<Numbers>,
    /// Whether its time was written with a time of day.
    pub has_time_of_day: bool,
    /// Whether an earlier cleaning filled it.
    pub is_filled: bool,
}

/// The position of the numbers in a plain row, each with its delimiter before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers {
    from: u8,
    to: u8,
    /// Whether a fraction ends in zeros, which clean CSV does not write.
    pub has_zeros: bool,
}

impl Numbers {
    /// The range between two offsets in a row; `None` if they are too large to be stored.
    pub fn new(from: usize, to: usize, has_zeros: bool) -> Option<Self> {
        Some(Self { from: u8::try_from(from).ok()?, to: u8::try_from(to).ok()?, has_zeros })
    }

    /// The numbers of the row that begins at `start`.
    pub fn of(self, text: &[u8], start: usize) -> &[u8] {
        text.get(start + usize::from(self.from)..start + usize::from(self.to)).unwrap_or_default()
    }
}
