//! One step: read what ended, then drain all consumers, then tell ends, then start what waits.
//! Never waits; the caller sleeps until something wakes it.

use crate::broker::{
    ChannelId, Confirmation, ConnectionId, Delivery, DeliveryTag, Event, Got, PublishId, Refusal, Reply, RequestId,
    Scope, code,
};
use crate::io::address::Address;
use crate::io::failure::{BrokerFailure, BrokerFailureKind};
use crate::io::live::adapter::Live;
use crate::io::live::amqp::calls::{Answer, CallError};
use crate::io::live::amqp::cancel_frames::CANCEL_TAG;
use crate::io::live::amqp::channel::{ConsumerStream, LiveChannelState, LiveMode, Purpose};
use crate::io::live::amqp::connection::{EndKind, LiveConnectionState};
use crate::io::live::amqp::dial::{DialError, Dialed, failure_of};
use crate::io::live::amqp::translate::{Cause, cause_of, from_message, how};
use crate::io::live::job::Done;
use crate::io::live::vhosts::names::NameMapping;
use crate::model::counted;
use futures_util::StreamExt;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

impl Live {
    /// Moves everything that can be moved; ready when anything moved, or there are events or a failure.
    pub(crate) fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut moved_at_all = false;
        loop {
            let mut moved = false;
            while let Some(done) = self.done.pop_front() {
                self.take(done);
                moved = true;
            }
            while let Poll::Ready(Some(done)) = self.jobs.poll_next_unpin(context) {
                self.take(done);
                moved = true;
            }
            self.drain(context);
            // What they begin may be due at once.
            moved |= !self.lost.is_empty() || !self.dismissed.is_empty();
            self.tell_ends();
            moved |= self.start_lines();
            if !self.batch.is_empty() || self.failure.is_some() {
                return Poll::Ready(());
            }
            moved_at_all |= moved;
            if !moved {
                // Whatever moved may have changed what is due next: the caller looks again before it sleeps.
                return if moved_at_all { Poll::Ready(()) } else { Poll::Pending };
            }
        }
    }

    fn take(&mut self, done: Done) {
        match done {
            Done::Connected { connection, result } => self.connected(connection, *result),
            Done::Opened { channel, result } => self.opened(channel, result),
            Done::Called { channel, serial, result } => self.called(channel, serial, result),
            Done::Confirmed { channel, publish, result } => match result {
                Ok(confirmation) => self.confirmed(channel, publish, confirmation),
                Err(error) => self.blame(channel, &error),
            },
            Done::ChannelClosed { channel, request } => {
                if let Some(mut line) = self.lines.remove(&channel) {
                    line.take_requests();
                }
                self.reply(request, Ok(Reply::Done));
            }
            Done::ConnectionClosed { connection, request } => {
                self.links.remove(&connection);
                self.reply(request, Ok(Reply::Done));
            }
            Done::Acted { request, result } => self.acted(request, result),
            Done::Restarted { request, result } => self.restarted(request, result),
            Done::Read(round) => self.take_passive(round),
            Done::Totalled(round) => self.take_totals(round),
            Done::Checked { connection, cause, alive } => self.checked(connection, cause, alive),
        }
    }

    fn confirmed(&mut self, channel: ChannelId, publish: PublishId, confirmation: lapin::Confirmation) {
        let Some(line) = self.lines.get_mut(&channel) else { return };
        let how = match (how(&confirmation), line.mode) {
            (Some(how), _) => how,
            // The answer comes with its transaction's end, or there is none.
            (None, _) if line.held.contains_key(&publish) => return,
            (None, LiveMode::Transactions | LiveMode::Plain) if line.unsettled.contains_key(&publish) => {
                Confirmation::Ack
            }
            (None, LiveMode::Transactions | LiveMode::Plain) => return,
            (None, LiveMode::Confirms) => {
                let (doing, why) = ("publishing".into(), "the client library asked for no confirm".into());
                return self.fail(BrokerFailure::new(BrokerFailureKind::Broken { doing, why }, &self.address));
            }
        };
        line.progress = Instant::now();
        self.batch.confirmed.push((channel, publish, how));
        self.batch.returned.extend(confirmation.take_message().map(|message| (channel, message)));
    }

    fn connected(&mut self, connection: ConnectionId, result: Result<Dialed, DialError>) {
        let Some(link) = self.links.get_mut(&connection) else { return };
        let LiveConnectionState::Opening { request } = link.state else { return };
        let (early, vhost, runner) = (std::mem::take(&mut link.early), link.vhost.clone(), link.user.is_none());
        match result {
            Ok(dialed) => {
                link.state = LiveConnectionState::Open;
                link.dialed = Some(dialed);
                link.opened = early.len() as u32;
                self.reply(request, Ok(Reply::Done));
                for (_, channel) in early {
                    self.start_channel(channel, connection);
                }
            }
            Err(DialError::Refused(refusal)) if !runner || refusal.code != code::ACCESS_REFUSED => {
                self.not_connected(connection, request, early, refusal);
            }
            // It is down at our wish: whoever comes back may try again.
            Err(DialError::Unreachable(why)) if self.restarting => {
                self.not_connected(connection, request, early, broken(why));
            }
            Err(DialError::NoTls(fault)) if self.restarting => {
                self.not_connected(connection, request, early, broken(fault.why));
            }
            Err(error) => self.fail(failure_of(error, &self.address, &vhost)),
        }
    }

    /// Answers a connection that did not come about, and the channels that were asked for meanwhile.
    fn not_connected(
        &mut self,
        connection: ConnectionId,
        request: RequestId,
        early: Vec<(RequestId, ChannelId)>,
        refusal: Refusal,
    ) {
        if let Some(link) = self.links.get_mut(&connection) {
            link.state = LiveConnectionState::Gone;
        }
        self.reply(request, Err(refusal.clone()));
        for (request, channel) in early {
            self.lines.remove(&channel);
            self.reply(request, Err(refusal.clone()));
        }
    }

    fn opened(&mut self, channel: ChannelId, result: Result<lapin::Channel, lapin::Error>) {
        let Some(line) = self.lines.get_mut(&channel) else { return };
        let LiveChannelState::Opening { request } = line.state else { return };
        match result {
            Ok(lapin_channel) => {
                line.state = LiveChannelState::Open;
                line.channel = Some(lapin_channel);
                self.reply(request, Ok(Reply::Done));
            }
            Err(error) => self.blame(channel, &error),
        }
    }

    fn called(&mut self, channel: ChannelId, serial: u64, result: Result<Answer, CallError>) {
        let Some(line) = self.lines.get_mut(&channel) else { return };
        let Some(at) = line.calling.iter().position(|calling| calling.serial == serial) else { return };
        let answer = match result {
            Ok(answer) => answer,
            Err(CallError::Lapin(error)) => {
                line.calling[at].failed = true;
                return self.blame(channel, &error);
            }
            Err(CallError::TooLong(error)) => return self.too_long(&error),
        };
        let Some(calling) = line.calling.remove(at) else { return };
        let Purpose::Client { request, consume, get_no_ack } = calling.purpose else { return };
        let reply = match answer {
            Answer::Reply(reply) => reply,
            Answer::Consumer(stream) => {
                if let Some((consumer, no_ack)) = consume {
                    let before = line.feeds.insert(consumer, ConsumerStream::new(stream, no_ack));
                    line.replaced.extend(before);
                }
                self.waiting.remove(&request);
                self.batch.begun.push(Event::Reply { request, reply: Ok(Reply::Done) });
                return;
            }
            Answer::Committed(returned) => {
                let committed = line.end_transaction(false).into_iter();
                self.batch.confirmed.extend(committed.map(|publish| (channel, publish, Confirmation::Ack)));
                self.batch.returned.extend(returned.into_iter().map(|message| (channel, message)));
                Reply::Done
            }
            Answer::RolledBack => {
                let dropped = line.end_transaction(true).into_iter();
                self.batch.confirmed.extend(dropped.map(|publish| (channel, publish, Confirmation::RolledBack)));
                Reply::Done
            }
            Answer::Got(None) => Reply::Got(None),
            Answer::Got(Some(got)) => {
                let remaining = got.message_count.into();
                if get_no_ack == Some(false) {
                    line.outstanding.insert(got.delivery.delivery_tag);
                }
                let delivery = delivery(&self.names, got.delivery);
                Reply::Got(Some(Box::new(Got { delivery, remaining })))
            }
        };
        self.reply(request, Ok(reply));
    }

    /// Notes what an error says about its channel or connection.
    pub(crate) fn blame(&mut self, channel: ChannelId, error: &lapin::Error) {
        let Some(line) = self.lines.get_mut(&channel) else { return };
        let connection = line.connection;
        match cause_of(error) {
            Cause::Channel(refusal) => self.dying.push((channel, refusal)),
            Cause::Connection(refusal) => self.lost.push((connection, refusal)),
            Cause::Broken(text) => self.lost.push((connection, broken(text))),
            Cause::Unclear => {
                line.suspect.get_or_insert_with(Instant::now);
            }
        }
    }

    /// Reads all consumers and connection events.
    fn drain(&mut self, context: &mut Context<'_>) {
        let mut errors = Vec::new();
        for (channel, line) in &mut self.lines {
            let link = self.links.get(&line.connection);
            let muted = link.is_none_or(|link| {
                matches!(link.state, LiveConnectionState::Ending { how: EndKind::Cut | EndKind::Isolate, .. })
            });
            let from = self.batch.deliveries.len();
            for (consumer, feed) in line.feeds.iter_mut().filter(|(_, feed)| !feed.ended) {
                let mut read = 0;
                while let Poll::Ready(item) = feed.stream.poll_next_unpin(context) {
                    match item {
                        // What stands behind it is read in the next step: it came after the cancel.
                        Some(Ok(message)) if message.delivery_tag == CANCEL_TAG => {
                            let told_before = std::mem::replace(&mut feed.dismissed, true);
                            if feed.cancelled || told_before {
                                continue;
                            }
                            self.dismissed.push((*channel, consumer.clone()));
                            break;
                        }
                        Some(Ok(message)) => {
                            if !feed.no_ack {
                                line.outstanding.insert(message.delivery_tag);
                            }
                            read += 1;
                            if !muted {
                                let delivery = delivery(&self.names, message);
                                let (channel, consumer) = (*channel, consumer.clone());
                                self.batch.deliveries.push(Event::Delivered { channel, consumer, delivery });
                            }
                            if read >= self.limits.buffered_max {
                                let flood = flooded(&self.address, consumer, read);
                                self.failure.get_or_insert(flood);
                                break;
                            }
                        }
                        Some(Err(error)) => errors.push((*channel, error)),
                        None => {
                            feed.ended = true;
                            if !feed.cancelled {
                                self.ended.push((*channel, consumer.clone()));
                            }
                            break;
                        }
                    }
                }
            }
            // The broker's own order, which several consumers of a channel do not keep.
            if line.feeds.len() > 1 {
                self.batch.deliveries[from..].sort_by_key(tag_of);
            }
        }
        for (channel, error) in errors {
            self.blame(channel, &error);
        }
        self.hear_links(context);
    }

    /// Reads what connections say of themselves and of their channels; an error there names no channel.
    fn hear_links(&mut self, context: &mut Context<'_>) {
        for (connection, link) in &mut self.links {
            let Some(dialed) = &mut link.dialed else { continue };
            while let Poll::Ready(Some(event)) = dialed.events.poll_next_unpin(context) {
                match event {
                    lapin::Event::ConnectionBlocked(reason) => link.blocked = Some(reason),
                    lapin::Event::ConnectionUnblocked => link.blocked = None,
                    lapin::Event::Error(error) => match cause_of(&error) {
                        Cause::Connection(refusal) => self.lost.push((*connection, refusal)),
                        Cause::Broken(text) => self.lost.push((*connection, broken(text))),
                        Cause::Channel(refusal) => self.heard.push((*connection, refusal)),
                        Cause::Unclear => {}
                    },
                    _ => {}
                }
            }
        }
    }
}

fn tag_of(event: &Event) -> Option<DeliveryTag> {
    if let Event::Delivered { delivery, .. } = event { Some(delivery.tag) } else { None }
}

fn delivery(names: &NameMapping, message: lapin::message::Delivery) -> Delivery {
    let mut content = from_message(&message.properties, message.data);
    names.incoming(&mut content);
    Delivery {
        tag: DeliveryTag(message.delivery_tag),
        redelivered: message.redelivered,
        exchange: message.exchange.as_str().into(),
        routing_key: message.routing_key.as_str().into(),
        message: Arc::new(content).into(),
    }
}

fn broken(text: String) -> Refusal {
    Refusal::new(Scope::Connection, 0, text)
}

fn flooded(address: &Address, consumer: &str, read: usize) -> BrokerFailure {
    let read = counted(read, "message");
    let what = format!("consumer '{consumer}' was sent {read} faster than the scenario takes them");
    BrokerFailure::new(BrokerFailureKind::TooMuch { what }, address).hint("give the consumer a prefetch")
}
