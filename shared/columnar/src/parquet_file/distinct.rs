//! The distinct numbers of a column.

/// Numbers in the order in which they first occur, and where each one is.
pub struct Distinct {
    pub numbers: Vec<i128>,
    /// A table of positions in `numbers`, each plus one; zero is vacant. Its length is a power of two.
    places: Vec<u32>,
}

impl Distinct {
    pub fn new() -> Self {
        Self { numbers: Vec::new(), places: vec![0; 1 << 12] }
    }

    /// The position of a number, which is added if it is new.
    #[inline]
    pub fn position(&mut self, number: i128) -> u32 {
        let mut place = self.home(number);
        loop {
            match self.places[place] {
                0 => return self.add(place, number),
                position if self.numbers[position as usize - 1] == number => return position - 1,
                _ => place = (place + 1) & (self.places.len() - 1),
            }
        }
    }

    fn add(&mut self, place: usize, number: i128) -> u32 {
        let position = self.numbers.len() as u32;
        self.numbers.push(number);
        self.places[place] = position + 1;
        if self.numbers.len() * 2 > self.places.len() {
            self.grow();
        }
        position
    }

    fn grow(&mut self) {
        self.places = vec![0; self.places.len() * 4];
        for (position, number) in (1..).zip(&self.numbers) {
            let mut place = self.home(*number);
            while self.places[place] != 0 {
                place = (place + 1) & (self.places.len() - 1);
            }
            self.places[place] = position;
        }
    }

    /// Where a number belongs. Numbers differ in their upper bits alone if they are multiples of a power of two, so the
    /// halves are mixed before the upper bits of the product are used.
    #[inline]
    fn home(&self, number: i128) -> usize {
        let mixed = (number as u64 ^ ((number >> 64) as u64).rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed >> 40) as usize & (self.places.len() - 1)
    }
}
