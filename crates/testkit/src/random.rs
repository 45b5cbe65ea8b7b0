//! A small seeded generator of pseudo-random numbers (xoshiro256**, seeded by splitmix64) and Zipf's distribution.
//!
//! Not here: anything fit for secrets.

/// A source of pseudo-random numbers that is the same on every machine.
#[derive(Debug, Clone)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// From a seed; equal seeds give equal sequences.
    pub fn new(seed: u64) -> Self {
        let mut stage = seed;
        let state = std::array::from_fn(|_| {
            stage = stage.wrapping_add(0x9E37_79B9_7F4A_7C15);
            mixed(stage)
        });
        Self { state }
    }

    /// A source of its own for the thing with this number: what is drawn for one thing does not depend on others.
    pub fn of_thing(seed: u64, number: u64) -> Self {
        Self::new(mixed(seed ^ mixed(number.wrapping_add(0x9E37_79B9_7F4A_7C15))))
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }

    /// A number below `bound`, which must not be 0. The bias is below 2⁻³² for the small bounds used here.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// A number from 0 up to but not including 1.
    pub fn fraction(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True in `percent` of a hundred cases.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of the items, all equally likely. There must be at least one.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }
}

/// The finisher of splitmix64: every bit of the input changes half of the output's.
fn mixed(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// Zipf's distribution over the ranks 0, 1, 2 …: rank r has a weight of (r + 1) to the power of minus the exponent.
#[derive(Debug, Clone)]
pub struct Zipf {
    /// The share of the ranks up to each one; ends with 1.
    cumulative: Vec<f64>,
}

impl Zipf {
    /// Over `ranks` ranks, at least one.
    pub fn new(ranks: usize, exponent: f64) -> Self {
        let mut sum = 0.0;
        let mut cumulative: Vec<f64> = (1..=ranks.max(1))
            .map(|rank| {
                sum += (rank as f64).powf(-exponent);
                sum
            })
            .collect();
        cumulative.iter_mut().for_each(|share| *share /= sum);
        Self { cumulative }
    }

    /// A rank.
    pub fn draw(&self, random: &mut Random) -> usize {
        let point = random.fraction();
        self.cumulative
            .partition_point(|share| *share <= point)
            .min(self.cumulative.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::{Random, Zipf};

    #[test]
    fn the_sequence_is_that_of_the_published_algorithm() {
        // First outputs of xoshiro256** from the state that splitmix64 makes of seed 0.
        let mut random = Random::new(0);
        assert_eq!(random.state[0], 0xE220_A839_7B1D_CDAF);
        assert_eq!(random.next_u64(), 0x99EC_5F36_CB75_F2B4);
    }

    #[test]
    fn ranks_follow_their_weights() {
        let zipf = Zipf::new(1000, 0.92);
        let mut random = Random::new(7);
        let first = (0..100_000).filter(|_| zipf.draw(&mut random) == 0).count();
        assert!((9_800..10_800).contains(&first), "{first}");
    }
}
