//! Numbers that look random and depend on nothing but a seed, a symbol and a place: the same on every machine, in every
//! release, in any order of asking.

/// The source of all made-up numbers of one symbol.
#[derive(Clone, Copy, Debug)]
pub struct Noise {
    key: u64,
}

/// What a number is drawn for, so that two uses at one place are independent.
#[derive(Clone, Copy, Debug)]
pub enum Use {
    /// The symbol's own constants.
    Symbol,
    /// The rise and fall of prices over days; the octave tells the stretch.
    Walk(u64),
    /// The gap between a close and the next open.
    Gap,
    /// How far a day's high and low reach beyond its open and close.
    Reach,
    /// A day's volume.
    Volume,
    /// The path of prices within the session of that day.
    Path(i64),
    /// How volume spreads over the session of that day.
    Spread(i64),
    /// Where a defect sits; the kind tells defects apart.
    Defect(u64),
    /// Whether a fault strikes.
    Fault,
}

/// Octaves of the walk: stretches of 1, 2, 4 … 1,024 days.
const OCTAVES: u32 = 11;

/// Scales the sum of octaves so that one day's move is about one: each octave contributes to it.
const WALK_SCALE: f64 = 0.45;

impl Noise {
    /// The source for a symbol (or any other name) under a seed.
    pub fn new(seed: u64, name: &str) -> Self {
        let key = name.bytes().fold(scatter(seed), |key, byte| scatter(key ^ u64::from(byte)));
        Self { key }
    }

    /// 64 even bits for one place.
    pub fn bits(self, purpose: Use, place: i64) -> u64 {
        let (stream, place_in_stream) = purpose.stream();
        let stream_key = scatter(self.key ^ scatter(stream) ^ place_in_stream.cast_unsigned());
        scatter(stream_key ^ place.cast_unsigned())
    }

    /// An even number in [0, 1).
    pub fn unit(self, purpose: Use, place: i64) -> f64 {
        (self.bits(purpose, place) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// An even number in [-1, 1).
    pub fn signed(self, purpose: Use, place: i64) -> f64 {
        2.0 * self.unit(purpose, place) - 1.0
    }

    /// A wandering curve over days whose daily move is about one and which stays within some tens: smooth noise summed
    /// over octaves, each as high as the square root of its stretch. It needs no running sum, so any day costs the
    /// same.
    pub fn walk(self, day: i64) -> f64 {
        let octave = |octave| self.octave(octave, day) * f64::from(1u32 << octave).sqrt();
        WALK_SCALE * (0..OCTAVES).map(octave).sum::<f64>()
    }

    fn octave(self, octave: u32, day: i64) -> f64 {
        let stretch = 1i64 << octave;
        let knot = day.div_euclid(stretch);
        let way = day.rem_euclid(stretch) as f64 / stretch as f64;
        let ease = way * way * (3.0 - 2.0 * way);
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

/// Spreads a number evenly over all 64 bits: the increment and the finaliser of the SplitMix64 generator.
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
