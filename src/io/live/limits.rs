//! The limits of the live adapter, each with its unit and the reason for its size.
//! Plain data.

use std::time::Duration;

/// Holds the limits of one run on a live broker.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveLimits {
    /// The longest wait for one answer, and for any progress of a channel's confirms.
    pub answer: Duration,
    /// Publishes under way on one channel: lapin's own queues have no end.
    pub window: usize,
    /// Commands waiting in the adapter before the client is not asked for more.
    pub backlog_max: usize,
    /// Deliveries that a consumer was sent and the client has not taken: 767 bytes each and more.
    pub buffered_max: usize,
    /// The longest time for which nothing may happen for quiet; how long it is depends on what may still move.
    pub rest: Duration,
    /// How long unrest is borne before "never quiet".
    pub unrest: Duration,
    /// Between two reads of the watched queues by passive declare.
    pub poll: Duration,
    /// Between two reads of the watched queues over HTTP.
    pub totals: Duration,
    /// How long a client may wait for an event that no wake-up bounds.
    pub stuck: Duration,
    /// Bytes of a frame: RabbitMQ's own default. The headers of a message must fit into one.
    pub frame_max: u32,
}

impl LiveLimits {
    /// Returns the limits of a scenario that stops nodes: RabbitMQ 4.3 tries for 64 s to reach a classic queue on a node
    /// that died, before it refuses.
    pub fn beside_dead_nodes() -> Self {
        let answer = Duration::from_secs(100);
        Self { answer, stuck: answer + Duration::from_secs(20), ..Self::default() }
    }
}

impl Default for LiveLimits {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(15),
            window: 1_000,
            backlog_max: 2_000,
            buffered_max: 100_000,
            rest: Duration::from_millis(150),
            unrest: Duration::from_secs(2),
            poll: Duration::from_millis(40),
            totals: Duration::from_millis(200),
            stuck: Duration::from_secs(60),
            frame_max: 131_072,
        }
    }
}
