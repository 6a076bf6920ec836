//! A client that asks for methods one after another over a channel of its own, and keeps the answers.
//! The first refusal ends it. Never publishes, never consumes.

use crate::broker::{ChannelId, Client, Command, ConnectionId, Event, Ids, Method, Refusal, Reply, RequestId, Scope};
use crate::model::{Moment, Name};
use std::collections::VecDeque;

/// Asks for methods in order.
#[derive(Debug)]
pub struct MethodSequence {
    ids: Ids,
    vhost: Name,
    methods: VecDeque<Method>,
    connection: ConnectionId,
    channel: ChannelId,
    state: SequenceState,
    replies: Vec<Reply>,
    refusal: Option<Refusal>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SequenceState {
    Begin,
    Connecting(RequestId),
    Connected,
    Opening(RequestId),
    Open,
    Calling(RequestId),
    Leaving(RequestId),
    Over,
}

impl MethodSequence {
    /// Prepares to ask for methods in a vhost.
    pub fn new(vhost: Name, methods: Vec<Method>, mut ids: Ids) -> Self {
        let (connection, channel) = (ids.connection(), ids.channel());
        Self {
            ids,
            vhost,
            methods: methods.into(),
            connection,
            channel,
            state: SequenceState::Begin,
            replies: Vec::new(),
            refusal: None,
        }
    }

    /// Returns the answers in order, or the first refusal; and the counters, for whoever speaks to the same broker next.
    pub fn finish(self) -> (Result<Vec<Reply>, Refusal>, Ids) {
        let result = match self.refusal {
            Some(refusal) => Err(refusal),
            None => Ok(self.replies),
        };
        (result, self.ids)
    }

    fn refused(&mut self, refusal: Refusal) {
        let is_connected = refusal.scope != Scope::Connection;
        self.refusal.get_or_insert(refusal);
        self.methods.clear();
        self.state = if is_connected { SequenceState::Open } else { SequenceState::Over };
    }
}

impl Client for MethodSequence {
    fn poll_command(&mut self, _now: Moment) -> Option<Command> {
        match self.state {
            SequenceState::Begin => {
                let request = self.ids.request();
                self.state = SequenceState::Connecting(request);
                Some(Command::Connect {
                    request,
                    connection: self.connection,
                    user: None,
                    vhost: self.vhost.clone(),
                    heartbeat: None,
                })
            }
            SequenceState::Connected => {
                let request = self.ids.request();
                self.state = SequenceState::Opening(request);
                Some(Command::OpenChannel {
                    request,
                    channel: self.channel,
                    connection: self.connection,
                    confirms: true,
                })
            }
            SequenceState::Open => {
                let request = self.ids.request();
                match self.methods.pop_front() {
                    Some(method) => {
                        self.state = SequenceState::Calling(request);
                        Some(Command::Call { request, channel: self.channel, method })
                    }
                    None => {
                        self.state = SequenceState::Leaving(request);
                        Some(Command::Disconnect { request, connection: self.connection })
                    }
                }
            }
            _ => None,
        }
    }

    fn handle_event(&mut self, _now: Moment, event: Event) {
        match (event, self.state) {
            (Event::Reply { request, reply }, SequenceState::Connecting(asked)) if request == asked => match reply {
                Ok(_) => self.state = SequenceState::Connected,
                Err(refusal) => self.refused(Refusal { scope: Scope::Connection, ..refusal }),
            },
            (Event::Reply { request, reply }, SequenceState::Opening(asked)) if request == asked => match reply {
                Ok(_) => self.state = SequenceState::Open,
                Err(refusal) => self.refused(refusal),
            },
            (Event::Reply { request, reply }, SequenceState::Calling(asked)) if request == asked => match reply {
                Ok(reply) => {
                    self.replies.push(reply);
                    self.state = SequenceState::Open;
                }
                Err(refusal) => self.refused(refusal),
            },
            (Event::Reply { request, .. }, SequenceState::Leaving(asked)) if request == asked => {
                self.state = SequenceState::Over;
            }
            (Event::ChannelClosed { channel, cause }, SequenceState::Opening(_) | SequenceState::Calling(_))
                if channel == self.channel =>
            {
                self.refused(Refusal { scope: Scope::Channel, ..cause });
            }
            (Event::ConnectionClosed { connection, cause }, state) if connection == self.connection => {
                if !matches!(state, SequenceState::Leaving(_) | SequenceState::Over) {
                    self.refusal.get_or_insert(cause);
                }
                self.state = SequenceState::Over;
            }
            _ => {}
        }
    }

    fn wake_at(&self) -> Option<Moment> {
        None
    }

    fn is_done(&self) -> bool {
        self.state == SequenceState::Over
    }
}
