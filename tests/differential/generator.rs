//! Thinks of sequences: random objects, then random operations, each tried on the sim first so that it means
//! something there (a settlement names a delivery that is held). One seed and version give one sequence, for ever.

use super::chance::Chance;
use super::known::Known;
use super::rehearsal::{MARGIN, Rehearsal, Unfit, steady};
use super::sequence::{Op, Sequence};
use super::streams::{draws_streams, has_single_chunks};
use super::words;
use rmqplay::model::{Millis, Profile};
use rmqplay::rules::{Edition, differences_of};

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
    /// The seed is above the first ones, and draws further words.
    pub wide: bool,
    /// It draws transactions, too.
    pub transacts: bool,
    /// Its exchanges choose by hashes.
    pub hashes: bool,
    /// Some of its queues are streams.
    pub streams: bool,
    /// No dead letters come into its streams: each message is a chunk.
    pub single_chunks: bool,
    /// Names of operator policies.
    pub operators: Vec<String>,
    /// The steps that declared the exchanges.
    pub exchange_texts: Vec<String>,
    /// The number of alice's channel.
    pub alices: usize,
    /// So many queues give their dead letters one to the next.
    pub ring: Option<usize>,
    /// Queues without a type may be quorum queues.
    pub default_type_changed: bool,
    /// What accepted differences leave out.
    pub without_quorum_leases: bool,
    pub without_free_prefetch: bool,
    pub without_ties: bool,
    pub without_channel_limits: bool,
    pub without_bad_default_types: bool,
    pub without_further_types: bool,
}

/// Seeds up to this one draw the words of `operations.rs` alone: what they found, they keep finding. Later ones draw those
/// of `further_words.rs` too.
const FIRST_SEEDS: u64 = 200;

/// The seed from which on every fourth draws transactions, by the words of `transactions.rs`.
pub const TRANSACTIONS_FROM: u64 = 10_000;

fn draws_transactions(seed: u64) -> bool {
    seed >= TRANSACTIONS_FROM && seed.is_multiple_of(4)
}

/// Returns whether the exchanges of a sequence are of plugins that choose by hashes: every fourth seed from there on.
fn draws_hashes(seed: u64) -> bool {
    seed >= TRANSACTIONS_FROM && seed % 4 == 2
}

/// Returns whether time matters in the sequence of a seed: those wait mostly, and need prompt answers.
pub fn is_timed(seed: u64) -> bool {
    Chance::new(seed ^ 0x71).percent(35)
}

/// Makes the sequence of a seed, or says why it cannot be compared with a live broker.
pub fn sequence(seed: u64, edition: impl Into<Edition>, known: &Known) -> Result<Sequence, Unfit> {
    let sequence = thought_of(seed, edition.into(), known)?;
    steady(differences_of(sequence.edition), &sequence.ops, known)?;
    Ok(sequence)
}

/// Makes the sequence of a seed; what a live broker's delays would change in it is not looked at.
pub fn thought_of(seed: u64, edition: Edition, known: &Known) -> Result<Sequence, Unfit> {
    let timed = is_timed(seed);
    let mut chance = Chance::new(seed);
    let length = 15 + chance.below(13);
    let mut generator = Generator {
        chance,
        profile: edition.profile,
        timed,
        rehearsal: Rehearsal::new(differences_of(edition), timed),
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
        wide: seed > FIRST_SEEDS,
        transacts: draws_transactions(seed),
        hashes: draws_hashes(seed),
        streams: draws_streams(seed),
        single_chunks: has_single_chunks(seed),
        operators: Vec::new(),
        exchange_texts: Vec::new(),
        alices: 1,
        ring: None,
        default_type_changed: false,
        without_quorum_leases: known.accepts("EXP-3/tick"),
        without_free_prefetch: known.accepts("CO-2/prefetch-without-acks"),
        without_ties: known.accepts("PO-1/ties"),
        without_channel_limits: known.accepts("ER-13/node-name"),
        without_bad_default_types: known.accepts("MG-2/bad-default-type"),
        without_further_types: known.accepts("RT-17/plugins"),
    };
    generator.declare_all(known)?;
    for _ in 0..length {
        generator.operate(known)?;
    }
    let operations = generator.ops.len();
    generator.close_all(known)?;
    let closing = generator.ops.len() - operations;
    Ok(Sequence { seed, edition, ops: generator.ops, closing })
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
        let queues = 2 + self.chance.below(3);
        if self.wide && self.chance.percent(30) {
            self.ring = Some(queues);
        }
        for n in 0..queues {
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
                || held.transactions.contains_key(channel)
                || held.consumers.keys().any(|(on, _)| on == channel);
            if busy {
                self.play(format!("close {channel}"), known)?;
            }
        }
        let queues: Vec<String> = self.rehearsal.player.held.queues.iter().cloned().collect();
        for queue in queues {
            if self.rehearsal.player.held.streams.contains(&queue) {
                for text in self.read_stream(&queue) {
                    self.play(text, known)?;
                }
            } else {
                self.play(format!("drain {queue}"), known)?;
            }
        }
        Ok(())
    }
}
