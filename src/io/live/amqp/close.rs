//! How channels and connections end: by our wish, by the broker's, or because the broker is gone.
//! Every request of theirs is answered, every end is told once.

use crate::broker::{ChannelId, ConnectionId, Event, Refusal, Reply, RequestId, Scope};
use crate::io::failure::{BrokerFailure, BrokerFailureKind};
use crate::io::greet::greet;
use crate::io::live::adapter::Live;
use crate::io::live::amqp::channel::{Item, LiveChannel, LiveChannelState};
use crate::io::live::amqp::connection::{EndKind, LiveConnection, LiveConnectionState};
use crate::io::live::amqp::dial::Socket;
use crate::io::live::job::Done;
use crate::model::by_number;
use crate::rules::{RefusalMeaning, meaning_of_refusal};
use std::time::{Duration, Instant};

/// How long a crash waits for what was sent before it, and then for the broker to notice.
const CUT_PATIENCE: Duration = Duration::from_secs(1);
/// RabbitMQ closes the socket of a crashed client first, then lets its channels and consumers go.
const AFTER_CLOSE: Duration = Duration::from_millis(20);
/// How often we look whether the broker has given up a connection that the network lost.
const GIVEN_UP_LOOK: Duration = Duration::from_millis(20);
/// How long a broker may take to say hello after a connection broke.
const HELLO: Duration = Duration::from_secs(3);

impl Live {
    /// Ends a connection, politely or as a crash does, once all that was sent before has arrived: commands take
    /// effect in their order.
    pub(crate) fn end(&mut self, request: RequestId, connection: ConnectionId, how: EndKind) {
        self.await_answer(request, "closing a connection".into(), false);
        let Some(link) = self.links.get_mut(&connection).filter(|link| link.state == LiveConnectionState::Open) else {
            // It is gone, or never was: as was asked.
            self.give_up_opening(connection);
            return self.reply(request, Ok(Reply::Done));
        };
        link.state = LiveConnectionState::Ending { request, how, since: Instant::now() };
        for line in self.lines.values_mut().filter(|line| line.connection == connection && line.is_open()) {
            if line.dirty || !line.backlog.is_empty() {
                line.backlog.push_back(Item::Fence);
            }
        }
        self.start_lines();
        self.finish_endings();
    }

    /// Answers what waited for a connection that is closed before it was open.
    fn give_up_opening(&mut self, connection: ConnectionId) {
        let Some(LiveConnection { state: LiveConnectionState::Opening { request }, early, .. }) =
            self.links.get_mut(&connection)
        else {
            return;
        };
        let requests: Vec<RequestId> =
            std::iter::once(*request).chain(std::mem::take(early).into_iter().map(|(request, _)| request)).collect();
        self.links.remove(&connection);
        self.lines.retain(|_, line| line.connection != connection);
        let text = "closed before it was open".to_owned();
        let cause = Refusal::new(Scope::Connection, 0, text);
        self.answer_all(vec![(requests, None)], &cause);
    }

    /// Ends the connections whose channels are written out.
    pub(crate) fn finish_endings(&mut self) {
        let ready: Vec<(ConnectionId, RequestId, EndKind)> = (self.links.iter())
            .filter_map(|(connection, link)| match link.state {
                LiveConnectionState::Ending { request, how, since } => Some((*connection, request, how, since)),
                _ => None,
            })
            .filter(|(connection, _, how, since)| {
                let mut lines = self.lines.values().filter(|line| line.connection == *connection);
                lines.all(LiveChannel::is_written_out) || *how != EndKind::Polite && since.elapsed() >= CUT_PATIENCE
            })
            .map(|(connection, request, how, _)| (connection, request, how))
            .collect();
        for (connection, request, how) in ready {
            match how {
                EndKind::Polite => self.disconnect(connection, request),
                EndKind::Cut => self.crash(connection, request),
                EndKind::Isolate => self.isolate(connection, request),
            }
        }
        self.tell_given_up();
        let unnoticed: Vec<(ConnectionId, RequestId)> = (self.links.iter())
            .filter_map(|(connection, link)| match link.state {
                LiveConnectionState::Crashing { request, until } if until <= Instant::now() => {
                    Some((*connection, request))
                }
                _ => None,
            })
            .collect();
        unnoticed.into_iter().for_each(|(connection, request)| self.cut(connection, request));
    }

    /// Crashes a connection: its deliveries are the broker's again once that has closed it, too.
    fn crash(&mut self, connection: ConnectionId, request: RequestId) {
        let lines = self.take_lines(connection);
        let Some(link) = self.links.get_mut(&connection) else { return };
        link.crashing = lines;
        match link.dialed.as_ref().and_then(|dialed| dialed.socket.as_ref()) {
            Some(socket) => {
                socket.stop_sending();
                link.state = LiveConnectionState::Crashing { request, until: Instant::now() + CUT_PATIENCE };
            }
            None => self.cut(connection, request),
        }
    }

    /// Lets the network lose a connection: nothing goes through any more, while the broker holds it.
    fn isolate(&mut self, connection: ConnectionId, request: RequestId) {
        let lines = self.take_lines(connection);
        let Some(link) = self.links.get_mut(&connection) else { return };
        if let Some(socket) = link.dialed.as_ref().and_then(|dialed| dialed.socket.as_ref()) {
            socket.isolate();
        }
        (link.state, link.crashing) = (LiveConnectionState::Isolated, lines);
        self.reply(request, Ok(Reply::Done));
    }

    /// Tells of lost connections that the broker has ended, for it missed their heartbeats (CO-28).
    fn tell_given_up(&mut self) {
        let is_given_up = |link: &LiveConnection| {
            let socket = link.dialed.as_ref().and_then(|dialed| dialed.socket.as_ref());
            link.state == LiveConnectionState::Isolated && socket.is_none_or(Socket::is_given_up)
        };
        let over: Vec<ConnectionId> =
            self.links.iter().filter(|(_, link)| is_given_up(link)).map(|(connection, _)| *connection).collect();
        for connection in over {
            let Some(mut link) = self.links.remove(&connection) else { continue };
            if let Some(socket) = link.dialed.as_ref().and_then(|dialed| dialed.socket.as_ref()) {
                socket.cut();
            }
            let lines = std::mem::take(&mut link.crashing);
            self.bury(Some(link), lines);
            let cause = Refusal::new(Scope::Connection, 0, "missed heartbeats from client".to_owned());
            self.batch.closed.push(Event::ConnectionClosed { connection, cause });
        }
    }

    fn cut(&mut self, connection: ConnectionId, request: RequestId) {
        let Some(mut link) = self.links.remove(&connection) else { return };
        if let Some(socket) = link.dialed.as_ref().and_then(|dialed| dialed.socket.as_ref()) {
            socket.cut();
        }
        let lines = std::mem::take(&mut link.crashing);
        self.bury(Some(link), lines);
        self.reply(request, Ok(Reply::Done));
    }

    fn disconnect(&mut self, connection: ConnectionId, request: RequestId) {
        // Held until the connection is closed: each would send a goodbye of its own.
        let lines = self.take_lines(connection);
        self.bury(None, lines);
        let Some(link) = self.links.get_mut(&connection) else { return };
        link.state = LiveConnectionState::Closing;
        let Some(lapin_connection) = link.dialed.as_ref().map(|dialed| dialed.connection.clone()) else { return };
        self.start(Box::pin(async move {
            // Whatever it says, the connection is closed.
            let _ = lapin_connection.close(200, "OK".into()).await;
            Done::ConnectionClosed { connection, request }
        }));
    }

    /// Returns when the first crash is over.
    pub(crate) fn next_crash(&self) -> Option<Instant> {
        let crashing = self.links.values().filter_map(|link| match link.state {
            LiveConnectionState::Crashing { until, .. } => Some(until),
            LiveConnectionState::Isolated => Some(Instant::now() + GIVEN_UP_LOOK),
            _ => None,
        });
        crashing.min()
    }

    /// Takes the channels of a connection; requests that are still unanswered will never be.
    fn take_lines(&mut self, connection: ConnectionId) -> Vec<LiveChannel> {
        let channels: Vec<ChannelId> =
            self.lines.iter().filter(|(_, line)| line.connection == connection).map(|(channel, _)| *channel).collect();
        let lines: Vec<LiveChannel> = channels.iter().filter_map(|channel| self.lines.remove(channel)).collect();
        for request in lines.iter().flat_map(LiveChannel::requests) {
            self.waiting.remove(&request);
        }
        lines
    }

    /// Tells the ends that were found while reading: connections, channels, consumers.
    pub(crate) fn tell_ends(&mut self) {
        for (connection, cause) in std::mem::take(&mut self.lost) {
            self.lose(connection, cause);
        }
        for (channel, cause) in std::mem::take(&mut self.dying) {
            // Of several methods under way the first without an answer ended the channel: which it is shows when all have ended.
            match self.lines.get(&channel).is_some_and(|line| line.is_open() && line.may_be_answered()) {
                true => self.dying.push((channel, cause)),
                false => self.close_line(channel, cause),
            }
        }
        for (connection, cause) in std::mem::take(&mut self.heard) {
            self.find_ended(connection, cause);
        }
        for (channel, consumer) in std::mem::take(&mut self.dismissed) {
            if self.lines.get(&channel).is_some_and(|line| line.is_open() && line.suspect.is_none()) {
                self.batch.cancelled.push(Event::Cancelled { channel, consumer });
            }
        }
        for (channel, consumer) in std::mem::take(&mut self.ended) {
            let line = self.lines.get_mut(&channel).filter(|line| line.is_open() && line.suspect.is_none());
            if let Some(line) = line {
                line.feeds.remove(&consumer);
                self.batch.cancelled.push(Event::Cancelled { channel, consumer });
            }
        }
        self.finish_endings();
    }

    /// Finds the channel whose end a connection told of: one that is known to have ended so, else one that lapin has
    /// closed meanwhile, and first one that nothing else will tell of.
    fn find_ended(&mut self, connection: ConnectionId, cause: Refusal) {
        let mut lines = self.lines.iter_mut().filter(|(_, line)| line.connection == connection && !line.told);
        let is_dead = |line: &LiveChannel| matches!(&line.state, LiveChannelState::Dead(known) if *known == cause);
        let is_dying = |channel: &ChannelId| self.dying.iter().any(|(of, known)| of == channel && *known == cause);
        if let Some((_, line)) = lines.find(|(channel, line)| is_dead(line) || is_dying(channel)) {
            line.told = true;
            return;
        }
        let cut_off = self.lines.iter_mut().filter(|(_, line)| line.connection == connection && line.is_cut_off());
        if let Some((channel, line)) = cut_off.min_by_key(|(_, line)| line.will_hear()) {
            line.told = true;
            match line.may_be_answered() {
                true => self.dying.push((*channel, cause)),
                false => {
                    let channel = *channel;
                    self.close_line(channel, cause);
                }
            }
        }
    }

    /// Hears that a connection is no more. When it broke, or the broker says that it goes down, we look whether
    /// anybody is there before the client is told.
    fn lose(&mut self, connection: ConnectionId, cause: Refusal) {
        let Some(link) = self.links.get_mut(&connection) else { return };
        let socket = link.dialed.as_ref().and_then(|dialed| dialed.socket.as_ref()).filter(|_| cause.code == 0);
        let cause = socket.and_then(|socket| socket.last_words()).unwrap_or(cause);
        match link.state {
            LiveConnectionState::Open if self.restarting => self.drop_link(connection, cause),
            LiveConnectionState::Open
                if cause.code == 0 || meaning_of_refusal(cause.code, &cause.text) == RefusalMeaning::ShuttingDown =>
            {
                link.state = LiveConnectionState::Checking;
                let address = self.address.clone();
                self.start(Box::pin(async move {
                    let alive = greet(&address, HELLO).await;
                    Done::Checked { connection, cause, alive }
                }));
            }
            LiveConnectionState::Open => self.drop_link(connection, cause),
            LiveConnectionState::Ending { request, .. } => {
                let lines = self.take_lines(connection);
                let link = self.links.remove(&connection);
                self.bury(link, lines);
                self.reply(request, Ok(Reply::Done));
            }
            LiveConnectionState::Crashing { request, until } => {
                link.state = LiveConnectionState::Crashing { request, until: until.min(Instant::now() + AFTER_CLOSE) };
            }
            LiveConnectionState::Opening { .. }
            | LiveConnectionState::Isolated
            | LiveConnectionState::Closing
            | LiveConnectionState::Checking
            | LiveConnectionState::Gone => {}
        }
    }

    pub(crate) fn checked(&mut self, connection: ConnectionId, cause: Refusal, alive: Result<(), String>) {
        match alive {
            Ok(()) => self.drop_link(connection, cause),
            Err(_) if self.restarting => self.drop_link(connection, cause),
            Err(why) => {
                let why = format!("{}; now nobody answers there: {why}", cause.text);
                self.fail(BrokerFailure::new(BrokerFailureKind::Broken { doing: self.doing(), why }, &self.address));
            }
        }
    }

    /// Tells the client that a connection was closed; its channels close with it, silently.
    pub(crate) fn drop_link(&mut self, connection: ConnectionId, cause: Refusal) {
        let cause = Refusal { scope: Scope::Connection, ..cause };
        let mut answers = Vec::new();
        for line in self.lines.values_mut().filter(|line| line.connection == connection) {
            answers.push(line.take_requests());
            line.state = LiveChannelState::Dead(cause.clone());
        }
        self.answer_all(answers, &cause);
        if let Some(link) = self.links.get_mut(&connection) {
            link.state = LiveConnectionState::Gone;
            link.dialed = None;
        }
        let cause = self.names.refusal(cause);
        self.batch.closed.push(Event::ConnectionClosed { connection, cause });
    }

    /// Tells the client that the broker closed a channel, after what was asked of it is answered.
    pub(crate) fn close_line(&mut self, channel: ChannelId, cause: Refusal) {
        let Some(line) = self.lines.get_mut(&channel) else { return };
        let told = match line.state {
            LiveChannelState::Dead(_) | LiveChannelState::Closing => return,
            LiveChannelState::Opening { .. } => false,
            LiveChannelState::Open => true,
        };
        let answers = line.take_requests();
        line.state = LiveChannelState::Dead(cause.clone());
        self.answer_all(vec![answers], &cause);
        if told {
            let cause = self.names.refusal(cause);
            self.batch.closed.push(Event::ChannelClosed { channel, cause });
        }
    }

    fn answer_all(&mut self, answers: Vec<(Vec<RequestId>, Option<RequestId>)>, cause: &Refusal) {
        for (refused, closing) in answers {
            for request in refused {
                self.reply(request, Err(cause.clone()));
            }
            if let Some(request) = closing {
                self.reply(request, Ok(Reply::Done));
            }
        }
    }

    /// Returns in words what is under way, for failures.
    pub(crate) fn doing(&self) -> String {
        let unsettled: usize = self.lines.values().map(|line| line.unsettled.len()).sum();
        match self.waiting.values().next() {
            Some(waiting) => waiting.doing.clone(),
            None if unsettled > 0 => {
                format!("waiting for {unsettled} {} to be confirmed", by_number(unsettled, "publish", "publishes"))
            }
            None => "playing".into(),
        }
    }
}

impl LiveChannel {
    /// Lists the client's requests that wait on this channel.
    fn requests(&self) -> Vec<RequestId> {
        let opening = match self.state {
            LiveChannelState::Opening { request } => Some(request),
            _ => None,
        };
        let calling = self.calling.iter().filter_map(|calling| match calling.purpose {
            crate::io::live::amqp::channel::Purpose::Client { request, .. } => Some(request),
            crate::io::live::amqp::channel::Purpose::Fence => None,
        });
        let queued = self.backlog.iter().filter_map(|item| match item {
            Item::Call { request, .. } | Item::Close { request } => Some(*request),
            Item::Publish(_) | Item::Settle { .. } | Item::Fence => None,
        });
        opening.into_iter().chain(calling).chain(queued).collect()
    }
}

impl LiveConnection {
    /// Returns whether it is open, or thought to be.
    pub(crate) fn is_up(&self) -> bool {
        matches!(self.state, LiveConnectionState::Open | LiveConnectionState::Checking)
    }

    /// Returns the names to close the connection by over HTTP: the likely one, and its label.
    pub(crate) fn handles(&self) -> (Option<String>, String) {
        let likely = self.dialed.as_ref().and_then(|dialed| dialed.socket.as_ref()).map(|socket| socket.name.clone());
        (likely, self.label.clone())
    }
}
