//! Takes the client's commands and starts what they ask for, or queues it behind what it must wait for.
//! What cannot be done is answered, never ignored, if its command has an answer.

use crate::broker::{ChannelId, Command, ConnectionId, Event, Method, Refusal, Reply, RequestId, Scope, code};
use crate::io::live::adapter::{AwaitedAnswer, Live};
use crate::io::live::amqp::calls::open;
use crate::io::live::amqp::channel::{Item, LiveChannel, LiveChannelState, LiveMode, Publishing, describe};
use crate::io::live::amqp::connection::{EndKind, LiveConnection, LiveConnectionState};
use crate::io::live::amqp::dial::{Target, dial};
use crate::io::live::job::Done;
use crate::model::{Millis, Name};
use std::time::Instant;

/// How many channels a connection gives: lapin poisons the ids of channels that the broker closed, and there are
/// 2,047.
pub(crate) const CHANNELS_MAX: u32 = 2_000;

impl Live {
    /// Takes one command.
    pub(crate) fn submit(&mut self, command: Command) {
        self.motion.asked(self.elapsed(Instant::now()), &command);
        self.disturb_quiet(&command);
        match command {
            Command::Connect { request, connection, user, vhost, heartbeat } => {
                self.connect(request, connection, user, vhost, heartbeat);
            }
            Command::Disconnect { request, connection } => self.end(request, connection, EndKind::Polite),
            Command::Cut { request, connection } => self.end(request, connection, EndKind::Cut),
            Command::Isolate { request, connection } => self.end(request, connection, EndKind::Isolate),
            Command::OpenChannel { request, channel, connection, confirms } => {
                self.open_channel(request, channel, connection, confirms);
            }
            Command::CloseChannel { request, channel } => {
                self.await_answer(request, "closing a channel".into(), false);
                self.queue(channel, Item::Close { request });
            }
            Command::Call { request, channel, method } => self.queue_call(request, channel, method),
            Command::Publish { channel, publish, exchange, routing_key, mandatory, message } => {
                let message = self.names.outgoing(&message);
                let publishing = Publishing { publish, exchange, routing_key, mandatory, message };
                self.queue(channel, Item::Publish(Box::new(publishing)));
            }
            Command::Settle { channel, tag, multiple, settlement } => {
                self.queue(channel, Item::Settle { tag, multiple, settlement });
            }
            Command::Manage { request, act } => self.queue_act(request, act),
            Command::Watch { queue, undisturbed } => self.watches.add(queue, undisturbed),
            Command::Unwatch { queue } => self.watches.remove(&queue),
            Command::AwaitQuiet { request } => self.await_quiet(request),
        }
    }

    /// Notes that a request waits for its answer.
    pub(crate) fn await_answer(&mut self, request: RequestId, doing: String, patient: bool) {
        self.waiting.insert(request, AwaitedAnswer { since: Instant::now(), doing, patient });
    }

    /// Answers a request, once.
    pub(crate) fn reply(&mut self, request: RequestId, reply: Result<Reply, Refusal>) {
        if self.waiting.remove(&request).is_some() {
            let reply = reply.map_err(|refusal| self.names.refusal(refusal));
            self.batch.replies.push(Event::Reply { request, reply });
        }
    }

    fn connect(
        &mut self,
        request: RequestId,
        connection: ConnectionId,
        user: Option<Name>,
        vhost: Name,
        heartbeat: Option<Millis>,
    ) {
        let who = user.as_deref().unwrap_or(&self.address.user);
        self.await_answer(request, format!("connecting as '{who}' to vhost '{vhost}'"), false);
        let label = self.label();
        let heartbeat = heartbeat.and_then(|own| u16::try_from(own.0 / 1_000).ok());
        let target = Target { heartbeat, ..self.target(&vhost, user.as_ref(), label.clone()) };
        let link = LiveConnection {
            state: LiveConnectionState::Opening { request },
            dialed: None,
            vhost,
            user,
            label,
            early: Vec::new(),
            opened: 0,
            crashing: Vec::new(),
            blocked: None,
        };
        self.links.insert(connection, link);
        self.start(Box::pin(async move {
            let result = Box::new(dial(target).await);
            Done::Connected { connection, result }
        }));
    }

    fn open_channel(&mut self, request: RequestId, channel: ChannelId, connection: ConnectionId, confirms: bool) {
        self.await_answer(request, "opening a channel".into(), false);
        match self.links.get_mut(&connection) {
            Some(link) if matches!(link.state, LiveConnectionState::Opening { .. }) => {
                link.early.push((request, channel));
                self.lines.insert(channel, LiveChannel::new(connection, request, confirms));
            }
            Some(link) if link.state == LiveConnectionState::Open && link.opened < CHANNELS_MAX => {
                link.opened += 1;
                self.lines.insert(channel, LiveChannel::new(connection, request, confirms));
                self.start_channel(channel, connection);
            }
            Some(link) if link.state == LiveConnectionState::Open => {
                let text = format!("CHANNEL_ERROR - the connection has had {CHANNELS_MAX} channels: open another");
                self.reply(request, Err(Refusal::new(Scope::Channel, code::CHANNEL_ERROR, text)));
            }
            _ => self.reply(request, Err(no_such("connection", Scope::Connection))),
        }
    }

    /// Starts opening a channel whose line is there and whose connection is open.
    pub(crate) fn start_channel(&mut self, channel: ChannelId, connection: ConnectionId) {
        let Some(dialed) = self.links.get(&connection).and_then(|link| link.dialed.as_ref()) else { return };
        let lapin_connection = dialed.connection.clone();
        let confirms = self.lines.get(&channel).is_none_or(|line| line.mode == LiveMode::Confirms);
        self.start(Box::pin(async move {
            let result = open(&lapin_connection, confirms).await;
            Done::Opened { channel, result }
        }));
    }

    fn queue_call(&mut self, request: RequestId, channel: ChannelId, method: Method) {
        self.await_answer(request, describe(&method), false);
        self.queue(channel, Item::Call { request, method });
    }

    /// Queues an item of a channel; one that is closed answers with the reason of its end.
    fn queue(&mut self, channel: ChannelId, item: Item) {
        let refusal = match self.lines.get_mut(&channel) {
            Some(LiveChannel { state: LiveChannelState::Dead(cause), .. }) => cause.clone(),
            Some(line) => {
                line.backlog.push_back(item);
                self.start_line(channel);
                return;
            }
            None => no_such("channel", Scope::Channel),
        };
        match item {
            Item::Call { request, .. } => self.reply(request, Err(refusal)),
            // It is closed, as was asked.
            Item::Close { request } => self.reply(request, Ok(Reply::Done)),
            Item::Publish(_) | Item::Settle { .. } | Item::Fence => {}
        }
    }

    fn queue_act(&mut self, request: RequestId, act: crate::broker::Management) {
        self.await_answer(request, "asking the management API".into(), true);
        self.acts.push_back((request, act));
        self.start_act();
    }
}

fn no_such(what: &str, scope: Scope) -> Refusal {
    Refusal::new(scope, code::CHANNEL_ERROR, format!("CHANNEL_ERROR - no such {what} is open"))
}
