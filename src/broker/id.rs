//! Ids that the client hands out: plain counters, never random.

/// Names a connection of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u32);

/// Names a channel; unique over all connections of a run, never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub u32);

/// Names a command that is answered by exactly one [`Event::Reply`](crate::broker::Event::Reply).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// Names one publish of the run, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublishId(pub u64);

/// AMQP's delivery tag: per channel, from 1. 0 with `multiple` means all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryTag(pub u64);

/// Hands out ids of all kinds in rising order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct Ids {
    connections: u32,
    channels: u32,
    requests: u64,
    publishes: u64,
}

/// The first connection and channel of outside clients; what plays by itself stays below.
const FIRST_OUTSIDE: u32 = 1 << 30;

/// The first request and publish of outside clients.
const FIRST_OUTSIDE_LONG: u64 = 1 << 60;

impl Ids {
    /// Begins where the ids of outside clients of a served broker lie, beyond those of a player beside them.
    pub fn of_outside() -> Self {
        Self {
            connections: FIRST_OUTSIDE,
            channels: FIRST_OUTSIDE,
            requests: FIRST_OUTSIDE_LONG,
            publishes: FIRST_OUTSIDE_LONG,
        }
    }

    /// Returns whether a connection is an outside client's.
    pub fn is_outside_connection(id: ConnectionId) -> bool {
        id.0 > FIRST_OUTSIDE
    }

    /// Returns whether a channel is an outside client's.
    pub fn is_outside_channel(id: ChannelId) -> bool {
        id.0 > FIRST_OUTSIDE
    }

    /// Returns whether a request is an outside client's.
    pub fn is_outside_request(id: RequestId) -> bool {
        id.0 > FIRST_OUTSIDE_LONG
    }

    /// Returns whether a publish is an outside client's.
    pub fn is_outside_publish(id: PublishId) -> bool {
        id.0 > FIRST_OUTSIDE_LONG
    }

    /// Returns the next connection.
    pub fn connection(&mut self) -> ConnectionId {
        self.connections += 1;
        ConnectionId(self.connections)
    }

    /// Returns the next channel.
    pub fn channel(&mut self) -> ChannelId {
        self.channels += 1;
        ChannelId(self.channels)
    }

    /// Returns the next request.
    pub fn request(&mut self) -> RequestId {
        self.requests += 1;
        RequestId(self.requests)
    }

    /// Returns the next publish.
    pub fn publish(&mut self) -> PublishId {
        self.publishes += 1;
        PublishId(self.publishes)
    }
}
