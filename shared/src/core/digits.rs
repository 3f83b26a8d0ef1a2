//! Digits at the start of a text, parsed eight at a time.

/// The most digits that [`digits`] parses. Their value fits 64 bits.
pub const MOST_DIGITS: usize = 18;

/// Parses the digits at the start of a text, and returns their value and their count: at least one and at most
/// [`MOST_DIGITS`]. Returns `None` if there are fewer or more.
#[inline]
#[must_use]
pub fn digits(text: &[u8]) -> Option<(u64, usize)> {
    match text.first_chunk().map(|chunk| few_digits(*chunk)) {
        Some((value, count)) if count < 8 => (count > 0).then_some((value, count)),
        _ => many_digits(text),
    }
}

/// Parses the digits at the start of eight bytes, all at once. Nearly every number is shorter than that, and a loop
/// over the digits would be the slowest part of cleaning.
#[inline]
fn few_digits(chunk: [u8; 8]) -> (u64, usize) {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // A digit becomes its value, 0 to 9; then the highest bit of every byte above 9 is set. Sums cannot carry into a
    // byte that counts, since all bytes below the first one that is not a digit are at most 9.
    let values = u64::from_le_bytes(chunk) ^ (EACH * 0x30);
    let others = (values.wrapping_add(EACH * 0x76) | values) & (EACH * 0x80);
    let count = others.trailing_zeros() as usize / 8;
    // The digits move to the end, with zeros before them; then neighbours are joined to pairs, fours, and all eight.
    let digits = if count == 0 { 0 } else { values << (64 - 8 * count) };
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let low = (pairs & 0x0000_00FF_0000_00FF).wrapping_mul(100 + (1_000_000 << 32));
    let high = (pairs >> 16 & 0x0000_00FF_0000_00FF).wrapping_mul(1 + (10_000 << 32));
    (low.wrapping_add(high) >> 32, count)
}

fn many_digits(text: &[u8]) -> Option<(u64, usize)> {
    let digits = text.iter().map(|byte| byte.wrapping_sub(b'0')).take_while(|digit| *digit <= 9);
    // It may wrap before its length is found to be too long, but then it is not used.
    let join = |(value, count), digit| (u64::wrapping_mul(value, 10).wrapping_add(u64::from(digit)), count + 1);
    let (value, count) = digits.fold((0, 0), join);
    (1..=MOST_DIGITS).contains(&count).then_some((value, count))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digits_all_at_once_are_the_digits_one_by_one(digits in "[0-9]{0,20}", rest in proptest::collection::vec(any::<u8>(), 0..12)) {
            let text = [digits.as_bytes(), &rest].concat();
            prop_assert_eq!(super::digits(&text), many_digits(&text));
        }
    }
}
