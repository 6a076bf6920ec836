//! One publish step: opens the channel that it lacks, sends its messages in a window and at their times, and awaits the
//! outcome of each. A machine of its own: the driver gives it the step and the context, and ends the step.

use crate::broker::{ChannelId, Method, PublishId, Refusal, Reply, RequestId};
use crate::model::{Millis, Moment, Name, Publish, PublishOutcome, Scope, Step};
use crate::player::context::Context;
use crate::player::context::command_sequence::{Ask, CommandSequence};
use crate::player::context::in_flight::Sender;
use crate::player::message::bad_value::BadValue;
use crate::player::message::compose::compose;
use std::collections::BTreeSet;

/// How many publishes may be unsettled at once.
const WINDOW: usize = 1_000;

/// A publish step under way.
#[derive(Debug, Clone)]
pub(crate) struct PublishStep {
    /// What the step lacks: a connection, a channel.
    opening: CommandSequence,
    channel: ChannelId,
    count: u32,
    every: Millis,
    /// The moment at which the channel was open.
    began: Option<Moment>,
    /// The next message to send, from 1.
    next: u32,
    in_flight: BTreeSet<PublishId>,
    /// The messages sent, where a refusal is expected: those of a failure.
    names: Vec<Name>,
    /// The channel is gone: nothing more is sent.
    broken: bool,
    /// The channel is that of consumers.
    is_shared: bool,
    /// In a transaction outcomes come with its end: instead of them the answer to something else is awaited.
    fence: Option<CommandSequence>,
}

/// How far a publish step came.
#[derive(Debug, Clone)]
pub(crate) enum PublishProgress {
    Waits,
    Acts,
    Ends(Option<Refusal>),
    /// No message can be made.
    Fails(BadValue),
}

impl PublishStep {
    /// Begins a step that has yet to open its channel by these commands; where none are needed, what is due goes out.
    pub fn begin(
        step: &Step,
        publish: &Publish,
        (opening, channel): (Vec<Ask>, ChannelId),
        is_held: bool,
        context: &mut Context,
    ) -> (Self, PublishProgress) {
        let Publish { count, every, .. } = *publish;
        let fence = Ask::Call { channel, method: Method::Qos { prefetch: 0, global: false } };
        let fence = is_held.then(|| CommandSequence::new([fence]));
        let (opening, in_flight) = (CommandSequence::new(opening), BTreeSet::new());
        let mut begun = Self {
            opening,
            channel,
            count,
            every,
            began: None,
            next: 1,
            in_flight,
            names: Vec::new(),
            broken: false,
            is_shared: publish.channel.is_some(),
            fence,
        };
        let progress = begun.go_on(step, publish, context);
        (begun, progress)
    }

    /// Goes on as far as it can at this moment.
    pub fn go_on(&mut self, step: &Step, publish: &Publish, context: &mut Context) -> PublishProgress {
        let asker = context.asker();
        if !self.opening.is_over() {
            let asked = self.opening.ask_next(context, asker);
            return if asked { PublishProgress::Acts } else { PublishProgress::Waits };
        }
        if let Some(refusal) = self.opening.refusal.take() {
            return PublishProgress::Ends(Some(refusal));
        }
        if self.is_over() {
            return PublishProgress::Ends(None);
        }
        let began = *self.began.get_or_insert(context.now());
        let mut sent = false;
        while self.is_open() && self.moment_of_next(began) <= context.now() {
            let composed = match compose(publish, self.next, &mut Scope::new()) {
                Ok(composed) => composed,
                Err(bad) => return PublishProgress::Fails(bad),
            };
            let (owner, by, channel) = (context.owner(), context.who(step), self.channel);
            let sender = Sender { owner, by, consumer: None, vhost: &step.vhost, channel };
            let (publish, name) = context.publish(composed, sender);
            self.in_flight.insert(publish);
            self.names.extend(step.refused.is_some().then_some(name));
            self.next += 1;
            sent = true;
        }
        let is_all_sent = self.next > self.count && !self.broken;
        if let Some(fence) = self.fence.as_mut().filter(|_| is_all_sent) {
            if fence.is_over() {
                self.in_flight.iter().for_each(|publish| context.publish_held(*publish));
                return PublishProgress::Ends(fence.refusal.take());
            }
            sent |= fence.ask_next(context, asker);
        }
        if sent { PublishProgress::Acts } else { PublishProgress::Waits }
    }

    /// Takes the answer to what opens the channel.
    pub fn answered(&mut self, request: RequestId, reply: Result<Reply, Refusal>) {
        match &mut self.fence {
            Some(fence) if self.opening.is_over() => fence.answer(request, reply),
            _ => self.opening.answer(request, reply),
        }
    }

    /// Hears that a channel is gone: before anything was sent over it, nothing will be.
    pub fn channel_closed(&mut self, channel: ChannelId) {
        self.broken |= self.channel == channel && (self.next == 1 || self.is_shared);
    }

    /// Hears how a publish ended; says whether the step ends with it.
    pub fn ended(&mut self, publish: PublishId, outcome: PublishOutcome, refusal: Option<&Refusal>) -> bool {
        if !self.in_flight.remove(&publish) {
            return false;
        }
        let was_broken = self.broken;
        self.broken |= matches!(outcome, PublishOutcome::Refused | PublishOutcome::Lost);
        refusal.is_some() && !was_broken || self.is_over()
    }

    /// Ends the step; gives the messages that it sent, where a refusal is expected.
    pub fn into_names(self) -> Vec<Name> {
        self.names
    }

    /// Returns when the next message is due, unless an outcome is awaited first.
    pub fn wake_at(&self) -> Option<Moment> {
        self.began.filter(|_| self.is_open()).map(|began| self.moment_of_next(began))
    }

    /// Returns whether more went out at once than may be unsettled, and that there is more to send.
    pub fn is_amid_bulk(&self) -> bool {
        self.every == Millis(0) && self.next as usize > WINDOW && self.next <= self.count
    }

    /// Returns whether another message may go out before an outcome comes.
    fn is_open(&self) -> bool {
        !self.broken && self.next <= self.count && (self.fence.is_some() || self.in_flight.len() < WINDOW)
    }

    /// Returns whether all were sent and all have ended.
    fn is_over(&self) -> bool {
        self.in_flight.is_empty() && (self.broken || self.next > self.count)
    }

    fn moment_of_next(&self, began: Moment) -> Moment {
        Moment(began.0 + u64::from(self.next - 1) * self.every.0)
    }
}
