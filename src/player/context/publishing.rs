//! Publishes: on their way out, and how each ends. Names, ledger, timeline and tallies know of both.

use crate::broker::{ChannelId, Command, Confirmation, PublishId, Refusal, code};
use crate::model::{Message, Millis, Name, PublishOutcome};
use crate::player::context::in_flight::{InFlight, Sender};
use crate::player::context::owner::Owner;
use crate::player::context::shared::Context;
use crate::player::message::compose::Composed;
use crate::player::record::outcome::PublishRecord;
use crate::player::record::timeline::TimelineEvent;

impl Context {
    /// Sends a composed message; gives its publish and the message's name.
    pub fn publish(&mut self, composed: Composed, sender: Sender) -> (PublishId, Name) {
        let publish = self.ids.publish();
        let name = self.names.of_publish(publish, &composed, sender.consumer);
        let shares = self.ledger.tallies.shares(&name, &composed);
        let Composed { exchange, routing_key, mandatory, message, .. } = composed;
        let Sender { owner, by, vhost, channel, .. } = sender;
        self.record(TimelineEvent::Published {
            by: by.clone(),
            message: name.clone(),
            exchange: exchange.clone(),
            routing_key: routing_key.clone(),
        });
        let place = self.ledger.published(name.clone(), by.clone());
        self.ledger.reach.published(vhost, &exchange, &routing_key, &message);
        let expiration = self.expiration_of(&message);
        let returned = false;
        let held = false;
        let one =
            InFlight { name: name.clone(), place, by, channel, returned, mandatory, expiration, shares, owner, held };
        self.in_flight.insert(publish, one);
        let mandatory = mandatory || self.counts_unroutable;
        self.outbox.send(Command::Publish { channel, publish, exchange, routing_key, mandatory, message });
        (publish, name)
    }

    /// Returns the time to live that a message itself has, where a step waits for the ends of such and no broker tells them.
    fn expiration_of(&self, message: &Message) -> Option<Millis> {
        let asked = self.waits_until_quiet && self.broker.live;
        message.properties.expiration.as_ref().filter(|_| asked)?.parse().ok().map(Millis)
    }

    /// Notes that no queue took a message.
    pub fn publish_returned(&mut self, publish: PublishId) {
        if let Some(one) = self.in_flight.get_mut(&publish) {
            one.returned = true;
            self.ledger.unroutable += 1;
        }
    }

    /// Ends a publish as the broker answers; gives how, and who waits for its end.
    pub fn publish_answered(
        &mut self,
        publish: PublishId,
        confirmation: Confirmation,
    ) -> Option<(Owner, PublishOutcome)> {
        let outcome = self.outcome_of(publish, confirmation);
        self.publish_ended(publish, outcome, None).map(|owner| (owner, outcome))
    }

    fn outcome_of(&self, publish: PublishId, confirmation: Confirmation) -> PublishOutcome {
        match confirmation {
            Confirmation::Nack => PublishOutcome::Nacked,
            Confirmation::RolledBack => PublishOutcome::RolledBack,
            Confirmation::Ack if self.in_flight.get(&publish).is_some_and(|one| one.returned && one.mandatory) => {
                PublishOutcome::Returned
            }
            Confirmation::Ack => PublishOutcome::Confirmed,
        }
    }

    /// Takes note that a publish waits for the end of its transaction, and nobody for its own.
    pub fn publish_held(&mut self, publish: PublishId) {
        if let Some(one) = self.in_flight.get_mut(&publish) {
            one.held = true;
        }
    }

    /// Returns how a publish ends whose channel is gone: one that waited for a commit is nobody's fault.
    pub fn outcome_of_loss<'c>(&self, publish: PublishId, cause: &'c Refusal) -> (PublishOutcome, Option<&'c Refusal>) {
        match self.in_flight.get(&publish) {
            Some(one) if one.held => (PublishOutcome::Lost, None),
            _ => outcome_of_loss(cause),
        }
    }

    /// Lists the publishes that have not ended on channels that are gone.
    pub fn publishes_on(&self, is_gone: impl Fn(ChannelId) -> bool) -> Vec<PublishId> {
        self.in_flight.iter().filter(|(_, one)| is_gone(one.channel)).map(|(id, _)| *id).collect()
    }

    /// Ends a publish; gives who waits for its end.
    pub fn publish_ended(
        &mut self,
        publish: PublishId,
        outcome: PublishOutcome,
        refusal: Option<&Refusal>,
    ) -> Option<Owner> {
        let InFlight { name, place, by, shares, owner, expiration, returned, .. } = self.in_flight.remove(&publish)?;
        if outcome == PublishOutcome::Confirmed {
            self.ledger.tallies.confirmed(shares);
            if let Some(expiration) = expiration.filter(|_| !returned) {
                self.ledger.expires(name.clone(), self.clock.now() + expiration);
            }
        }
        self.record(TimelineEvent::PublishEnded {
            message: name.clone(),
            outcome,
            refusal: refusal.map(|refusal| Box::new(refusal.clone())),
        });
        self.ledger.publish_ended(place, PublishRecord { message: name, by, outcome });
        Some(owner)
    }
}

/// Returns how publishes end whose channel is gone: a cause with a code refused them.
pub(crate) fn outcome_of_loss(cause: &Refusal) -> (PublishOutcome, Option<&Refusal>) {
    if cause.code != 0 && cause.code != code::CONNECTION_FORCED {
        (PublishOutcome::Refused, Some(cause))
    } else {
        (PublishOutcome::Lost, None)
    }
}
