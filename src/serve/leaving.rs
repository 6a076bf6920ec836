//! Clients that leave in the same breath as they settle, by one write: what a settlement brings is still on its way then
//! (CO-3). Says who does; what is kept back for it is the served broker's.

use crate::broker::Command;
use crate::serve::server::{Server, SettledLast};

impl Server {
    pub(super) fn note_settled(&mut self, command: &Command) {
        let Command::Settle { channel, .. } = command else { return };
        let found = self.channels.get(channel);
        self.settled = found.map(|(socket, number)| SettledLast { socket: *socket, number: *number });
    }

    /// Returns whether the client that settled last ends consumer, channel or connection with its next word.
    pub(super) fn leaves_after_settling(&self) -> bool {
        let leaves = |settled: &SettledLast| {
            let connection = self.sockets.get(&settled.socket);
            connection.is_some_and(|connection| connection.inbox.leaves_next(settled.number))
        };
        self.settled.as_ref().is_some_and(leaves)
    }

    /// Lets a client that leaves go on before others have their turn.
    pub(super) fn put_leaving_first(&mut self) {
        let Some(settled) = self.settled.filter(|_| self.leaves_after_settling()) else { return };
        if let Some(at) = self.ready.iter().position(|socket| *socket == settled.socket) {
            self.ready.remove(at);
            self.ready.push_front(settled.socket);
        }
    }
}
