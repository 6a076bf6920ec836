//! What may still move on a broker since it was last quiet, by what its client asked and heard.
//! Takes commands, events and the time since the run began; returns how far messages may be on their way, and how slowly the
//! broker confirms. Never asks anything. What it was told of is never forgotten: a policy that was cleared may have acted.

use crate::broker::{ChannelId, Command, Counts, Event, Management, Method, PublishId};
use crate::model::{Millis, Policy, Queue, QueueKind, QueueName};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How many publishes are timed at once.
const TIMED_MAX: usize = 32;

/// How messages may be on their way, from what takes no time to what takes longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OnTheWay {
    /// Nothing: whatever was done was over when it was last quiet, and no time to live can have ended since.
    Nothing,
    /// From classic queues that dead-letter nowhere to their consumers.
    ToConsumers,
    /// From one classic queue to another; or the broker still learns what was ended, or what it was set to.
    BetweenQueues,
    /// Through the log of a quorum queue or a stream, or in queues that others use too.
    ThroughLogs,
    /// To targets that must confirm them, through the worker of an at-least-once queue (DL-30).
    ToConfirmingTargets,
}

impl OnTheWay {
    /// Returns for how long nothing may happen before it counts as quiet, on a broker that answers at once.
    pub fn rest(self) -> Millis {
        Millis(match self {
            OnTheWay::Nothing => 0,
            OnTheWay::ToConsumers => 15,
            // A hop takes half a millisecond mostly.
            OnTheWay::BetweenQueues => 50,
            // A dead letter takes two commits, 7 ms mostly and 60 ms at worst.
            OnTheWay::ThroughLogs => 80,
            OnTheWay::ToConfirmingTargets => 150,
        })
    }
}

/// Follows what a client does, and what that may set in motion.
#[derive(Debug, Clone)]
pub struct MotionTracker {
    /// What its queues can do with messages on their own.
    reach: OnTheWay,
    /// The shortest time after which something happens by itself to a message.
    shortest_timer: Option<Duration>,
    /// When the first message was published that a timer may be about.
    first_publish: Option<Duration>,
    /// What was done since it was last quiet.
    stirred: Stirred,
    counts: BTreeMap<QueueName, Option<Counts>>,
    sent: BTreeMap<PublishId, Duration>,
    slowest_confirm: Duration,
    /// Channels whose publishes may wait for a commit, so that their confirms tell nothing of the broker.
    plain: BTreeSet<ChannelId>,
}

/// What was done since it was last quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stirred {
    Nothing,
    /// Messages were published, taken or settled.
    Messages,
    /// A channel or a connection ended, or the management API changed something: the broker learns of it by itself.
    Behind,
}

impl MotionTracker {
    /// Makes one of a broker on which nothing was done yet; `shared`: others use its queues, too.
    pub fn new(shared: bool) -> Self {
        Self {
            reach: if shared { OnTheWay::ThroughLogs } else { OnTheWay::ToConsumers },
            shortest_timer: shared.then_some(Duration::ZERO),
            first_publish: shared.then_some(Duration::ZERO),
            stirred: Stirred::Messages,
            counts: BTreeMap::new(),
            sent: BTreeMap::new(),
            slowest_confirm: Duration::ZERO,
            plain: BTreeSet::new(),
        }
    }

    /// Makes one of a broker that holds queues under policies.
    pub fn of<'a>(queues: impl IntoIterator<Item = &'a Queue>, policies: impl IntoIterator<Item = &'a Policy>) -> Self {
        let mut tracker = Self::new(false);
        queues.into_iter().for_each(|queue| tracker.learn_queue(queue));
        policies.into_iter().for_each(|policy| tracker.learn_policy(policy));
        tracker
    }

    /// Begins anew for the next client: what there is stays, nothing is known of what moves.
    pub fn restart(&mut self) {
        self.stirred = Stirred::Messages;
        self.first_publish = self.first_publish.map(|_| Duration::ZERO);
        self.counts.clear();
        self.sent.clear();
        self.plain.clear();
    }

    /// Takes note of a command that goes out.
    pub fn asked(&mut self, now: Duration, command: &Command) {
        self.learn(command);
        let stirred = match command {
            Command::Publish { channel, publish, message, .. } => {
                self.first_publish.get_or_insert(now);
                if let Some(expiration) = &message.properties.expiration {
                    self.timer(expiration.parse().unwrap_or(0));
                }
                if self.sent.len() < TIMED_MAX && !self.plain.contains(channel) {
                    self.sent.insert(*publish, now);
                }
                Stirred::Messages
            }
            Command::Settle { .. } => Stirred::Messages,
            Command::Call { method: Method::CheckQueue { .. } | Method::CheckExchange { .. }, .. } => return,
            Command::Call { method: Method::DeleteQueue { .. } | Method::DeleteExchange { .. }, .. } => Stirred::Behind,
            Command::Call { .. } => Stirred::Messages,
            Command::Manage { act: Management::DescribeQueue { .. }, .. } => return,
            Command::Manage { .. }
            | Command::CloseChannel { .. }
            | Command::Disconnect { .. }
            | Command::Cut { .. }
            | Command::Isolate { .. } => Stirred::Behind,
            Command::OpenChannel { channel, confirms, .. } => {
                if !confirms {
                    self.plain.insert(*channel);
                }
                return;
            }
            Command::Connect { .. } | Command::Watch { .. } | Command::Unwatch { .. } | Command::AwaitQuiet { .. } => {
                return;
            }
        };
        self.stirred = self.stirred.max(stirred);
    }

    /// Takes note of what the broker said; returns whether it is news: counts that are told for the first time, or again, are none.
    pub fn heard(&mut self, now: Duration, event: &Event) -> bool {
        let stirred = match event {
            Event::Reply { .. } => return true,
            Event::Told(_) => return false,
            Event::Counted { queue, counts } => {
                let before = self.counts.insert(queue.clone(), *counts);
                if before.is_none_or(|before| before == *counts) {
                    return false;
                }
                Stirred::Messages
            }
            Event::Confirmed { publish, .. } => {
                if let Some(sent) = self.sent.remove(publish) {
                    let took = now.saturating_sub(sent);
                    self.slowest_confirm = took.max(self.slowest_confirm * 3 / 4);
                }
                Stirred::Messages
            }
            Event::Delivered { .. } | Event::Returned { .. } => Stirred::Messages,
            Event::ChannelClosed { .. } | Event::ConnectionClosed { .. } | Event::Cancelled { .. } => Stirred::Behind,
        };
        self.stirred = self.stirred.max(stirred);
        true
    }

    /// Takes note that it was quiet.
    pub fn was_quiet(&mut self) {
        self.stirred = Stirred::Nothing;
    }

    /// Returns how messages may be on their way.
    pub fn on_the_way(&self, now: Duration) -> OnTheWay {
        match self.stirred {
            Stirred::Nothing if !self.timers_may_fire(now) => OnTheWay::Nothing,
            Stirred::Behind => self.reach.max(OnTheWay::BetweenQueues),
            Stirred::Nothing | Stirred::Messages => self.reach,
        }
    }

    /// Returns how messages may be on their way at worst, whatever is done.
    pub fn reach(&self) -> OnTheWay {
        self.reach
    }

    /// Returns how long the slowest publish of late waited for its confirm.
    pub fn slowest_confirm(&self) -> Duration {
        self.slowest_confirm
    }

    fn timers_may_fire(&self, now: Duration) -> bool {
        let first = self.first_publish.zip(self.shortest_timer).map(|(first, timer)| first + timer);
        first.is_some_and(|first| now >= first)
    }

    fn timer(&mut self, milliseconds: u64) {
        let timer = Duration::from_millis(milliseconds);
        self.shortest_timer = Some(self.shortest_timer.map_or(timer, |known| known.min(timer)));
    }

    /// Learns what a command makes.
    fn learn(&mut self, command: &Command) {
        match command {
            Command::Call { method: Method::DeclareQueue(queue), .. } => self.learn_queue(queue),
            // Its messages wait for as long as each says.
            Command::Call { method: Method::DeclareExchange(exchange), .. }
                if &*exchange.kind == "x-delayed-message" =>
            {
                self.timer(0);
            }
            // Somebody else's end of it moves what it held.
            Command::Isolate { .. } => {
                self.first_publish.get_or_insert(Duration::ZERO);
                self.timer(0);
            }
            Command::Manage { act, .. } => match act {
                Management::PutPolicy { policy, .. } => self.learn_policy(policy),
                Management::PutVhost(vhost) | Management::ReplaceVhost(vhost)
                    if vhost.default_queue_type.as_deref().is_some_and(|it| it != "classic") =>
                {
                    self.reach = self.reach.max(OnTheWay::ThroughLogs);
                }
                _ => {}
            },
            _ => {}
        }
    }

    fn learn_queue(&mut self, queue: &Queue) {
        if queue.kind() != QueueKind::Classic {
            self.reach = self.reach.max(OnTheWay::ThroughLogs);
        }
        for (name, value) in &queue.arguments {
            let Some(key) = name.strip_prefix("x-") else { continue };
            self.learn_setting(key, value.as_text(), value.as_integer());
        }
    }

    fn learn_policy(&mut self, policy: &Policy) {
        for (key, value) in &policy.definition {
            self.learn_setting(key, value.as_str(), value.as_i64());
        }
    }

    fn learn_setting(&mut self, key: &str, text: Option<&str>, number: Option<i64>) {
        match key {
            "dead-letter-exchange" => self.reach = self.reach.max(OnTheWay::BetweenQueues),
            "dead-letter-strategy" if text == Some("at-least-once") => self.reach = OnTheWay::ToConfirmingTargets,
            "message-ttl" | "delayed-retry-min" | "consumer-timeout" => {
                self.timer(number.and_then(|number| u64::try_from(number).ok()).unwrap_or(0));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::{ChannelId, Confirmation, ConnectionId, DeliveryTag, RequestId, Settlement};
    use crate::model::{Message, Properties, Value};
    use std::sync::Arc;

    const CHANNEL: ChannelId = ChannelId(1);

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn queue(arguments: &[(&str, Value)]) -> Command {
        let arguments = arguments.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        let (vhost, name) = ("/".into(), "work".into());
        let queue = Queue { vhost, name, durable: true, auto_delete: false, exclusive: false, arguments };
        Command::Call { request: RequestId(1), channel: CHANNEL, method: Method::DeclareQueue(Box::new(queue)) }
    }

    fn publish(number: u64, expiration: Option<&str>) -> Command {
        let properties = Properties { expiration: expiration.map(Into::into), ..Properties::default() };
        let message = Arc::new(Message { properties, ..Message::default() });
        let (exchange, routing_key) = ("".into(), "work".into());
        let publish = PublishId(number);
        Command::Publish { channel: CHANNEL, publish, exchange, routing_key, mandatory: false, message }
    }

    fn settle() -> Command {
        Command::Settle { channel: CHANNEL, tag: DeliveryTag(1), multiple: false, settlement: Settlement::Ack }
    }

    /// A broker with one queue that was quiet at 0.
    fn quiet(arguments: &[(&str, Value)]) -> MotionTracker {
        let mut tracker = MotionTracker::new(false);
        tracker.asked(at(0), &queue(arguments));
        tracker.was_quiet();
        tracker
    }

    #[test]
    fn what_was_done_since_quiet_moves_as_far_as_the_queues_let_it() {
        let reached = |arguments: &[(&str, Value)]| {
            let mut tracker = quiet(arguments);
            assert_eq!(tracker.on_the_way(at(1)), OnTheWay::Nothing);
            tracker.asked(at(1), &settle());
            let reached = tracker.on_the_way(at(1));
            tracker.was_quiet();
            assert_eq!(tracker.on_the_way(at(2)), OnTheWay::Nothing);
            reached
        };
        let (exchange, strategy) = ("x-dead-letter-exchange", "x-dead-letter-strategy");
        assert_eq!(reached(&[]), OnTheWay::ToConsumers);
        assert_eq!(reached(&[(exchange, "dlx".into())]), OnTheWay::BetweenQueues);
        assert_eq!(reached(&[("x-queue-type", "quorum".into())]), OnTheWay::ThroughLogs);
        let both = [(exchange, "dlx".into()), (strategy, "at-least-once".into())];
        assert_eq!(reached(&both), OnTheWay::ToConfirmingTargets);
    }

    #[test]
    fn ends_and_settings_take_the_broker_longer_than_messages() {
        let mut tracker = quiet(&[]);
        tracker.asked(at(1), &Command::Disconnect { request: RequestId(2), connection: ConnectionId(1) });
        assert_eq!(tracker.on_the_way(at(1)), OnTheWay::BetweenQueues);
        tracker.was_quiet();
        tracker.asked(
            at(2),
            &Command::OpenChannel {
                request: RequestId(3),
                channel: CHANNEL,
                connection: ConnectionId(1),
                confirms: true,
            },
        );
        assert_eq!(tracker.on_the_way(at(2)), OnTheWay::Nothing);
    }

    #[test]
    fn a_time_to_live_moves_nothing_before_it_can_have_ended() {
        let mut tracker = quiet(&[("x-message-ttl", Value::I64(5_000))]);
        assert_eq!(tracker.on_the_way(at(60_000)), OnTheWay::Nothing, "nothing is there that could expire");
        tracker.asked(at(1_000), &publish(1, None));
        tracker.was_quiet();
        assert_eq!(tracker.on_the_way(at(5_999)), OnTheWay::Nothing);
        assert_eq!(tracker.on_the_way(at(6_000)), OnTheWay::ToConsumers);
        tracker.asked(at(7_000), &publish(2, Some("100")));
        tracker.was_quiet();
        assert_eq!(tracker.on_the_way(at(7_000)), OnTheWay::ToConsumers, "older messages may have one that short");
    }

    #[test]
    fn counts_that_change_are_motion_and_first_ones_are_none() {
        let mut tracker = quiet(&[]);
        let counted =
            |ready| Event::Counted { queue: QueueName::new("/", "work"), counts: Some(Counts { ready, consumers: 0 }) };
        tracker.heard(at(1), &counted(3));
        tracker.heard(at(2), &counted(3));
        assert_eq!(tracker.on_the_way(at(2)), OnTheWay::Nothing);
        tracker.heard(at(3), &counted(4));
        assert_eq!(tracker.on_the_way(at(3)), OnTheWay::ToConsumers);
    }

    #[test]
    fn others_may_move_their_queues_at_any_time() {
        let mut tracker = MotionTracker::new(true);
        tracker.was_quiet();
        assert_eq!(tracker.on_the_way(at(0)), OnTheWay::ThroughLogs);
    }

    #[test]
    fn slow_confirms_are_remembered_for_a_while() {
        let mut tracker = quiet(&[]);
        let mut confirm = |number, took| {
            tracker.asked(at(0), &publish(number, None));
            let event = Event::Confirmed { publish: PublishId(number), confirmation: Confirmation::Ack };
            tracker.heard(at(took), &event);
            tracker.slowest_confirm()
        };
        assert_eq!(confirm(1, 40), at(40));
        assert_eq!(confirm(2, 2), at(30));
        assert_eq!(confirm(3, 50), at(50));
    }
}
