//! The latest of something, up to a bound: once it is full, each new one takes the place of the oldest. Never moves what it
//! holds, but while it grows.

/// How many places there are at first.
const FIRST_PLACES: usize = 64;

/// The latest values, at most so many.
#[derive(Debug, Clone)]
pub(super) struct Ring<T> {
    values: Vec<T>,
    /// Where the oldest is, once all places are taken.
    oldest: usize,
    max: usize,
}

impl<T> Ring<T> {
    /// Makes one for at most so many values, from one on.
    pub(super) fn new(max: usize) -> Self {
        Self { values: Vec::new(), oldest: 0, max }
    }

    /// Adds a value; returns the one that is let go for it.
    pub(super) fn push(&mut self, value: T) -> Option<T> {
        if self.values.len() < self.max {
            if self.values.len() == self.values.capacity() {
                let more = self.values.len().max(FIRST_PLACES).min(self.max - self.values.len());
                self.values.reserve_exact(more);
            }
            self.values.push(value);
            return None;
        }
        let gone = std::mem::replace(self.values.get_mut(self.oldest)?, value);
        self.oldest = if self.oldest + 1 == self.max { 0 } else { self.oldest + 1 };
        Some(gone)
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Returns the place of a value; 0 is the oldest.
    fn place(&self, at: usize) -> usize {
        let place = self.oldest + at;
        if place >= self.values.len() { place - self.values.len() } else { place }
    }

    /// Returns a value by its age; 0 is the oldest.
    pub(super) fn get(&self, at: usize) -> Option<&T> {
        if at < self.values.len() { self.values.get(self.place(at)) } else { None }
    }

    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        let place = self.place(at);
        if at < self.values.len() { self.values.get_mut(place) } else { None }
    }

    /// Lists all from one on, by age.
    pub(super) fn from(&self, at: usize) -> impl Iterator<Item = &T> {
        (at..self.values.len()).filter_map(|at| self.get(at))
    }
}

/// The latest values of publishes, whose ids rise: found by their place, not by a search.
#[derive(Debug, Clone)]
pub(super) struct LatestById<T> {
    ring: Ring<T>,
    /// The id of the next one.
    next: u64,
}

impl<T: Default> LatestById<T> {
    pub(super) fn new(max: usize) -> Self {
        Self { ring: Ring::new(max), next: 0 }
    }

    fn age_of(&self, id: u64) -> Option<usize> {
        let first = self.next - self.ring.len() as u64;
        usize::try_from(id.checked_sub(first)?).ok()
    }

    pub(super) fn get(&self, id: u64) -> Option<&T> {
        self.ring.get(self.age_of(id)?)
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut T> {
        let at = self.age_of(id)?;
        self.ring.get_mut(at)
    }

    /// Puts the value of an id in its place, nearly always behind the last one; `let_go` is given what goes for it.
    pub(super) fn put(&mut self, id: u64, value: T, mut let_go: impl FnMut(T)) {
        if id < self.next {
            // One that came late: others were ahead of it.
            if let Some(place) = self.get_mut(id) {
                let_go(std::mem::replace(place, value));
            }
            return;
        }
        let missing = usize::try_from(id - self.next).unwrap_or(usize::MAX);
        for _ in 0..if self.ring.len() == 0 { 0 } else { missing.min(self.ring.max) } {
            self.ring.push(T::default()).into_iter().for_each(&mut let_go);
        }
        self.ring.push(value).into_iter().for_each(let_go);
        self.next = id + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_kept_in_their_order() {
        let mut ring = Ring::new(100);
        let gone: Vec<u32> = (0..250).filter_map(|n| ring.push(n)).collect();
        assert_eq!(gone, (0..150).collect::<Vec<_>>());
        assert!(ring.from(0).copied().eq(150..250) && ring.from(98).copied().eq(248..250));
        assert_eq!((ring.get(0), ring.get(99), ring.get(100)), (Some(&150), Some(&249), None));
        assert_eq!((ring.values.capacity(), Ring::<u32>::new(3).get(0)), (100, None));
    }

    #[test]
    fn values_are_found_by_their_ids_though_some_are_ahead_of_others() {
        let mut latest = LatestById::new(4);
        let mut gone = Vec::new();
        let mut put = |id: u64, latest: &mut LatestById<u64>| latest.put(id, id, |value| gone.push(value));
        for id in [1_000, 1_002, 1_001, 1_003] {
            put(id, &mut latest);
        }
        assert_eq!([999, 1_000, 1_001, 1_002, 1_003, 1_004].map(|id| latest.get(id).copied()), {
            [None, Some(1_000), Some(1_001), Some(1_002), Some(1_003), None]
        });
        put(1_009, &mut latest);
        put(1_005, &mut latest);
        put(1_007, &mut latest);
        assert_eq!([1_003, 1_006, 1_007, 1_008, 1_009].map(|id| latest.get(id).copied()), {
            [None, Some(0), Some(1_007), Some(0), Some(1_009)]
        });
        put(u64::MAX - 1, &mut latest);
        assert_eq!(
            (latest.get(1_009), latest.get(u64::MAX - 1), latest.get(u64::MAX)),
            (None, Some(&(u64::MAX - 1)), None)
        );
        assert!([1_000, 1_001, 1_002, 1_003].iter().all(|id| gone.contains(id)), "{gone:?}");
    }
}
