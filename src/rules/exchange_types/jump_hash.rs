//! Jump consistent hashing with Erlang's random numbers `exs1024`: which bucket a number falls into (PX-1).
//! Takes a number and how many buckets there are; gives one of them. Never hashes a term.

/// How many bits of a number count.
const SEED_BITS: u32 = 21;

/// Returns the bucket, from 0, of a number among so many.
///
/// ```
/// use rmqplay::rules::jump_hash;
/// assert_eq!(jump_hash(64_965_058, 1), 0);
/// ```
pub fn jump_hash(number: i128, buckets: u64) -> u64 {
    if buckets <= 1 {
        return 0;
    }
    let mut random = Xorshift1024::seeded(number as u64);
    let (mut bucket, mut next, buckets) = (0, 0.0, buckets as f64);
    // What is behind the point of `next` counts nowhere: `buckets` is whole.
    while next < buckets {
        bucket = next as u64;
        next = (bucket + 1) as f64 / random.uniform();
    }
    bucket
}

/// One by 2⁶⁴, which a product shows exactly.
const INVERSE: f64 = 1.0 / 18_446_744_073_709_551_616.0;

/// Xorshift1024*, Vigna's generator.
struct Xorshift1024 {
    words: [u64; 16],
    at: usize,
}

impl Xorshift1024 {
    /// Makes the generator that Erlang makes of `{Number, Number, Number}`.
    fn seeded(number: u64) -> Self {
        let low = |number: u64| number & ((1 << SEED_BITS) - 1);
        let part = |factor: u64| low((low(number) + 1) * factor);
        let mut state = part(2_097_131) << 43 | part(2_097_133) << 22 | part(2_097_143) << 1 | 1;
        let mut words = [0; 16];
        for word in words.iter_mut().rev() {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            *word = state.wrapping_mul(2_685_821_657_736_338_717);
        }
        Self { words, at: 0 }
    }

    /// Returns the next number from 0 to 1.
    fn uniform(&mut self) -> f64 {
        let first = self.words[self.at];
        self.at = (self.at + 1) % 16;
        let mut second = self.words[self.at];
        second ^= second << 31;
        second ^= second >> 11;
        let word = first ^ (first >> 30) ^ second;
        self.words[self.at] = word;
        word.wrapping_mul(1_181_783_497_276_652_981) as f64 * INVERSE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_erlang() {
        for (seed, first, second) in [
            (0, 0.2942322177448042, 0.9893093436811865),
            (1, 0.35999833001572473, 0.921588541205717),
            (-7, 0.8787882672173842, 0.11125560752941883),
            (123_456_789, 0.7295665694070308, 0.3356076399443135),
            (1_i64 << 40, 0.2942322177448042, 0.9893093436811865),
        ] {
            let mut random = Xorshift1024::seeded(seed as u64);
            assert_eq!((random.uniform(), random.uniform()), (first, second), "{seed}");
        }
    }

    #[test]
    fn one_more_bucket_takes_from_all_others() {
        let moved = (0..10_000).filter(|n| jump_hash(*n, 10) != jump_hash(*n, 11)).collect::<Vec<_>>();
        assert!(moved.iter().all(|n| jump_hash(*n, 11) == 10), "what moves goes to the new bucket");
        assert!((700..1_100).contains(&moved.len()), "{}", moved.len());
    }
}
