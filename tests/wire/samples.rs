//! Random methods, messages and streams of frames, and ways to spoil them.

use crate::random::Random;
use rmqplay::model::{Message, Name, Properties, Table, Value};
use rmqplay::wire::{AmqpMethod, Ticket, encode_content, encode_heartbeat, encode_method};

/// Draws a text that fits a short string.
fn name(random: &mut Random) -> Name {
    text_of(random, &["a", "Z", "9", ".", "-", "é", "→", "𝄞", "\0"])
}

/// Draws a text that may hold bytes that are no UTF-8, as the codec shows them.
fn stray(random: &mut Random) -> Name {
    text_of(random, &["a", "Z", "9", "é", "𝄞", "\u{10fffe}", "\u{10ffff}"])
}

fn text_of(random: &mut Random, letters: &[&str]) -> Name {
    let length = if random.below(20) == 0 { 60 } else { random.below(12) };
    (0..length).map(|_| *random.pick(letters)).collect::<String>().into()
}

fn bytes(random: &mut Random, most: u64) -> Vec<u8> {
    let length = random.below(most);
    (0..length).map(|_| random.below(256) as u8).collect()
}

/// How the texts of a table are drawn.
type DrawText = fn(&mut Random) -> Name;

fn table(random: &mut Random, level: u32, text: DrawText) -> Table {
    (0..random.below(6)).map(|_| (text(random), value(random, level, text))).collect()
}

fn value(random: &mut Random, level: u32, text: DrawText) -> Value {
    let n = random.below(u64::MAX);
    match random.below(if level < 4 { 17 } else { 15 }) {
        0 => Value::Void,
        1 => Value::Bool(n.is_multiple_of(2)),
        2 => Value::I8(n as i8),
        3 => Value::U8(n as u8),
        4 => Value::I16(n as i16),
        5 => Value::U16(n as u16),
        6 => Value::I32(n as i32),
        7 => Value::U32(n as u32),
        8 => Value::I64(n as i64),
        9 => Value::F32((n as i32) as f32),
        10 => Value::F64((n as i64) as f64),
        11 => Value::Decimal(n as u8, (n >> 8) as u32),
        12 => Value::Text(text(random)),
        13 => Value::Bytes(bytes(random, 20)),
        14 => Value::Timestamp(n),
        15 => Value::Array((0..random.below(5)).map(|_| value(random, level + 1, text)).collect()),
        _ => Value::Table(table(random, level + 1, text)),
    }
}

/// Draws a message.
pub fn message(random: &mut Random) -> Message {
    let text = |random: &mut Random| (random.below(3) == 0).then(|| stray(random));
    let octet = |random: &mut Random| (random.below(3) == 0).then(|| random.below(256) as u8);
    let properties = Properties {
        content_type: text(random),
        content_encoding: text(random),
        headers: (random.below(2) == 0).then(|| table(random, 0, stray)),
        delivery_mode: octet(random),
        priority: octet(random),
        correlation_id: text(random),
        reply_to: text(random),
        expiration: text(random),
        message_id: text(random),
        timestamp: (random.below(3) == 0).then(|| random.below(u64::MAX)),
        kind: text(random),
        user_id: text(random),
        app_id: text(random),
        cluster_id: text(random),
    };
    let most = *random.pick(&[1, 100, 9_000]);
    Message { properties, body: bytes(random, most).into() }
}

/// Draws a method of a name.
pub fn method(random: &mut Random, called: &str) -> AmqpMethod {
    let ticket = Ticket;
    let mut s = || name(random);
    let (n1, n2, n3, n4) = (s(), s(), s(), s());
    let mut b = || random.below(2) == 0;
    let (b1, b2, b3, b4, b5) = (b(), b(), b(), b(), b());
    let n = random.below(u64::MAX);
    let (short, long, octet) = (n as u16, (n >> 16) as u32, (n >> 48) as u8);
    let blob = bytes(random, 40);
    let arguments = table(random, 0, name);
    use AmqpMethod as M;
    match called {
        "connection.start" => M::ConnectionStart {
            version_major: octet,
            version_minor: 9,
            server_properties: arguments,
            mechanisms: blob,
            locales: b"en_US".to_vec(),
        },
        "connection.start_ok" => {
            M::ConnectionStartOk { client_properties: arguments, mechanism: n1, response: blob, locale: n2 }
        }
        "connection.secure" => M::ConnectionSecure { challenge: blob },
        "connection.secure_ok" => M::ConnectionSecureOk { response: blob },
        "connection.tune" => M::ConnectionTune { channel_max: short, frame_max: long, heartbeat: octet.into() },
        "connection.tune_ok" => M::ConnectionTuneOk { channel_max: short, frame_max: long, heartbeat: octet.into() },
        "connection.open" => M::ConnectionOpen { virtual_host: n1, capabilities: n2, insist: b1 },
        "connection.open_ok" => M::ConnectionOpenOk { known_hosts: n1 },
        "connection.close" => {
            M::ConnectionClose { reply_code: short, reply_text: n1, class_id: octet.into(), method_id: 40 }
        }
        "connection.close_ok" => M::ConnectionCloseOk {},
        "connection.blocked" => M::ConnectionBlocked { reason: n1 },
        "connection.unblocked" => M::ConnectionUnblocked {},
        "connection.update_secret" => M::ConnectionUpdateSecret { new_secret: blob, reason: n1 },
        "connection.update_secret_ok" => M::ConnectionUpdateSecretOk {},
        "channel.open" => M::ChannelOpen { out_of_band: n1 },
        "channel.open_ok" => M::ChannelOpenOk { channel_id: blob },
        "channel.flow" => M::ChannelFlow { active: b1 },
        "channel.flow_ok" => M::ChannelFlowOk { active: b1 },
        "channel.close" => M::ChannelClose { reply_code: 404, reply_text: n1, class_id: short, method_id: 10 },
        "channel.close_ok" => M::ChannelCloseOk {},
        "access.request" => M::AccessRequest { realm: n1, exclusive: b1, passive: b2, active: b3, write: b4, read: b5 },
        "access.request_ok" => M::AccessRequestOk { ticket: short },
        "exchange.declare" => M::ExchangeDeclare {
            ticket,
            exchange: n1,
            kind: n2,
            passive: b1,
            durable: b2,
            auto_delete: b3,
            internal: b4,
            nowait: b5,
            arguments,
        },
        "exchange.declare_ok" => M::ExchangeDeclareOk {},
        "exchange.delete" => M::ExchangeDelete { ticket, exchange: n1, if_unused: b1, nowait: b2 },
        "exchange.delete_ok" => M::ExchangeDeleteOk {},
        "exchange.bind" => {
            M::ExchangeBind { ticket, destination: n1, source: n2, routing_key: n3, nowait: b1, arguments }
        }
        "exchange.bind_ok" => M::ExchangeBindOk {},
        "exchange.unbind" => {
            M::ExchangeUnbind { ticket, destination: n1, source: n2, routing_key: n3, nowait: b1, arguments }
        }
        "exchange.unbind_ok" => M::ExchangeUnbindOk {},
        "queue.declare" => M::QueueDeclare {
            ticket,
            queue: n1,
            passive: b1,
            durable: b2,
            exclusive: b3,
            auto_delete: b4,
            nowait: b5,
            arguments,
        },
        "queue.declare_ok" => M::QueueDeclareOk { queue: n1, message_count: long, consumer_count: short.into() },
        "queue.bind" => M::QueueBind { ticket, queue: n1, exchange: n2, routing_key: n3, nowait: b1, arguments },
        "queue.bind_ok" => M::QueueBindOk {},
        "queue.purge" => M::QueuePurge { ticket, queue: n1, nowait: b1 },
        "queue.purge_ok" => M::QueuePurgeOk { message_count: long },
        "queue.delete" => M::QueueDelete { ticket, queue: n1, if_unused: b1, if_empty: b2, nowait: b3 },
        "queue.delete_ok" => M::QueueDeleteOk { message_count: long },
        "queue.unbind" => M::QueueUnbind { ticket, queue: n1, exchange: n2, routing_key: n3, arguments },
        "queue.unbind_ok" => M::QueueUnbindOk {},
        "basic.qos" => M::BasicQos { prefetch_size: long, prefetch_count: short, global: b1 },
        "basic.qos_ok" => M::BasicQosOk {},
        "basic.consume" => M::BasicConsume {
            ticket,
            queue: n1,
            consumer_tag: n2,
            no_local: b1,
            no_ack: b2,
            exclusive: b3,
            nowait: b4,
            arguments,
        },
        "basic.consume_ok" => M::BasicConsumeOk { consumer_tag: n1 },
        "basic.cancel" => M::BasicCancel { consumer_tag: n1, nowait: b1 },
        "basic.cancel_ok" => M::BasicCancelOk { consumer_tag: n1 },
        "basic.publish" => M::BasicPublish { ticket, exchange: n1, routing_key: n2, mandatory: b1, immediate: b2 },
        "basic.return" => M::BasicReturn { reply_code: 312, reply_text: n1, exchange: n2, routing_key: n3 },
        "basic.deliver" => {
            M::BasicDeliver { consumer_tag: n1, delivery_tag: n, redelivered: b1, exchange: n2, routing_key: n3 }
        }
        "basic.get" => M::BasicGet { ticket, queue: n1, no_ack: b1 },
        "basic.get_ok" => {
            M::BasicGetOk { delivery_tag: n, redelivered: b1, exchange: n1, routing_key: n2, message_count: long }
        }
        "basic.get_empty" => M::BasicGetEmpty { cluster_id: n4 },
        "basic.ack" => M::BasicAck { delivery_tag: n, multiple: b1 },
        "basic.reject" => M::BasicReject { delivery_tag: n, requeue: b1 },
        "basic.recover_async" => M::BasicRecoverAsync { requeue: b1 },
        "basic.recover" => M::BasicRecover { requeue: b1 },
        "basic.recover_ok" => M::BasicRecoverOk {},
        "basic.nack" => M::BasicNack { delivery_tag: n, multiple: b1, requeue: b2 },
        "confirm.select" => M::ConfirmSelect { nowait: b1 },
        "confirm.select_ok" => M::ConfirmSelectOk {},
        "tx.select" => M::TxSelect {},
        "tx.select_ok" => M::TxSelectOk {},
        "tx.commit" => M::TxCommit {},
        "tx.commit_ok" => M::TxCommitOk {},
        "tx.rollback" => M::TxRollback {},
        "tx.rollback_ok" => M::TxRollbackOk {},
        other => panic!("no sample of {other}"),
    }
}

/// Draws a stream of a few frames, or bytes of no meaning.
pub fn stream(random: &mut Random) -> Vec<u8> {
    if random.below(8) == 0 {
        return bytes(random, 300);
    }
    let mut out = Vec::new();
    for _ in 0..=random.below(3) {
        let channel = random.below(4) as u16;
        match random.below(6) {
            0 => encode_heartbeat(&mut out),
            1 => {
                let message = Message { body: bytes(random, 50).into(), ..message(random) };
                encode_content(&mut out, channel, &method(random, "basic.publish"), &message, 4_096);
            }
            _ => {
                let (_, _, called) = *random.pick(AmqpMethod::ALL);
                encode_method(&mut out, channel, &method(random, called));
            }
        }
    }
    out
}

/// Changes, takes away, doubles or puts in a few bytes.
pub fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..random.below(4) {
        let length = bytes.len() as u64;
        if length == 0 {
            return;
        }
        let at = random.below(length) as usize;
        match random.below(6) {
            0 => bytes[at] = random.below(256) as u8,
            1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes[at] = *random.pick(&[0, 1, 0x7F, 0x80, 0xFE, 0xFF, 0xCE, b'F', b'A', b'S']),
            3 => bytes.truncate(at),
            4 => bytes.insert(at, random.below(256) as u8),
            _ => {
                let part = bytes[at..].to_vec();
                bytes.extend_from_slice(&part[..part.len().min(64)]);
            }
        }
    }
}
