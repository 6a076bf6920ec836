//! What goes out to the broker, and who waits for the answers.

use crate::broker::{Command, RequestId};
use crate::player::context::owner::Asker;
use std::collections::{BTreeMap, VecDeque};

/// The commands that are ready to go, and the requests that are not answered yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outbox {
    commands: VecDeque<Command>,
    waiting: BTreeMap<RequestId, Asker>,
}

impl Outbox {
    /// Queues a command that has an answer.
    pub fn ask(&mut self, asker: Asker, request: RequestId, command: Command) {
        self.waiting.insert(request, asker);
        self.commands.push_back(command);
    }

    /// Queues a command that has none.
    pub fn send(&mut self, command: Command) {
        self.commands.push_back(command);
    }

    /// Takes the next command.
    pub fn next(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    /// Lists what is ready, oldest first.
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        self.commands.iter()
    }

    /// Takes one of the commands that are ready.
    pub fn take(&mut self, at: usize) -> Option<Command> {
        self.commands.remove(at)
    }

    /// Changes the order of the commands from one place to another.
    pub fn reorder(&mut self, from: usize, to: usize, order: impl FnOnce(&mut [Command])) {
        if let Some(part) = self.commands.make_contiguous().get_mut(from..to) {
            order(part);
        }
    }

    /// Takes an answer and gives who waits for it.
    pub fn answered(&mut self, request: RequestId) -> Option<Asker> {
        self.waiting.remove(&request)
    }

    /// Returns who waits for the answer to a request.
    pub fn asker(&self, request: RequestId) -> Option<Asker> {
        self.waiting.get(&request).copied()
    }

    /// Returns whether an answer to this asker is still to come.
    pub fn awaits(&self, asker: Asker) -> bool {
        self.waiting.values().any(|waiting| *waiting == asker)
    }

    /// Lists the requests that are not answered, and who waits for each.
    pub fn waiting(&self) -> &BTreeMap<RequestId, Asker> {
        &self.waiting
    }

    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Returns whether the next command, settlements aside, ends a subscription, a channel or a connection.
    pub fn is_leaving(&self) -> bool {
        self.commands.iter().find(|command| !matches!(command, Command::Settle { .. })).is_some_and(Command::is_leave)
    }
}
