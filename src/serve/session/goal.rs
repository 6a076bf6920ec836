//! What an advance of the clock waits for: so many messages in a queue, or a certain one.

use crate::broker::{Explanation, What};
use crate::model::{Message, Name, Property, QueueName};
use crate::serve::session::KnownMessages;
use crate::sim::Sim;

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
    /// How many of those that are wanted came since.
    came: u64,
    met: bool,
}

impl AdvanceGoal {
    /// Makes one, and counts what is there already.
    pub(crate) fn new(queue: QueueName, count: u64, wanted: WantedMessages, sim: &Sim, known: &KnownMessages) -> Self {
        let came = match &wanted {
            WantedMessages::Any => 0,
            wanted => {
                let held = sim.messages_of(&queue);
                held.iter().filter(|message| wanted.fit(message, &known.of_content(message))).count() as u64
            }
        };
        Self { queue, count, met: came >= count && wanted != WantedMessages::Any, wanted, came }
    }

    /// Returns whether it is met by now; once met it stays so.
    pub(crate) fn is_met(&mut self, sim: &Sim) -> bool {
        if !self.met && self.wanted == WantedMessages::Any {
            let held = sim.queue_view(&self.queue).map_or(0, |queue| queue.ready + queue.unacked);
            self.met = held >= self.count;
        }
        self.met
    }

    /// Takes note of what came to a queue: a consumer may take it before anyone looks.
    pub(crate) fn note(&mut self, insight: &Explanation, known: &KnownMessages) {
        let is_here = insight.queue.as_ref() == Some(&self.queue) && matches!(insight.what, What::Enqueued { .. });
        if !is_here || self.wanted == WantedMessages::Any {
            return;
        }
        let Some(origin) = insight.origin else { return };
        let (Some(name), Some(message)) = (known.of_publish(origin), known.content_of(origin)) else { return };
        if self.wanted.fit(&message, name) {
            self.came += 1;
            self.met |= self.came >= self.count;
        }
    }
}

impl WantedMessages {
    fn fit(&self, message: &Message, known_as: &Name) -> bool {
        match self {
            WantedMessages::Any => true,
            WantedMessages::Named(name) => {
                known_as == name || known_as.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('#'))
            }
            WantedMessages::With(properties) => properties.iter().all(|(property, wanted)| {
                let number = message.properties.number(*property).map(|number| number.to_string());
                let text = message.properties.text(*property).map(ToString::to_string);
                text.or(number).as_ref() == Some(wanted)
            }),
        }
    }
}
