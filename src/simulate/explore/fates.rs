//! What the first ready command leaves open itself: the order of many returns, a signal that its publisher has not heard, the
//! room that a requeue makes, and what reaches its queues only in part.

use crate::broker::Command;
use crate::sim::Touched;
use crate::simulate::explore::choice::{Alternative, Choice, ChoiceKind};
use crate::simulate::explore::explored_run::ExploredRun;
use crate::simulate::explore::lane::{LateLane, lane_of};

/// By how many orders many returned messages are tried.
const ORDERS: u64 = 3;

impl ExploredRun {
    /// What a command itself leaves open: a signal that its publisher has not heard, the order of many returns.
    pub(super) fn open_fate(&mut self, first: usize) -> Option<Choice> {
        let command = self.player.ready_commands().nth(first)?;
        let singly = !self.returns_asked && self.is_first_of_many_returns(first);
        self.returns_asked |= singly;
        if self.sim.returns_in_no_order(command) || singly {
            let actions = std::iter::once(Alternative::KeepOrder).chain((1..=ORDERS).map(Alternative::Order)).collect();
            return Some(Choice { kind: ChoiceKind::ReturnOrder, actions });
        }
        let lane = lane_of(command);
        if self.sim.room_may_come_first(command) {
            let actions = vec![Alternative::RequeueFirst, Alternative::RoomFirst];
            return Some(Choice { kind: ChoiceKind::SharedLimit, actions });
        }
        if self.lagging.is_none() && self.sim.may_fall_behind(command) {
            let actions = vec![Alternative::KeepsUp, Alternative::FallsBehind];
            return Some(Choice { kind: ChoiceKind::Unsent, actions });
        }
        if self.lagging.is_none() && self.sim.touched_by_policy(command) != Touched::NOTHING {
            let actions = vec![Alternative::AtOnce, Alternative::PolicyWaits];
            return Some(Choice { kind: ChoiceKind::PolicyEffect, actions });
        }
        let (_, chosen) = self.series.filter(|(series, _)| *series == lane)?;
        if chosen || !self.sim.meets_full_queue(command) {
            return None;
        }
        self.series = Some((lane, true));
        let left = self.player.ready_commands().filter(|other| lane_of(other) == lane).count() as u32;
        let later = std::iter::successors(Some(1), |n| Some(n * 2)).take_while(|n| *n < left).chain([left]);
        let actions = std::iter::once(Alternative::Hear).chain(later.map(Alternative::HearAfter)).collect();
        Some(Choice { kind: ChoiceKind::FullSignal, actions })
    }

    /// Returns whether this is the first of more single returns than a queue keeps in order.
    fn is_first_of_many_returns(&self, first: usize) -> bool {
        self.many_returns(first).is_some_and(|end| end - first > 2 * crate::rules::RETURNS_IN_ORDER_MAX as usize)
    }

    fn many_returns(&self, first: usize) -> Option<usize> {
        let command = self.player.ready_commands().nth(first)?;
        if !self.sim.returns_one_of_many(command) {
            return None;
        }
        let lane = lane_of(command);
        let is_one = |other: &&Command| lane_of(other) == lane && self.sim.returns_one_of_many(other);
        Some(first + self.player.ready_commands().skip(first).take_while(is_one).count())
    }

    /// Lets the first ready command reach its queues only in part, until something that touches them comes in between.
    pub(super) fn lag(&mut self) {
        let Some(command) = self.first_enabled().and_then(|first| self.player.ready_commands().nth(first)) else {
            return;
        };
        let lane = lane_of(command);
        let touched = match command {
            Command::Call { channel, .. } => {
                let touched = self.sim.touched(command);
                self.sim.let_fall_behind(*channel);
                touched
            }
            _ => {
                let touched = self.sim.touched_by_policy(command);
                self.sim.let_policy_wait();
                touched
            }
        };
        self.lagging = Some((LateLane { lane, touched }, false));
    }

    pub(super) fn shuffle_returns(&mut self, order: u64) {
        let Some(first) = self.first_enabled() else { return };
        match self.many_returns(first) {
            Some(end) => {
                self.player.reorder_commands(first, end, |part| crate::sim::shuffle(part, order));
                self.forget_touched();
            }
            None => self.sim.shuffle_returns(Some(order)),
        }
    }
}
