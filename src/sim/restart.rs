//! Stopping and starting the broker: connections break, what is durable stays.

use crate::broker::{Command, Event, Refusal, Reply, RequestId, Scope, What, code};
use crate::model::Millis;
use crate::sim::broker::Sim;
use crate::sim::state::arena::QueueId;
use crate::sim::state::queue::{Queue, QueueContents};
use crate::sim::state::refusal::{connection_error, http_error};
use crate::sim::state::timer::Timer;

impl Sim {
    /// Stops the broker; it answers when it is back.
    pub(crate) fn restart(&mut self, request: RequestId, down_for: Millis) {
        self.force_out("broker forced connection closure with reason 'shutdown'", |_| true);
        self.to_serve.clear();
        // It is switched on in the node alone.
        self.own_publishes.traced.clear();
        self.own_publishes.waiting.clear();
        let transient: Vec<QueueId> =
            self.queues.iter().filter(|(_, queue)| !queue.declared.durable).map(|(id, _)| id).collect();
        for queue in transient {
            self.remove_queue(queue, "ER-12", "it was not durable and the broker restarted");
        }
        let transient: Vec<_> =
            (self.exchanges.iter()).filter(|(_, exchange)| !exchange.declared.durable).map(|(id, _)| id).collect();
        for exchange in transient {
            self.remove_exchange(exchange);
        }
        self.make_rings_anew();
        let durable: Vec<QueueId> = self.queues.iter().map(|(id, _)| id).collect();
        for id in durable {
            self.lay_ghosts(id);
            let lost = match self.queues.get_mut(id) {
                Some(Queue { contents: QueueContents::Classic(classic), .. }) => classic.keep_persistent(),
                _ => Vec::new(),
            };
            for entry in lost {
                let why = "it was not persistent and the broker restarted".to_owned();
                self.tell(Some(entry.stored.origin), Some(id), "LEN-12", || What::Dropped { why, stood: true });
            }
            self.touch(id);
        }
        let at = self.now + down_for;
        self.timers.set(at, Timer::Restarted);
        self.down_until = Some((at, request));
    }

    /// Up again: answers the restart, and looks at what expired meanwhile.
    pub(crate) fn come_up(&mut self) {
        let Some((_, request)) = self.down_until.take() else { return };
        self.answer(request, Ok(Reply::Done));
        let queues: Vec<QueueId> = self.queues.iter().map(|(id, _)| id).collect();
        for queue in queues {
            self.start_lease(queue);
            self.restart_worker(queue);
            self.sweep(queue);
        }
    }

    /// Answers a command while nobody is there.
    pub(crate) fn answer_while_down(&mut self, command: Command) {
        let unreachable = || connection_error(code::CONNECTION_FORCED, "the broker is down");
        match command {
            Command::Connect { request, .. } => {
                let refusal = Refusal::new(Scope::Connection, 0, "connection refused: the broker is down");
                self.answer(request, Err(refusal));
            }
            Command::OpenChannel { request, .. } | Command::Call { request, .. } => {
                self.answer(request, Err(unreachable()));
            }
            Command::Disconnect { request, .. }
            | Command::Cut { request, .. }
            | Command::Isolate { request, .. }
            | Command::CloseChannel { request, .. }
            | Command::AwaitQuiet { request } => self.answer(request, Ok(Reply::Done)),
            Command::Manage { request, .. } => self.answer(request, Err(http_error(0, "the broker is down"))),
            Command::Watch { queue, .. } => self.events.push_back(Event::Counted { queue, counts: None }),
            Command::Unwatch { queue } => self.unwatch(&queue),
            Command::Publish { .. } | Command::Settle { .. } => {}
        }
    }
}
