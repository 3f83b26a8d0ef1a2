//! Pseudorandom numbers that depend only on a seed, a symbol and a position. They are the same on every machine, in
//! every release and in any order of calls.

/// The source of all pseudorandom numbers of a symbol.
#[derive(Clone, Copy, Debug)]
pub struct Noise {
    key: u64,
}

/// What a number is used for, so that two uses of the same position are independent.
#[derive(Clone, Copy, Debug)]
pub enum Use {
    /// Constants of the symbol.
    Symbol,
    /// The movement of prices over days, in this octave.
    Walk(u64),
    /// The gap between a close and the next open.
    Gap,
    /// How far the high and low of a day are beyond its open and close.
    Reach,
    /// The volume of a day.
    Volume,
    /// The path of prices within the session of this day.
    Path(i64),
    /// The distribution of volume over the session of this day.
    Spread(i64),
    /// The positions of this kind of defect.
    Defect(u64),
    /// Whether a fault applies to a request.
    Fault,
}

/// The octaves of the walk, with periods of 1, 2, 4 … 1,024 days.
const OCTAVES: u32 = 11;

/// Scales the sum of the octaves so that the movement of a day is about 1.
const WALK_SCALE: f64 = 0.45;

impl Noise {
    /// Creates the source of a symbol or any other name.
    pub fn new(seed: u64, name: &str) -> Self {
        let key = name.bytes().fold(scatter(seed), |key, byte| scatter(key ^ u64::from(byte)));
        Self { key }
    }

    /// Returns 64 uniformly distributed bits for a position.
    pub fn bits(self, purpose: Use, position: i64) -> u64 {
        let (stream, substream) = purpose.stream();
        let stream_key = scatter(self.key ^ scatter(stream) ^ substream.cast_unsigned());
        scatter(stream_key ^ position.cast_unsigned())
    }

    /// Returns a uniformly distributed number in `0.0..1.0`.
    pub fn unit(self, purpose: Use, position: i64) -> f64 {
        (self.bits(purpose, position) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Returns a uniformly distributed number in `-1.0..1.0`.
    pub fn signed(self, purpose: Use, position: i64) -> f64 {
        2.0 * self.unit(purpose, position) - 1.0
    }

    /// Returns the value of a random walk on a day. It moves by about 1 per day and stays within some tens. It is a sum
    /// of smooth noise over octaves, each scaled by the square root of its period. Unlike a running sum, it costs the
    /// same for every day.
    pub fn walk(self, day: i64) -> f64 {
        let octave = |octave| self.octave(octave, day) * f64::from(1u32 << octave).sqrt();
        WALK_SCALE * (0..OCTAVES).map(octave).sum::<f64>()
    }

    fn octave(self, octave: u32, day: i64) -> f64 {
        let period = 1i64 << octave;
        let knot = day.div_euclid(period);
        let fraction = day.rem_euclid(period) as f64 / period as f64;
        let ease = fraction * fraction * (3.0 - 2.0 * fraction);
        let purpose = Use::Walk(u64::from(octave));
        let left = self.signed(purpose, knot);
        let right = self.signed(purpose, knot + 1);
        left + (right - left) * ease
    }
}

impl Use {
    fn stream(self) -> (u64, i64) {
        match self {
            Self::Symbol => (0, 0),
            Self::Walk(octave) => (1, octave.cast_signed()),
            Self::Gap => (2, 0),
            Self::Reach => (3, 0),
            Self::Volume => (4, 0),
            Self::Path(day) => (5, day),
            Self::Spread(day) => (6, day),
            Self::Defect(kind) => (7, kind.cast_signed()),
            Self::Fault => (8, 0),
        }
    }
}

/// Hashes a number to 64 bits, with the increment and finalizer of the SplitMix64 generator.
fn scatter(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_do_not_change_between_releases() {
        assert_eq!(scatter(0), 0xE220_A839_7B1D_CDAF, "the first output of SplitMix64 from seed 0");
        assert_eq!(Noise::new(1, "MSFT").bits(Use::Gap, 3), Noise::new(1, "MSFT").bits(Use::Gap, 3));
    }

    #[test]
    fn seed_symbol_use_and_place_each_make_a_difference() {
        let drawn = Noise::new(1, "MSFT").bits(Use::Gap, 3);
        assert_ne!(drawn, Noise::new(2, "MSFT").bits(Use::Gap, 3));
        assert_ne!(drawn, Noise::new(1, "MSFU").bits(Use::Gap, 3));
        assert_ne!(drawn, Noise::new(1, "MSFT").bits(Use::Reach, 3));
        assert_ne!(drawn, Noise::new(1, "MSFT").bits(Use::Gap, 4));
    }

    #[test]
    fn the_walk_moves_by_about_one_a_day_and_stays_in_bounds() {
        let noise = Noise::new(7, "ANY");
        let moves = (0..2000).map(|day| (noise.walk(day + 1) - noise.walk(day)).abs());
        let mean = moves.sum::<f64>() / 2000.0;
        assert!((0.3..1.2).contains(&mean), "{mean}");
        assert!((0..20_000).all(|day| noise.walk(day).abs() < 50.0));
    }
}
