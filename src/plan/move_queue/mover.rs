//! The state machine of a move: from what is on the broker to the next act.
//! It remembers only what it needs to count and to end; a new one goes on where another was killed.

use crate::broker::{Method, Refusal, Reply, code};
use crate::model::{Binding, Name, Object, Queue, QueueKind, Value};
use crate::plan::move_queue::act::{MoveAct, MoveStage, MoveStop};
use crate::plan::move_queue::facts::{MoveFacts, QueueStanding};
use crate::plan::move_queue::holding::Holding;
use crate::plan::move_queue::tally::MoveTally;
use crate::plan::move_queue::transfer::{TransferEnd, TransferOrder, TransferOutcome};
use std::collections::BTreeSet;

/// How many acts a move takes at most; nine are usual.
const ACTS_MAX: u32 = 200;
/// How many times it looks again for messages that others hold, before it gives up.
const WAITS_MAX: u32 = 150;
/// How many times it looks again for consumers that a killed move left: the broker notices soon.
const WAITS_FOR_OWN_MAX: u32 = 30;

/// Moves one queue.
#[derive(Debug, Clone)]
pub struct Mover {
    /// As the file declares it.
    desired: Queue,
    holding: Holding,
    /// Consumers are accepted, and that publishes by the default exchange and dead letters are lost while the queue is
    /// replaced.
    while_publishing: bool,
    tally: MoveTally,
    acts: u32,
    waits: u32,
    has_begun: bool,
    has_caught_up: bool,
}

impl Mover {
    /// Prepares to move a queue to what the file declares.
    pub fn new(desired: Queue, while_publishing: bool) -> Self {
        let holding = Holding::of(&desired.id());
        Self {
            desired,
            holding,
            while_publishing,
            tally: MoveTally::default(),
            acts: 0,
            waits: 0,
            has_begun: false,
            has_caught_up: false,
        }
    }

    /// Returns what was counted.
    pub fn tally(&self) -> MoveTally {
        self.tally
    }

    /// Returns the names of what holds the messages.
    pub fn holding(&self) -> &Holding {
        &self.holding
    }

    /// Returns the next act.
    ///
    /// # Errors
    /// What hinders it. All that was done so far stays, and a later move goes on from there.
    pub fn next(&mut self, facts: &MoveFacts) -> Result<MoveAct, MoveStop> {
        self.acts += 1;
        if self.acts > ACTS_MAX + WAITS_MAX {
            return Err(MoveStop::TooManyActs);
        }
        if !std::mem::replace(&mut self.has_begun, true) {
            self.tally.resumed = facts.holding.is_some();
            self.tally.before = facts.counts.ready + facts.holding_counts.ready;
        }
        if facts.holding.as_ref().is_some_and(|queue| !Holding::is_ours(queue)) {
            return Err(MoveStop::ForeignHolding);
        }
        let act = match (facts.standing, &facts.holding) {
            (QueueStanding::Absent, None) => return Err(MoveStop::Nothing),
            (QueueStanding::New, None) => {
                self.tally.after = facts.counts.ready;
                return Ok(MoveAct::Done);
            }
            (QueueStanding::Absent, Some(_)) => {
                self.methods(MoveStage::Replace, [vec![self.declare()], self.holding.ways_back().into()].concat())
            }
            (QueueStanding::Old, _) => self.empty_the_old(facts)?,
            (QueueStanding::New, Some(_)) => self.fill_the_new(facts)?,
        };
        if act != MoveAct::Wait {
            self.waits = 0;
        }
        Ok(act)
    }

    /// Brings the queue's bindings and messages to the holding queue, and replaces it.
    fn empty_the_old(&mut self, facts: &MoveFacts) -> Result<MoveAct, MoveStop> {
        let Some(old) = &facts.queue else { return Err(MoveStop::Nothing) };
        if old.kind() == QueueKind::Stream || self.desired.kind() == QueueKind::Stream {
            return Err(MoveStop::Stream);
        }
        if old.auto_delete {
            return Err(MoveStop::AutoDelete);
        }
        if self.holding.is_too_long() {
            return Err(MoveStop::NameTooLong);
        }
        let count = facts.counts.consumers;
        let has_single_active = old.arguments.get("x-single-active-consumer") == Some(&Value::Bool(true));
        if count > 0 && (has_single_active || !self.while_publishing) {
            // A killed move's own consumer may still be seen.
            let waits_max = if self.tally.resumed { WAITS_FOR_OWN_MAX } else { 0 };
            let stop = if has_single_active { MoveStop::SingleActive { count } } else { MoveStop::Consumers { count } };
            return self.wait(waits_max, stop);
        }
        if facts.holding.is_none() || !facts.leads_out || !facts.bindings.is_empty() {
            let to_hold = facts.to_hold.clone().transpose()?;
            self.tally.both_bound_unknown |= self.tally.resumed && !facts.held_bindings.is_empty();
            return Ok(self.hold(facts, to_hold));
        }
        if facts.counts.ready > 0 {
            return Ok(self.carry(MoveStage::Drain, &old.name, &self.holding.out, None, old.kind()));
        }
        if facts.counts.total > 0 || !facts.counts.is_total_fresh {
            return self.wait(WAITS_MAX, MoveStop::Unacked { count: facts.counts.total });
        }
        // A quorum queue refuses the flag (ER-10): there the look before it must do.
        let if_empty = old.kind() == QueueKind::Classic;
        let delete = Method::DeleteQueue { queue: old.name.clone(), if_unused: false, if_empty };
        let methods = [vec![delete, self.declare()], self.holding.ways_back().into()].concat();
        Ok(self.methods(MoveStage::Replace, methods))
    }

    /// Makes the holding queue with its way in, and has it take over the bindings. What the broker would refuse of the new
    /// queue is found first, by declaring it under a name of its own.
    fn hold(&self, facts: &MoveFacts, to_hold: Option<Queue>) -> MoveAct {
        let mut methods = Vec::new();
        if let Some(queue) = to_hold.filter(|_| facts.holding.is_none()) {
            let probe = Queue { name: self.holding.back.clone(), ..self.desired.clone() };
            let delete = Method::DeleteQueue { queue: probe.name.clone(), if_unused: false, if_empty: false };
            methods.extend([delete.clone(), Method::DeclareQueue(Box::new(probe)), delete]);
            methods.push(Method::DeclareQueue(Box::new(queue)));
        }
        methods.extend(self.holding.ways_out());
        let missing = missing(&facts.bindings, &facts.held_bindings, &self.holding.queue);
        methods.extend(self.hand_over(missing, &facts.bindings));
        MoveAct::Methods { stage: MoveStage::Hold, methods }
    }

    /// Binds one queue and unbinds the other at once; counts the holding queue before and after.
    fn hand_over(&self, bind: Vec<Binding>, unbind: &[Binding]) -> Vec<Method> {
        let count = Method::CheckQueue { queue: self.holding.queue.clone() };
        let mut methods = vec![count.clone()];
        methods.extend(bind.into_iter().map(|binding| Method::Bind(Box::new(binding))));
        methods.extend(unbind.iter().map(|binding| Method::Unbind(Box::new(binding.clone()))));
        methods.push(count);
        methods
    }

    /// Brings messages and bindings back, and takes away what the move made.
    fn fill_the_new(&mut self, facts: &MoveFacts) -> Result<MoveAct, MoveStop> {
        let held = facts.holding.as_ref().map_or(QueueKind::Classic, Queue::kind);
        let back = |this: &Self, enough| {
            this.carry(MoveStage::DrainBack, &this.holding.queue, &this.holding.back, enough, held)
        };
        let ready = facts.holding_counts.ready;
        if !facts.leads_back {
            return Ok(self.methods(MoveStage::DrainBack, self.holding.ways_back().into()));
        }
        if !std::mem::replace(&mut self.has_caught_up, true) && ready > 0 {
            return Ok(back(self, Some(ready)));
        }
        if !facts.held_bindings.is_empty() {
            let missing = missing(&facts.held_bindings, &facts.bindings, &self.desired.name);
            self.tally.both_bound_unknown |= self.tally.resumed && missing.len() < facts.held_bindings.len();
            let methods = self.hand_over(missing, &facts.held_bindings);
            return Ok(MoveAct::Methods { stage: MoveStage::BindBack, methods });
        }
        if ready > 0 {
            return Ok(back(self, None));
        }
        let counts = facts.holding_counts;
        if counts.consumers > 0 || counts.is_total_fresh && counts.total > 0 {
            return self.wait(WAITS_MAX, MoveStop::Unacked { count: counts.total.max(1) });
        }
        let exchange = |exchange: &Name| Method::DeleteExchange { exchange: exchange.clone(), if_unused: false };
        let queue = self.holding.queue.clone();
        let delete = Method::DeleteQueue { queue, if_unused: false, if_empty: held == QueueKind::Classic };
        let methods = vec![exchange(&self.holding.out), exchange(&self.holding.back), delete];
        Ok(self.methods(MoveStage::Clear, methods))
    }

    /// Takes the answers to methods: what came while both queues were bound stands in the holding queue, and in the other.
    pub fn answered(&mut self, stage: MoveStage, replies: &[Reply]) {
        if !matches!(stage, MoveStage::Hold | MoveStage::BindBack) {
            return;
        }
        let mut counts = replies.iter().filter_map(|reply| match reply {
            Reply::Declared { queue, ready, .. } if *queue == self.holding.queue => Some(*ready),
            _ => None,
        });
        let before = counts.next();
        let after = counts.next_back();
        self.tally.while_both_bound += after.zip(before).map_or(0, |(after, before)| after.saturating_sub(before));
    }

    /// Takes what a transfer came to.
    ///
    /// # Errors
    /// Why it ended early.
    pub fn carried(&mut self, stage: MoveStage, outcome: &TransferOutcome) -> Result<(), MoveStop> {
        if stage == MoveStage::Drain {
            self.tally.out += outcome.moved;
        } else {
            self.tally.back += outcome.moved;
        }
        if stage == MoveStage::DrainBack || self.tally.resumed {
            self.tally.in_hand_before += outcome.redelivered;
        }
        match &outcome.end {
            None => Ok(()),
            Some(TransferEnd::Refused(refusal)) => Err(MoveStop::Refused { stage, refusal: refusal.clone() }),
            Some(TransferEnd::Unroutable { text }) => Err(MoveStop::Unroutable { text: text.clone() }),
            Some(TransferEnd::NotTaken) => Err(MoveStop::NotTaken),
            Some(TransferEnd::Stalled { ready }) => Err(MoveStop::Stalled { ready: *ready }),
            Some(TransferEnd::Endless) => Err(MoveStop::Endless { moved: outcome.moved }),
        }
    }

    /// Takes a refusal of a method.
    ///
    /// # Errors
    /// That it ends the move; a queue that was to be deleted and is not empty any more is drained again.
    pub fn refused(&mut self, stage: MoveStage, refusal: Refusal) -> Result<(), MoveStop> {
        let filled_meanwhile = matches!(stage, MoveStage::Replace | MoveStage::Clear);
        let is_not_empty = filled_meanwhile && refusal.code == code::PRECONDITION_FAILED && self.acts < ACTS_MAX;
        // The declare of the new queue was tried before: what is refused here is the deletion.
        if is_not_empty { Ok(()) } else { Err(MoveStop::Refused { stage, refusal }) }
    }

    fn wait(&mut self, waits_max: u32, stop: MoveStop) -> Result<MoveAct, MoveStop> {
        self.waits += 1;
        if self.waits > waits_max { Err(stop) } else { Ok(MoveAct::Wait) }
    }

    fn methods(&self, stage: MoveStage, methods: Vec<Method>) -> MoveAct {
        MoveAct::Methods { stage, methods }
    }

    fn declare(&self) -> Method {
        Method::DeclareQueue(Box::new(self.desired.clone()))
    }

    fn carry(&self, stage: MoveStage, from: &Name, exchange: &Name, enough: Option<u64>, kind: QueueKind) -> MoveAct {
        let (vhost, from, exchange) = (self.holding.vhost.clone(), from.clone(), exchange.clone());
        let without_counters = kind == QueueKind::Quorum;
        MoveAct::Carry { stage, order: TransferOrder { vhost, from, exchange, enough, without_counters } }
    }
}

/// Lists the bindings of one queue that another one lacks, as that one's own.
fn missing(of: &[Binding], there: &[Binding], to: &Name) -> Vec<Binding> {
    let there: BTreeSet<Object> = there.iter().map(Binding::object).collect();
    let redirected = of.iter().map(|binding| Binding { destination: to.clone(), ..binding.clone() });
    redirected.filter(|binding| !there.contains(&binding.object())).collect()
}
