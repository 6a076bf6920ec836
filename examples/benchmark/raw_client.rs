//! A client of AMQP 0-9-1 without anything between it and the socket: frames are made and read by the library's codec.
//! Ends the program where a broker says what it should not.

use rmqplay::model::{Message, Properties, Table, Value};
use rmqplay::wire::{
    AmqpMethod as M, FrameKind, PROTOCOL_HEADER, Ticket, decode_method, encode_content, encode_method, split_frame,
};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::Thread;
use std::time::{Duration, Instant};

const FRAME_MAX: u32 = 131_072;

/// How many publishes may be without a confirm.
const WINDOW: u64 = 2_000;

/// What the thread that reads a flow tells the one that writes it.
#[derive(Default)]
struct Progress {
    confirmed: AtomicU64,
    acks: Mutex<Vec<u8>>,
    ended: AtomicBool,
}

/// Which publishes are confirmed; confirms come in any order.
#[derive(Default)]
struct Confirmed {
    /// All up to this one are.
    up_to: u64,
    ahead: BTreeSet<u64>,
}

impl Confirmed {
    /// Takes a confirm; returns how many publishes are confirmed by now.
    fn take(&mut self, tag: u64, multiple: bool) -> u64 {
        if multiple && tag > self.up_to {
            self.up_to = tag;
            self.ahead = self.ahead.split_off(&(tag + 1));
        } else if tag > self.up_to {
            self.ahead.insert(tag);
        }
        while self.ahead.remove(&(self.up_to + 1)) {
            self.up_to += 1;
        }
        self.up_to + self.ahead.len() as u64
    }
}

/// A connection with channel 1.
pub struct RawClient {
    socket: TcpStream,
    input: Vec<u8>,
}

impl RawClient {
    /// Logs in as guest.
    pub fn open(place: &str, vhost: &str) -> Self {
        let socket = TcpStream::connect(place).expect("a connection");
        socket.set_nodelay(true).expect("no delay");
        let mut client = Self { socket, input: Vec::new() };
        client.send(&PROTOCOL_HEADER);
        client.answer();
        client.ask(
            0,
            &M::ConnectionStartOk {
                client_properties: Table::new(),
                mechanism: "PLAIN".into(),
                response: b"\0guest\0guest".to_vec(),
                locale: "en_US".into(),
            },
        );
        let tune_ok = M::ConnectionTuneOk { channel_max: 2_047, frame_max: FRAME_MAX, heartbeat: 0 };
        let mut bytes = Vec::new();
        encode_method(&mut bytes, 0, &tune_ok);
        client.send(&bytes);
        client.ask(0, &M::ConnectionOpen { virtual_host: vhost.into(), capabilities: "".into(), insist: false });
        client.ask(1, &M::ChannelOpen { out_of_band: "".into() });
        client
    }

    /// Declares a durable queue.
    pub fn declare(&mut self, queue: &str, arguments: Table) {
        self.ask(
            1,
            &M::QueueDeclare {
                ticket: Ticket,
                queue: queue.into(),
                passive: false,
                durable: true,
                exclusive: false,
                auto_delete: false,
                nowait: false,
                arguments,
            },
        );
    }

    /// Consumes with acknowledgements.
    pub fn consume(&mut self, queue: &str) {
        let consume = M::BasicConsume {
            ticket: Ticket,
            queue: queue.into(),
            consumer_tag: "c".into(),
            no_local: false,
            no_ack: false,
            exclusive: false,
            nowait: false,
            arguments: Table::new(),
        };
        self.ask(1, &consume);
    }

    /// Publishes so many bodies with confirms, and consumes and acknowledges each; returns how long that took.
    pub fn flow(&mut self, queue: &str, count: u64, body: &[u8]) -> Duration {
        self.ask(1, &M::BasicQos { prefetch_size: 0, prefetch_count: 1_000, global: false });
        self.consume(queue);
        self.ask(1, &M::ConfirmSelect { nowait: false });
        let message =
            Message { properties: Properties { delivery_mode: Some(2), ..Properties::default() }, body: body.into() };
        let mut one = Vec::new();
        encode_content(&mut one, 1, &publish(queue), &message, FRAME_MAX);
        let progress = Progress::default();
        // As many as make a good write; none larger than the smallest window.
        let at_once = (131_072 / one.len()).clamp(1, 250);
        let batch = one.repeat(at_once);
        let mut writing = self.socket.try_clone().expect("a handle");
        let began = Instant::now();
        std::thread::scope(|scope| {
            // One thread writes, or an acknowledgement would come between two halves of a frame.
            let writer = scope.spawn(|| {
                let mut sent = 0;
                while sent < count || !progress.ended.load(Ordering::Relaxed) {
                    let acks = std::mem::take(&mut *progress.acks.lock().expect("no panic"));
                    writing.write_all(&acks).expect("written");
                    let may = (progress.confirmed.load(Ordering::Relaxed) + WINDOW).min(count) - sent;
                    if may == 0 || (may < at_once as u64 && sent + may < count) {
                        if acks.is_empty() {
                            std::thread::park_timeout(Duration::from_micros(200));
                        }
                        continue;
                    }
                    let now = may.min(at_once as u64);
                    writing.write_all(&batch[..now as usize * one.len()]).expect("written");
                    sent += now;
                }
                let acks = std::mem::take(&mut *progress.acks.lock().expect("no panic"));
                writing.write_all(&acks).expect("written");
            });
            self.settle_all(count, &progress, writer.thread());
        });
        began.elapsed()
    }

    /// Reads until so many are delivered and confirmed; leaves an acknowledgement of each to the thread that writes.
    fn settle_all(&mut self, count: u64, progress: &Progress, writer: &Thread) {
        let (mut delivered, mut piece) = (0, vec![0; 1 << 18]);
        let (mut confirmed, mut how_many) = (Confirmed::default(), 0);
        while delivered < count || how_many < count {
            let read = self.socket.read(&mut piece).expect("an answer");
            assert!(read > 0, "the broker closed the connection");
            self.input.extend_from_slice(&piece[..read]);
            let mut at = 0;
            let mut acks = progress.acks.lock().expect("no panic");
            while let Some((frame, length)) = split_frame(&self.input[at..], 0).expect("frames") {
                at += length;
                if frame.kind() != Ok(FrameKind::Method) {
                    continue;
                }
                match decode_method(frame.payload).expect("a method") {
                    M::BasicDeliver { delivery_tag, .. } => {
                        delivered += 1;
                        encode_method(&mut acks, 1, &M::BasicAck { delivery_tag, multiple: false });
                    }
                    M::BasicAck { delivery_tag, multiple } => {
                        how_many = confirmed.take(delivery_tag, multiple);
                        progress.confirmed.store(how_many, Ordering::Relaxed);
                    }
                    other => panic!("{other:?}"),
                }
            }
            drop(acks);
            self.input.drain(..at);
            writer.unpark();
        }
        progress.ended.store(true, Ordering::Relaxed);
        writer.unpark();
    }

    /// Publishes without confirms, then asks something, so that all has come.
    pub fn publish_all(&mut self, queue: &str, count: usize, body: &[u8]) {
        let message = Message { properties: Properties::default(), body: body.into() };
        let mut one = Vec::new();
        encode_content(&mut one, 1, &publish(queue), &message, FRAME_MAX);
        self.send(&one.repeat(count));
        self.ask(1, &M::BasicQos { prefetch_size: 0, prefetch_count: 0, global: false });
    }

    /// Acknowledges what comes, on a thread of its own, and publishes it to another queue where one is named.
    pub fn work(mut self, onwards: Option<&'static str>) {
        std::thread::spawn(move || {
            let mut answers = Vec::new();
            let mut piece = vec![0; 1 << 16];
            while let Ok(read @ 1..) = self.socket.read(&mut piece) {
                self.input.extend_from_slice(&piece[..read]);
                let mut at = 0;
                while let Some((frame, length)) = split_frame(&self.input[at..], 0).expect("frames") {
                    at += length;
                    if frame.kind() != Ok(FrameKind::Method) {
                        continue;
                    }
                    let Ok(M::BasicDeliver { delivery_tag, .. }) = decode_method(frame.payload) else { continue };
                    if let Some(queue) = onwards {
                        let message = Message { properties: Properties::default(), body: b"again".as_slice().into() };
                        encode_content(&mut answers, 1, &publish(queue), &message, FRAME_MAX);
                    }
                    encode_method(&mut answers, 1, &M::BasicAck { delivery_tag, multiple: false });
                }
                self.input.drain(..at);
                if self.socket.write_all(&answers).is_err() {
                    return;
                }
                answers.clear();
            }
        });
    }

    fn send(&mut self, bytes: &[u8]) {
        self.socket.write_all(bytes).expect("written");
    }

    /// Sends a method and waits for an answer.
    fn ask(&mut self, channel: u16, method: &M) {
        let mut bytes = Vec::new();
        encode_method(&mut bytes, channel, method);
        self.send(&bytes);
        self.answer();
    }

    fn answer(&mut self) {
        let mut piece = [0; 4_096];
        loop {
            if let Some((frame, length)) = split_frame(&self.input, 0).expect("frames") {
                let said = decode_method(frame.payload).expect("a method");
                assert!(!matches!(said, M::ConnectionClose { .. } | M::ChannelClose { .. }), "{said:?}");
                self.input.drain(..length);
                return;
            }
            let read = self.socket.read(&mut piece).expect("an answer");
            assert!(read > 0, "the broker closed the connection");
            self.input.extend_from_slice(&piece[..read]);
        }
    }
}

fn publish(queue: &str) -> M {
    M::BasicPublish {
        ticket: Ticket,
        exchange: "".into(),
        routing_key: queue.into(),
        mandatory: false,
        immediate: false,
    }
}

/// Returns arguments of a queue whose messages go elsewhere after a time.
pub fn waiting(ttl_ms: i64, to: &str) -> Table {
    [
        ("x-message-ttl", Value::I64(ttl_ms)),
        ("x-dead-letter-exchange", Value::Text("".into())),
        ("x-dead-letter-routing-key", Value::Text(to.into())),
    ]
    .into_iter()
    .collect()
}
