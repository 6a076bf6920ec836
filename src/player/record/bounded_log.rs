//! A list that does not grow: the first and the last hundred, how many there were, and a digest of the rest.

use std::collections::VecDeque;

/// How many entries are kept at each end.
const KEPT_AT_EACH_END: usize = 100;

/// Keeps both ends of a stream and a digest of its middle.
///
/// ```
/// use rmqplay::player::BoundedLog;
/// let mut kept = BoundedLog::default();
/// (0..1000).for_each(|n: u32| kept.push(n, n.to_string().as_bytes()));
/// assert_eq!((kept.count(), kept.is_whole()), (1000, false));
/// assert_eq!(kept.first().len() + kept.last().count(), 200);
/// ```
#[derive(Debug, Clone, PartialEq, Hash)]
pub struct BoundedLog<T> {
    first: Vec<T>,
    last: VecDeque<(T, u64)>,
    count: u64,
    /// FNV-1a over the names of the entries that were let go, in order.
    digest: u64,
    /// The sum of the digests of all names: the same in whichever order they came.
    sum: u64,
}

impl<T> Default for BoundedLog<T> {
    fn default() -> Self {
        Self { first: Vec::new(), last: VecDeque::new(), count: 0, digest: FNV_OFFSET, sum: 0 }
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// Continues an FNV-1a digest.
pub fn fnv(digest: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(digest, |digest, byte| (digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Returns the FNV-1a digest of some bytes.
pub fn digest_of(bytes: &[u8]) -> u64 {
    fnv(FNV_OFFSET, bytes)
}

impl<T> BoundedLog<T> {
    /// Adds an entry; `name` is what the digest sees of it once it is let go.
    pub fn push(&mut self, entry: T, name: &[u8]) {
        self.count += 1;
        let name = digest_of(name);
        self.sum = self.sum.wrapping_add(name);
        if self.first.len() < KEPT_AT_EACH_END {
            self.first.push(entry);
            return;
        }
        self.last.push_back((entry, name));
        if self.last.len() > KEPT_AT_EACH_END
            && let Some((_, name)) = self.last.pop_front()
        {
            self.digest = fnv(self.digest, &name.to_le_bytes());
        }
    }

    /// Returns the most entries that are all kept.
    pub const fn whole_max() -> u64 {
        2 * KEPT_AT_EACH_END as u64
    }

    /// Returns the sum of the digests of all names, which no order changes.
    pub fn names_sum(&self) -> u64 {
        self.sum
    }

    /// Returns how many there were.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Returns whether nothing was let go.
    pub fn is_whole(&self) -> bool {
        self.first.len() as u64 + self.last.len() as u64 == self.count
    }

    /// Returns the first ones.
    pub fn first(&self) -> &[T] {
        &self.first
    }

    /// Returns the last ones, as far as they are not among the first.
    pub fn last(&self) -> impl Iterator<Item = &T> {
        self.last.iter().map(|(entry, _)| entry)
    }

    /// Returns all that is kept, in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(self.last())
    }

    /// Returns the entry of an index; `None` when it was let go.
    pub fn get(&self, index: u64) -> Option<&T> {
        let at = index as usize;
        self.first.get(at).or_else(|| self.last.get(self.place_among_last(at)?).map(|(entry, _)| entry))
    }

    /// Returns the entry of an index to change; `None` when it was let go.
    pub fn get_mut(&mut self, index: u64) -> Option<&mut T> {
        let at = index as usize;
        if at < self.first.len() {
            return self.first.get_mut(at);
        }
        let place = self.place_among_last(at)?;
        self.last.get_mut(place).map(|(entry, _)| entry)
    }

    fn place_among_last(&self, at: usize) -> Option<usize> {
        at.checked_sub(self.count as usize - self.last.len())
    }

    /// Returns the digest of what was let go.
    pub fn digest(&self) -> Option<u64> {
        (!self.is_whole()).then_some(self.digest)
    }
}
