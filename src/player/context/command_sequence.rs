//! A short series of commands that each wait for the answer of the one before: connect, open a channel, declare.
//! The first refusal ends it. Whoever runs it hands the answers back.

use crate::broker::{ChannelId, Command, ConnectionId, Method, Refusal, Reply, RequestId};
use crate::model::{Millis, Name};
use crate::player::context::owner::Asker;
use crate::player::context::shared::Context;
use std::collections::VecDeque;

/// One command of a sequence, before it has a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ask {
    Connect {
        connection: ConnectionId,
        user: Option<Name>,
        vhost: Name,
        heartbeat: Option<Millis>,
    },
    Isolate(ConnectionId),
    Disconnect(ConnectionId),
    Open {
        channel: ChannelId,
        connection: ConnectionId,
    },
    /// Opens a channel without confirms, for transactions.
    OpenPlain {
        channel: ChannelId,
        connection: ConnectionId,
    },
    Close(ChannelId),
    Call {
        channel: ChannelId,
        method: Method,
    },
    Manage(crate::broker::Management),
    /// Waits until nothing more happens now.
    Quiet,
}

impl Ask {
    /// Makes the command.
    fn command(self, request: RequestId) -> Command {
        match self {
            Ask::Connect { connection, user, vhost, heartbeat } => {
                Command::Connect { request, connection, user, vhost, heartbeat }
            }
            Ask::Isolate(connection) => Command::Isolate { request, connection },
            Ask::Disconnect(connection) => Command::Disconnect { request, connection },
            Ask::Open { channel, connection } => Command::OpenChannel { request, channel, connection, confirms: true },
            Ask::OpenPlain { channel, connection } => {
                Command::OpenChannel { request, channel, connection, confirms: false }
            }
            Ask::Close(channel) => Command::CloseChannel { request, channel },
            Ask::Call { channel, method } => Command::Call { request, channel, method },
            Ask::Manage(act) => Command::Manage { request, act },
            Ask::Quiet => Command::AwaitQuiet { request },
        }
    }
}

/// A sequence under way.
#[derive(Debug, Clone, Default)]
pub(crate) struct CommandSequence {
    asks: VecDeque<Ask>,
    /// The request that is not answered yet.
    waiting: Option<RequestId>,
    pub refusal: Option<Refusal>,
    /// The answers to calls, in order.
    pub replies: Vec<Reply>,
    /// The queue that the server named last: an empty name means it from then on.
    named: Option<Name>,
}

impl CommandSequence {
    /// Makes a sequence of these commands.
    pub fn new(asks: impl IntoIterator<Item = Ask>) -> Self {
        Self { asks: asks.into_iter().collect(), ..Self::default() }
    }

    /// Sends the next command, if none is under way; says whether there was one.
    pub fn ask_next(&mut self, context: &mut Context, asker: Asker) -> bool {
        let Some(ask) = self.next() else { return false };
        self.waiting = Some(context.ask(asker, |request| ask.command(request)));
        true
    }

    fn next(&mut self) -> Option<Ask> {
        let ready = self.waiting.is_none() && self.refusal.is_none();
        if !ready {
            return None;
        }
        let mut ask = self.asks.pop_front()?;
        if let (Ask::Call { method, .. }, Some(named)) = (&mut ask, &self.named) {
            match method {
                Method::Bind(binding) if binding.destination.is_empty() => binding.destination = named.clone(),
                Method::Consume { queue, .. } if queue.is_empty() => *queue = named.clone(),
                _ => {}
            }
        }
        Some(ask)
    }

    /// Takes an answer, if it is that to the request under way.
    pub fn answer(&mut self, request: RequestId, reply: Result<Reply, Refusal>) {
        if self.waiting != Some(request) {
            return;
        }
        self.waiting = None;
        match reply {
            Ok(reply) => {
                if let Reply::Declared { queue, .. } = &reply {
                    self.named = Some(queue.clone());
                }
                self.replies.push(reply);
            }
            Err(refusal) => self.refusal = Some(refusal),
        }
    }

    /// Returns whether it is over, well or not.
    pub fn is_over(&self) -> bool {
        self.waiting.is_none() && (self.refusal.is_some() || self.asks.is_empty())
    }
}
