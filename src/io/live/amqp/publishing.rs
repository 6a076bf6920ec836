//! Starts what waits on a channel, in order: publishes into the window, settlements, one method at a time.
//! Frames enter lapin's queues at the moment of the start.

use crate::broker::{ChannelId, DeliveryTag, Method, RequestId, Settlement};
use crate::io::failure::{BrokerFailure, BrokerFailureKind};
use crate::io::live::adapter::Live;
use crate::io::live::amqp::calls::{call, fence};
use crate::io::live::amqp::channel::{Calling, Item, LiveMode, Mandatory, Publishing, Purpose, describe, is_declare};
use crate::io::live::amqp::translate::{TooLong, short, to_properties};
use crate::io::live::job::Done;
use lapin::options::{BasicAckOptions, BasicNackOptions, BasicPublishOptions, BasicRejectOptions};
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::task::{Context, Waker};
use std::time::Instant;

impl Live {
    /// Starts what may be started on all channels; says whether anything was.
    pub(crate) fn start_lines(&mut self) -> bool {
        let waiting = |(_, line): &(&ChannelId, &crate::io::live::amqp::channel::LiveChannel)| !line.backlog.is_empty();
        let channels: Vec<ChannelId> = self.lines.iter().filter(waiting).map(|(channel, _)| *channel).collect();
        let mut started = false;
        for channel in channels {
            started |= self.start_line(channel);
        }
        started
    }

    /// Starts what may be started on one channel.
    pub(crate) fn start_line(&mut self, channel: ChannelId) -> bool {
        let mut started = false;
        loop {
            let window = self.limits.window;
            let Some(line) = self.lines.get_mut(&channel) else { return started };
            let Some(item) = line.next_item(window) else { return started };
            started = true;
            match item {
                Item::Publish(publishing) => self.publish(channel, *publishing),
                Item::Settle { tag, multiple, settlement } => self.settle(channel, tag, multiple, settlement),
                Item::Call { request, method } => self.start_call(channel, request, method),
                Item::Fence => self.start_fence(channel),
                Item::Close { request } => self.start_close(channel, request),
            }
        }
    }

    fn publish(&mut self, channel: ChannelId, publishing: Publishing) {
        let Some(line) = self.lines.get_mut(&channel) else { return };
        let Some(lapin_channel) = line.channel.clone() else { return };
        let Publishing { publish, exchange, routing_key, mandatory, message } = publishing;
        let frames = short(&exchange)
            .and_then(|exchange| Ok((exchange, short(&routing_key)?, to_properties(&message.properties)?)));
        let (to, key, properties) = match frames {
            Ok(frames) => frames,
            Err(error) => return self.too_long(&error),
        };
        if line.unsettled.is_empty() {
            line.progress = Instant::now();
        }
        let found_by = mandatory.then(|| Box::new(Mandatory { exchange, routing_key, message: message.clone() }));
        match line.mode {
            LiveMode::Transactions => line.held.insert(publish, found_by),
            LiveMode::Plain | LiveMode::Confirms => line.unsettled.insert(publish, found_by),
        };
        line.dirty = true;
        line.unwritten.fetch_add(1, Ordering::Relaxed);
        let unwritten = line.unwritten.clone();
        self.start(Box::pin(async move {
            let options = BasicPublishOptions { mandatory, immediate: false };
            let written = lapin_channel.basic_publish(to, key, options, &message.body, properties).await;
            unwritten.fetch_sub(1, Ordering::Relaxed);
            drop(message);
            let result = match written {
                Ok(confirm) => confirm.await,
                Err(error) => Err(error),
            };
            Done::Confirmed { channel, publish, result }
        }));
    }

    fn settle(&mut self, channel: ChannelId, tag: DeliveryTag, multiple: bool, settlement: Settlement) {
        let Some(line) = self.lines.get_mut(&channel) else { return };
        let Some(lapin_channel) = line.channel.clone() else { return };
        // "All" of nothing settles nothing.
        let Some(tag) = line.real_tag(tag, multiple) else { return };
        line.note_settled(tag, multiple);
        line.dirty = true;
        let mut context = Context::from_waker(Waker::noop());
        // One poll hands the frame over; nobody answers, and a bad tag is heard of by the channel's end.
        let _ = match settlement {
            Settlement::Ack => pin!(lapin_channel.basic_ack(tag, BasicAckOptions { multiple })).poll(&mut context),
            Settlement::Nack { requeue } => {
                pin!(lapin_channel.basic_nack(tag, BasicNackOptions { multiple, requeue })).poll(&mut context)
            }
            Settlement::Reject { requeue } => {
                pin!(lapin_channel.basic_reject(tag, BasicRejectOptions { requeue })).poll(&mut context)
            }
        };
    }

    fn start_call(&mut self, channel: ChannelId, request: RequestId, method: Method) {
        let what = describe(&method);
        let Some(line) = self.lines.get_mut(&channel) else { return };
        let Some(lapin_channel) = line.channel.clone() else { return };
        let consume = match &method {
            Method::Consume { consumer, no_ack, .. } => Some((consumer.clone(), *no_ack)),
            _ => None,
        };
        if let Method::Cancel { consumer } = &method
            && let Some(feed) = line.feeds.get_mut(consumer)
        {
            feed.cancelled = true;
        }
        if let Method::Qos { prefetch, .. } = &method {
            line.prefetch = *prefetch;
        }
        line.note_mode(&method);
        if let Method::Recover { .. } = &method {
            line.outstanding.clear();
        }
        let get_no_ack = if let Method::Get { no_ack, .. } = &method { Some(*no_ack) } else { None };
        let serial = line.begin_call(Purpose::Client { request, consume, get_no_ack }, what, is_declare(&method));
        if let Some(waiting) = self.waiting.get_mut(&request) {
            waiting.since = Instant::now();
        }
        self.start(Box::pin(async move {
            let result = call(lapin_channel, method).await;
            Done::Called { channel, serial, result }
        }));
    }

    fn start_fence(&mut self, channel: ChannelId) {
        let Some(line) = self.lines.get_mut(&channel) else { return };
        let Some(lapin_channel) = line.channel.clone() else { return };
        let serial = line.begin_call(Purpose::Fence, "waiting for what was sent before".into(), false);
        self.start(Box::pin(async move {
            let result = fence(lapin_channel).await;
            Done::Called { channel, serial, result }
        }));
    }

    fn start_close(&mut self, channel: ChannelId, request: RequestId) {
        let Some(line) = self.lines.get_mut(&channel) else { return };
        let Some(lapin_channel) = line.channel.clone() else { return };
        line.state = crate::io::live::amqp::channel::LiveChannelState::Closing;
        self.start(Box::pin(async move {
            // Whatever it says, the channel is closed.
            let _ = lapin_channel.close(200, "OK".into()).await;
            Done::ChannelClosed { channel, request }
        }));
    }

    /// A name or key that no frame can hold should have been refused when its file was read.
    pub(crate) fn too_long(&mut self, error: &TooLong) {
        let what = format!("a name is too long: {}", error.0);
        self.fail(BrokerFailure::new(BrokerFailureKind::TooMuch { what }, &self.address).hint("shorten it"));
    }

    /// Keeps the first failure.
    pub(crate) fn fail(&mut self, failure: BrokerFailure) {
        self.failure.get_or_insert(failure);
    }
}

impl crate::io::live::amqp::channel::LiveChannel {
    fn begin_call(&mut self, purpose: Purpose, what: String, is_declare: bool) -> u64 {
        self.serial += 1;
        self.dirty = false;
        let (serial, since) = (self.serial, Instant::now());
        self.calling.push_back(Calling { serial, purpose, since, what, is_declare, failed: false });
        serial
    }
}
