//! What an advance of the clock waits for: so many messages in a queue, or a certain one.

use crate::broker::{Explanation, PublishId, What};
use crate::model::{Message, Name, Property, QueueName};
use crate::serve::session::{KnownMessages, MessageName};
use crate::sim::Sim;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Which messages count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WantedMessages {
    Any,
    /// By its id, or as `m` and its number.
    Named(Name),
    /// By properties.
    With(Vec<(Property, String)>),
}

/// What an advance waits for.
#[derive(Debug, Clone)]
pub(crate) struct AdvanceGoal {
    pub queue: QueueName,
    pub count: u64,
    pub wanted: WantedMessages,
    /// The publishes of those that are wanted, wherever they are.
    fitting: BTreeSet<PublishId>,
    /// How many of them came since.
    came: u64,
    met: bool,
}

impl AdvanceGoal {
    /// Makes one, and counts what is there already.
    pub(crate) fn new(queue: QueueName, count: u64, wanted: WantedMessages, sim: &Sim, known: &KnownMessages) -> Self {
        let mut goal = Self { queue, count, wanted, fitting: BTreeSet::new(), came: 0, met: false };
        if goal.wanted != WantedMessages::Any {
            let held = sim.held_messages().into_iter();
            let fits = |(publish, message): &(PublishId, Arc<Message>)| {
                goal.wanted.fit(message, &known.of_held(*publish, message))
            };
            goal.fitting = held.filter(fits).map(|(publish, _)| publish).collect();
            let here = sim.messages_of(&goal.queue);
            goal.came = here.iter().filter(|(publish, _)| goal.fitting.contains(publish)).count() as u64;
            goal.met = goal.came >= goal.count;
        }
        goal
    }

    /// Returns whether it is met by now; once met it stays so.
    pub(crate) fn is_met(&mut self, sim: &Sim) -> bool {
        if !self.met && self.wanted == WantedMessages::Any {
            let held = sim.queue_view(&self.queue).map_or(0, |queue| queue.ready + queue.unacked);
            self.met = held >= self.count;
        }
        self.met
    }

    /// Takes note of what is published: it may be wanted.
    pub(crate) fn published(&mut self, publish: PublishId, name: &MessageName, message: &Message) {
        if self.wanted != WantedMessages::Any && self.wanted.fit(message, name) {
            self.fitting.insert(publish);
        }
    }

    /// Takes note of what came to a queue: a consumer may take it before anyone looks.
    pub(crate) fn note(&mut self, insight: &Explanation) {
        let is_here = insight.queue.as_ref() == Some(&self.queue) && matches!(insight.what, What::Enqueued { .. });
        if is_here && insight.origin.is_some_and(|origin| self.fitting.contains(&origin)) {
            self.came += 1;
            self.met |= self.came >= self.count;
        }
    }
}

impl WantedMessages {
    fn fit(&self, message: &Message, known_as: &MessageName) -> bool {
        match self {
            WantedMessages::Any => true,
            WantedMessages::Named(name) => known_as.is(name),
            WantedMessages::With(properties) => properties.iter().all(|(property, wanted)| {
                let number = message.properties.number(*property).map(|number| number.to_string());
                let text = message.properties.text(*property).map(ToString::to_string);
                text.or(number).as_ref() == Some(wanted)
            }),
        }
    }
}
