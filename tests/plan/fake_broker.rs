//! A broker that says yes to everything but what it was told to refuse, and writes down what it was asked.

use rmqplay::broker::{
    ChannelId, Client, Command, ConnectionId, Event, Management, Method, Refusal, Reply, RequestId, Scope,
};
use rmqplay::model::Moment;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

#[derive(Default)]
pub struct FakeBroker {
    /// What was asked, one line each.
    pub asked: Vec<String>,
    /// Names that are refused, and what the refusal closes.
    refused: BTreeMap<String, Scope>,
    /// Queues that another client is just making, and how often they are refused for it.
    half_made: BTreeMap<String, u32>,
    now: Moment,
    /// Breaks the connection, without an answer, on the first declare of that name.
    breaks_on: Option<String>,
    /// How many channels a connection may have; another one costs the connection.
    channels_max: Option<usize>,
    channels: BTreeMap<ChannelId, ConnectionId>,
    /// Channels that are closed, and why, until the client has heard of it.
    closing: BTreeMap<ChannelId, Refusal>,
    open: BTreeSet<ConnectionId>,
    /// Connections that are closed, until the client has heard of it.
    ending: BTreeSet<ConnectionId>,
    said: VecDeque<Event>,
    /// The most requests that waited for an answer at once.
    pub in_flight_max: usize,
    in_flight: usize,
}

impl FakeBroker {
    pub fn refusing(mut self, name: &str, scope: Scope) -> Self {
        self.refused.insert(name.into(), scope);
        self
    }

    pub fn refusing_as_half_made(mut self, name: &str, times: u32) -> Self {
        self.half_made.insert(name.into(), times);
        self
    }

    pub fn breaking_on(mut self, name: &str) -> Self {
        self.breaks_on = Some(name.into());
        self
    }

    pub fn with_channels_max(mut self, max: usize) -> Self {
        self.channels_max = Some(max);
        self
    }

    /// Plays a client to its end; a client that hangs fails the test.
    pub fn play(&mut self, client: &mut dyn Client) {
        for _ in 0..100_000 {
            while let Some(command) = client.poll_command(self.now) {
                self.take(command);
            }
            self.in_flight_max = self.in_flight_max.max(self.in_flight);
            match self.said.pop_front() {
                Some(event) => {
                    self.in_flight -= usize::from(matches!(event, Event::Reply { .. }));
                    self.note_heard(&event);
                    client.handle_event(self.now, event);
                }
                None if client.is_done() => return,
                None if client.wake_at().is_some_and(|due| due > self.now) => {
                    self.now = client.wake_at().expect("just seen");
                }
                None => panic!("the client waits for nothing:\n{}", self.asked.join("\n")),
            }
        }
        panic!("the client never ends");
    }

    fn note_heard(&mut self, event: &Event) {
        match event {
            Event::ChannelClosed { channel, .. } => {
                self.closing.remove(channel);
            }
            Event::ConnectionClosed { connection, .. } => {
                self.ending.remove(connection);
            }
            _ => {}
        }
    }

    fn take(&mut self, command: Command) {
        match command {
            Command::Connect { request, connection, user, vhost, .. } => {
                self.asked.push(format!("connect {} to {vhost}", user.as_deref().unwrap_or("runner")));
                if self.answer(request, &format!("vhost {vhost}"), None) {
                    self.open.insert(connection);
                }
            }
            Command::OpenChannel { request, channel, connection, .. } => {
                self.asked.push(format!("open {}", channel.0));
                if !self.open.contains(&connection) && self.channels_max.is_some() {
                    // It was asked for before the client heard of the end.
                    return;
                }
                assert!(self.open.contains(&connection), "a channel on a closed connection");
                let open = self.channels.values().filter(|of| **of == connection).count();
                if self.channels_max.is_some_and(|max| open >= max) {
                    self.open.remove(&connection);
                    let cause = Refusal::new(Scope::Connection, 530, "number of channels opened has reached the limit");
                    self.in_flight += 1;
                    self.said.push_back(Event::Reply { request, reply: Err(cause.clone()) });
                    self.said.push_back(Event::ConnectionClosed { connection, cause });
                    return;
                }
                self.channels.insert(channel, connection);
                self.answer(request, "channel", None);
            }
            Command::Disconnect { request, connection } => {
                self.asked.push("disconnect".into());
                assert!(self.open.remove(&connection), "disconnects twice");
                self.answer(request, "disconnect", None);
            }
            Command::Call { request, channel, method } => self.call(request, channel, &method),
            Command::Manage { request, act } => {
                let (line, name) = act_line(&act);
                self.asked.push(line);
                self.answer(request, &name, None);
            }
            other => panic!("not asked of an applier: {other:?}"),
        }
    }

    fn call(&mut self, request: RequestId, channel: ChannelId, method: &Method) {
        let name = match method {
            Method::DeclareExchange(exchange) => format!("exchange {}", exchange.name),
            Method::DeclareQueue(queue) => format!("queue {}", queue.name),
            Method::Bind(binding) => format!("bind {} -> {}", binding.source, binding.destination),
            other => panic!("not asked of an applier: {other:?}"),
        };
        self.asked.push(name.clone());
        let Some(connection) = self.channels.get(&channel).copied() else {
            let Some(cause) = self.closing.get(&channel).cloned() else { panic!("call on a closed channel") };
            self.in_flight += 1;
            return self.said.push_back(Event::Reply { request, reply: Err(cause) });
        };
        if self.ending.contains(&connection) {
            return;
        }
        if !self.open.contains(&connection) && self.channels_max.is_some() {
            return;
        }
        assert!(self.open.contains(&connection), "call on a closed connection");
        if self.breaks_on.as_ref() == Some(&name) {
            self.breaks_on = None;
            self.in_flight += 1;
            self.open.remove(&connection);
            self.ending.insert(connection);
            let cause = Refusal::new(Scope::Connection, 0, "broken pipe");
            // Answers of the broken connection never come.
            let lost = self.said.len();
            self.said.clear();
            self.in_flight -= lost + 1;
            self.said.push_back(Event::ConnectionClosed { connection, cause });
            return;
        }
        self.answer(request, &name, Some((channel, connection)));
    }

    fn refusal(&mut self, name: &str) -> Option<(Scope, Refusal)> {
        if let Some(left) = self.half_made.get_mut(name).filter(|left| **left > 0) {
            *left -= 1;
            let text =
                format!("NOT_FOUND - home node 'rabbit@here' of durable {name} in vhost '/' is down or inaccessible");
            return Some((Scope::Channel, Refusal::new(Scope::Channel, 404, text)));
        }
        let scope = *self.refused.get(name)?;
        Some((scope, Refusal::new(scope, 406, format!("PRECONDITION_FAILED - {name}"))))
    }

    fn answer(&mut self, request: RequestId, name: &str, at: Option<(ChannelId, ConnectionId)>) -> bool {
        self.in_flight += 1;
        let Some((scope, refusal)) = self.refusal(name) else {
            self.said.push_back(Event::Reply { request, reply: Ok(Reply::Done) });
            return true;
        };
        self.said.push_back(Event::Reply { request, reply: Err(refusal.clone()) });
        match (scope, at) {
            (Scope::Channel, Some((channel, _))) => {
                self.channels.remove(&channel);
                self.closing.insert(channel, refusal.clone());
                self.said.push_back(Event::ChannelClosed { channel, cause: refusal });
            }
            (Scope::Connection, Some((_, connection))) => {
                self.open.remove(&connection);
                self.ending.insert(connection);
                self.said.push_back(Event::ConnectionClosed { connection, cause: refusal });
            }
            _ => {}
        }
        false
    }
}

fn act_line(act: &Management) -> (String, String) {
    let name = match act {
        Management::PutUser(user) => format!("user {}", user.name),
        Management::PutVhost(vhost) => format!("put-vhost {}", vhost.name),
        Management::PutUserLimit { user, name, value } => format!("limit {user} {name} {value}"),
        Management::PutVhostLimit { vhost, name, value } => format!("limit {vhost} {name} {value}"),
        Management::PutPermission(row) => format!("permission {}", row.user),
        Management::PutTopicPermission(row) => format!("topic permission {} {}", row.user, row.exchange),
        Management::PutPolicy { policy, operator } => {
            format!("{}policy {}", if *operator { "operator " } else { "" }, policy.name)
        }
        Management::PutParameter(parameter) => format!("parameter {}", parameter.name),
        Management::PutGlobalParameter { name, .. } => format!("global parameter {name}"),
        other => panic!("not asked of an applier: {other:?}"),
    };
    (name.clone(), name)
}
