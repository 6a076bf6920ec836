//! Thinks of sequences: random objects, then random operations, each tried on the sim first so that it means
//! something there (a settlement names a delivery that is held). One seed and profile give one sequence, for ever.

use super::chance::Chance;
use super::known::Known;
use super::rehearsal::{MARGIN, Rehearsal, Unfit, steady};
use super::sequence::{Op, Sequence};
use super::words;
use rmqplay::model::{Millis, Profile};

/// What the generator has thought of so far.
pub struct Generator {
    pub chance: Chance,
    pub profile: Profile,
    /// Some message or queue has a TTL, so time is planned.
    pub timed: bool,
    pub rehearsal: Rehearsal,
    ops: Vec<Op>,
    pub queues: Vec<words::QueueMade>,
    /// Name and kind.
    pub exchanges: Vec<(String, String)>,
    /// The words after `bind`.
    pub bindings: Vec<String>,
    pub policies: Vec<String>,
    /// Channel, consumer, and its habit.
    pub consumers: Vec<(String, String, usize)>,
    pub published: usize,
    pub named: usize,
    pub has_alice: bool,
    pub has_other: bool,
    /// What accepted differences leave out.
    pub without_quorum_leases: bool,
    pub without_free_prefetch: bool,
}

/// Returns whether time matters in the sequence of a seed: those wait mostly, and need prompt answers.
pub fn is_timed(seed: u64) -> bool {
    Chance::new(seed ^ 0x71).percent(35)
}

/// Makes the sequence of a seed, or says why it cannot be compared.
pub fn sequence(seed: u64, profile: Profile, known: &Known) -> Result<Sequence, Unfit> {
    let timed = is_timed(seed);
    let mut chance = Chance::new(seed);
    let length = 15 + chance.below(13);
    let mut generator = Generator {
        chance,
        profile,
        timed,
        rehearsal: Rehearsal::new(profile, timed),
        ops: Vec::new(),
        queues: Vec::new(),
        exchanges: Vec::new(),
        bindings: Vec::new(),
        policies: Vec::new(),
        consumers: Vec::new(),
        published: 0,
        named: 0,
        has_alice: false,
        has_other: false,
        without_quorum_leases: known.accepts("EXP-3/tick"),
        without_free_prefetch: known.accepts("CO-2/prefetch-without-acks"),
    };
    generator.declare_all(known)?;
    for _ in 0..length {
        generator.operate(known)?;
    }
    let operations = generator.ops.len();
    generator.close_all(known)?;
    let closing = generator.ops.len() - operations;
    let ops = generator.ops;
    steady(profile, &ops, known)?;
    Ok(Sequence { seed, profile, ops, closing })
}

impl Generator {
    fn play(&mut self, text: String, known: &Known) -> Result<(), Unfit> {
        let mut not_before = self.rehearsal.now();
        // Now and then time passes until something happens by itself.
        if self.timed && self.chance.percent(22) {
            not_before = self.rehearsal.next_timer().map_or(not_before, |timer| timer + MARGIN + Millis(5));
        }
        let op = self.rehearsal.play(text, not_before, known)?;
        self.ops.push(op);
        Ok(())
    }

    fn declare_all(&mut self, known: &Known) -> Result<(), Unfit> {
        for n in 0..1 + self.chance.below(3) {
            let text = self.new_exchange(n + 1);
            self.play(text, known)?;
        }
        for n in 0..2 + self.chance.below(3) {
            let text = self.new_queue(n + 1);
            self.play(text, known)?;
        }
        for _ in 0..1 + self.chance.below(4) {
            let text = self.new_binding();
            self.play(text, known)?;
        }
        if self.chance.percent(25) {
            let text = self.new_policy();
            self.play(text, known)?;
        }
        for _ in 0..self.chance.below(3) {
            for text in self.new_consumer() {
                self.play(text, known)?;
            }
        }
        Ok(())
    }

    fn operate(&mut self, known: &Known) -> Result<(), Unfit> {
        for text in self.next_operation() {
            self.play(text, known)?;
        }
        Ok(())
    }

    /// Returns back what is held, then takes all contents.
    fn close_all(&mut self, known: &Known) -> Result<(), Unfit> {
        let channels: Vec<String> = self.rehearsal.player.held.channels.keys().cloned().collect();
        for channel in channels.iter().filter(|channel| *channel != "probe") {
            let held = &self.rehearsal.player.held;
            let busy = held.unsettled.get(channel).is_some_and(|all| !all.is_empty())
                || held.consumers.keys().any(|(on, _)| on == channel);
            if busy {
                self.play(format!("close {channel}"), known)?;
            }
        }
        let queues: Vec<String> = self.rehearsal.player.held.queues.iter().cloned().collect();
        for queue in queues {
            self.play(format!("drain {queue}"), known)?;
        }
        Ok(())
    }
}
