//! What consumers had in hand when they let go of their channels: the broker's again at once, or once it has missed a
//! connection that the network lost.

use crate::broker::ConnectionId;
use crate::player::context::given_back::GivenBack;
use crate::player::context::shared::Context;
use crate::player::message::anonymous_messages::Fate;

impl Context {
    /// Notes that the broker has deliveries back, or will have them when it misses the connection that is being lost.
    pub fn given_back(&mut self, given: GivenBack) {
        match self.drifting.and_then(|connection| self.adrift.get_mut(&connection)) {
            Some(held) => held.push(given),
            None => self.come_back(&given),
        }
    }

    /// The broker has ended a connection: what it held of a lost one is in its queues again.
    pub fn taken_back(&mut self, connection: ConnectionId) {
        let held = self.adrift.remove(&connection).unwrap_or_default();
        held.iter().for_each(|given| self.come_back(given));
    }

    fn come_back(&mut self, given: &GivenBack) {
        self.ledger.released(given.consumer, given.count);
        let queue = &self.ledger.consumers[given.consumer].queue;
        given.alike.iter().for_each(|alike| self.names.ended(queue, *alike, Fate::Returned));
    }
}
