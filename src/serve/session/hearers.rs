//! Who hears what a session is told by: the journal, and what records it to be written as a scenario.
//! Passes on by reference what happens with every message; nothing is copied for a hearer that is not there.

use crate::broker::{ChannelId, Delivery, Settlement};
use crate::model::{Moment, Name, PublishOutcome, QueueName};
use crate::serve::session::event::{PublishSeen, SessionEvent, Subscription};
use crate::serve::session::goal::AdvanceGoal;
use crate::serve::session::journal::Journal;
use crate::serve::session::known_messages::MessageName;
use crate::serve::session::recording::Recording;
use std::sync::Arc;

/// Those who hear what happens at a moment.
pub(crate) struct Hearers<'a> {
    pub moment: Moment,
    pub journal: Option<&'a mut Journal>,
    pub recording: Option<&'a mut Recording>,
    pub goal: Option<&'a mut AdvanceGoal>,
}

impl Hearers<'_> {
    /// Returns the place of an exchange among those that are counted.
    pub(super) fn count_exchange(&mut self, exchange: &Name) -> usize {
        self.journal.as_mut().map_or(0, |journal| journal.tally.exchange(exchange))
    }

    /// Returns the place of a queue among those that are counted.
    pub(super) fn count_queue(&mut self, queue: &QueueName) -> usize {
        self.journal.as_mut().map_or(0, |journal| journal.tally.queue(queue))
    }

    pub(super) fn published(&mut self, seen: PublishSeen<'_>) {
        if let Some(goal) = &mut self.goal {
            goal.published(seen.publish, &seen.name, seen.message);
        }
        if let Some(recording) = &mut self.recording {
            let published = SessionEvent::Published {
                channel: seen.channel,
                place: seen.place.clone(),
                message: seen.name.clone(),
                mandatory: seen.mandatory,
                content: seen.message.clone(),
            };
            recording.note(self.moment, published);
        }
        if let Some(journal) = &mut self.journal {
            journal.published(self.moment, seen.publish, seen.name, seen.place);
        }
    }

    pub(super) fn ended(&mut self, message: &MessageName, outcome: PublishOutcome) {
        if let Some(journal) = &mut self.journal {
            journal.ended(self.moment, message, outcome);
        }
    }

    pub(super) fn delivered(
        &mut self,
        channel: ChannelId,
        subscription: &Arc<Subscription>,
        message: &MessageName,
        delivery: &Delivery,
    ) {
        if let Some(recording) = &mut self.recording {
            let (subscription, message) = (subscription.clone(), message.clone());
            recording.note(self.moment, SessionEvent::Delivered { channel, subscription, message });
        }
        if let Some(journal) = &mut self.journal {
            journal.delivered(self.moment, subscription, message, delivery);
        }
    }

    pub(super) fn settled(
        &mut self,
        channel: ChannelId,
        subscription: Arc<Subscription>,
        message: MessageName,
        settlement: Settlement,
    ) {
        if let Some(recording) = &mut self.recording {
            let (subscription, message) = (subscription.clone(), message.clone());
            recording.note(self.moment, SessionEvent::Settled { channel, subscription, message, settlement });
        }
        if let Some(journal) = &mut self.journal {
            journal.settled(self.moment, subscription, message, settlement);
        }
    }

    /// Tells what happens seldom.
    pub(super) fn note(&mut self, event: SessionEvent) {
        if let Some(journal) = &mut self.journal {
            journal.note(self.moment, &event);
        }
        if let Some(recording) = &mut self.recording {
            recording.note(self.moment, event);
        }
    }
}
