//! Where messages of a text went before from exchanges that choose by its hash: to hash it anew takes longer than to find it.
//! Takes texts and what to do where one is not known; gives destinations. Never hashes as RabbitMQ does.

use crate::model::Name;
use crate::sim::state::arena::{BindingDestination, ExchangeId};
use rustc_hash::FxBuildHasher;
use std::hash::BuildHasher;

/// How many are remembered, at most.
const KNOWN_MAX: usize = 4_096;

/// What is remembered, each at the place that its text has. A copy begins without.
#[derive(Default)]
pub(crate) struct KnownDestinations(Vec<Option<KnownDestination>>);

struct KnownDestination {
    exchange: ExchangeId,
    /// How often the bindings of the exchange had changed.
    changes: u64,
    text: Name,
    destination: BindingDestination,
}

impl Clone for KnownDestinations {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl KnownDestinations {
    /// Returns where a text leads from an exchange whose bindings have changed so often; finds it where that is not known.
    #[inline]
    pub(crate) fn of(
        &mut self,
        (exchange, changes): (ExchangeId, u64),
        text: &str,
        find: impl FnOnce() -> Option<BindingDestination>,
    ) -> Option<BindingDestination> {
        if self.0.is_empty() {
            self.0.resize_with(KNOWN_MAX, || None);
        }
        let place = &mut self.0[FxBuildHasher.hash_one(text) as usize % KNOWN_MAX];
        if let Some(known) = place
            && (known.exchange, known.changes) == (exchange, changes)
            && known.text == text
        {
            return Some(known.destination);
        }
        let destination = find()?;
        *place = Some(KnownDestination { exchange, changes, text: text.into(), destination });
        Some(destination)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::state::arena::{Index, QueueId};

    #[test]
    fn a_destination_is_found_once_for_each_state_of_an_exchange() {
        let mut known = KnownDestinations::default();
        let [one, other] = [0, 1].map(|n| BindingDestination::Queue(QueueId::nth(n)));
        let (exchange, second) = (ExchangeId::nth(0), ExchangeId::nth(1));
        assert_eq!(known.of((exchange, 1), "key", || None), None);
        assert_eq!(known.of((exchange, 1), "key", || Some(one)), Some(one));
        assert_eq!(known.of((exchange, 1), "key", || panic!("it is known")), Some(one));
        assert_eq!(known.of((exchange, 2), "key", || Some(other)), Some(other), "its bindings changed");
        assert_eq!(known.of((second, 2), "key", || Some(one)), Some(one), "it is another exchange");
        let texts: Vec<String> = (0..3 * KNOWN_MAX).map(|n| n.to_string()).collect();
        for (n, text) in texts.iter().enumerate().chain(texts.iter().enumerate()) {
            let its = BindingDestination::Queue(QueueId::nth(n as u32));
            assert_eq!(known.of((exchange, 2), text, || Some(its)), Some(its), "many meet at each place");
        }
    }
}
