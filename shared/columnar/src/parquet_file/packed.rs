//! Parquet's hybrid of runs and packed bits, the encoding of positions in a dictionary.

/// Appends numbers below 2 to the power of `width`: one run if all are equal, otherwise all of them packed.
pub fn append(out: &mut Vec<u8>, numbers: &[u32], width: u32) {
    match numbers {
        [] => {}
        [first, rest @ ..] if rest.iter().all(|number| number == first) => {
            append_varint(out, numbers.len() << 1);
            out.extend(&first.to_le_bytes()[..width.div_ceil(8) as usize]);
        }
        _ => append_packed(out, numbers, width),
    }
}

/// Bits are packed in groups of eight numbers; the last group is filled with zeros.
fn append_packed(out: &mut Vec<u8>, numbers: &[u32], width: u32) {
    let groups = numbers.len().div_ceil(8);
    append_varint(out, groups << 1 | 1);
    let end = out.len() + groups * width as usize;
    out.reserve(end + 8 - out.len());
    let mut word = 0_u64;
    let mut bits = 0;
    for number in numbers {
        word |= u64::from(*number) << bits;
        bits += width;
        if bits >= 32 {
            out.extend_from_slice(&(word as u32).to_le_bytes());
            word >>= 32;
            bits -= 32;
        }
    }
    out.extend_from_slice(&word.to_le_bytes());
    out.resize(end, 0);
}

fn append_varint(out: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// How many bits a number below `count` takes, at least one.
pub fn width(count: usize) -> u32 {
    let most = count.saturating_sub(1).max(1);
    usize::BITS - most.leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn appended(numbers: &[u32], width: u32) -> Vec<u8> {
        let mut out = Vec::new();
        append(&mut out, numbers, width);
        out
    }

    /// The example of the format's specification: 0 to 7 in three bits each.
    #[test]
    fn numbers_are_packed_from_the_lowest_bit_on() {
        assert_eq!(appended(&[0, 1, 2, 3, 4, 5, 6, 7], 3), [0b11, 0b1000_1000, 0b1100_0110, 0b1111_1010]);
        assert_eq!(appended(&[0, 1], 1), [0b11, 0b10]);
    }

    #[test]
    fn equal_numbers_are_one_run() {
        assert_eq!(appended(&[5; 100], 3), [200, 1, 5]);
        assert_eq!(appended(&[300; 2], 9), [4, 44, 1]);
        assert!(appended(&[], 3).is_empty());
    }

    #[test]
    fn a_width_holds_every_position() {
        assert_eq!([0, 1, 2, 3, 4, 5, 1 << 17].map(width), [1, 1, 1, 2, 2, 3, 17]);
    }
}
