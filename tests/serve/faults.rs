//! Clients that nobody wishes for: none brings the served broker down, fills its memory, or makes it go round for ever.

use crate::clocks::consume;
use crate::random::Random;
use crate::samples;
use crate::scripts::{SCRIPTS, declare, declare_with};
use crate::talk::{Link, Served, Talk};
use rmqplay::model::{Message, Profile, Properties, Table, Value};
use rmqplay::serve::SocketFate;
use rmqplay::wire::{AmqpMethod as M, PROTOCOL_HEADER, Ticket, encode_content, encode_method, split_frame};

/// How many inputs are tried where nobody says.
const FUZZED: u64 = 3_000;

/// What a client has said before the bytes that mean nothing, by how far it is.
fn beginnings() -> Vec<Vec<u8>> {
    let mut beginnings = handshakes();
    let open = beginnings[5].clone();
    let passive = |queue: &str| M::QueueDeclare {
        ticket: Ticket,
        queue: queue.into(),
        passive: true,
        durable: false,
        exclusive: false,
        auto_delete: false,
        nowait: false,
        arguments: Table::new(),
    };
    let consume = M::BasicConsume {
        ticket: Ticket,
        queue: "fuzzed".into(),
        consumer_tag: "c".into(),
        no_local: false,
        no_ack: false,
        exclusive: false,
        nowait: false,
        arguments: Table::new(),
    };
    let close = M::ConnectionClose { reply_code: 200, reply_text: "".into(), class_id: 0, method_id: 0 };
    let leave = M::ChannelClose { reply_code: 200, reply_text: "".into(), class_id: 0, method_id: 0 };
    let rest: [&[(u16, M)]; 6] = [
        // A consumer with a delivery in hand.
        &[(1, declare("fuzzed")), (1, publish_to("fuzzed")), (1, consume)],
        // A channel that the server closed, one that the client did, a connection that either closed.
        &[(1, passive("missing"))],
        &[(1, leave)],
        &[(0, M::TxSelectOk {})],
        &[(0, close)],
        // Confirms, and several channels.
        &[
            (1, M::ConfirmSelect { nowait: true }),
            (2, M::ChannelOpen { out_of_band: "".into() }),
            (1, publish_to("fuzzed")),
        ],
    ];
    for methods in rest {
        let mut bytes = open.clone();
        for (channel, method) in methods {
            match method {
                M::BasicPublish { .. } => {
                    let message = Message { properties: Properties::default(), body: b"body".as_slice().into() };
                    encode_content(&mut bytes, *channel, method, &message, 4_096);
                }
                method => encode_method(&mut bytes, *channel, method),
            }
        }
        beginnings.push(bytes);
    }
    // A content of which the header came, and half of the body.
    let mut bytes = open;
    encode_method(&mut bytes, 1, &publish_to("q"));
    bytes.extend([2, 0, 1, 0, 0, 0, 14, 0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0xCE]);
    beginnings.push(bytes.clone());
    bytes.extend([3, 0, 1, 0, 0, 0, 4, 1, 2, 3, 4, 0xCE]);
    beginnings.push(bytes);
    beginnings
}

/// What has been said after each step of a handshake, up to a publish without its content.
fn handshakes() -> Vec<Vec<u8>> {
    let start_ok = M::ConnectionStartOk {
        client_properties: Table::new(),
        mechanism: "PLAIN".into(),
        response: b"\0guest\0guest".to_vec(),
        locale: "en_US".into(),
    };
    let methods = [
        (0, start_ok),
        (0, M::ConnectionTuneOk { channel_max: 100, frame_max: 8_192, heartbeat: 0 }),
        (0, M::ConnectionOpen { virtual_host: "/".into(), capabilities: "".into(), insist: false }),
        (1, M::ChannelOpen { out_of_band: "".into() }),
        (1, M::ConfirmSelect { nowait: false }),
        (
            1,
            M::BasicPublish {
                ticket: Ticket,
                exchange: "".into(),
                routing_key: "q".into(),
                mandatory: true,
                immediate: false,
            },
        ),
    ];
    let mut beginnings = vec![Vec::new(), PROTOCOL_HEADER.to_vec()];
    for (channel, method) in methods {
        let mut bytes = beginnings.last().cloned().unwrap_or_default();
        encode_method(&mut bytes, channel, &method);
        beginnings.push(bytes);
    }
    beginnings
}

/// Publishes to a queue by the default exchange.
fn publish_to(queue: &str) -> M {
    M::BasicPublish {
        ticket: Ticket,
        exchange: "".into(),
        routing_key: queue.into(),
        mandatory: false,
        immediate: false,
    }
}

#[test]
fn no_bytes_bring_it_down_whatever_was_said_before() {
    let inputs = std::env::var("RMQPLAY_FUZZ").ok().and_then(|n| n.parse().ok()).unwrap_or(FUZZED);
    let random = &mut Random::new(14);
    let beginnings = beginnings();
    let mut served = Served::new(Profile::NEWEST.into());
    for input in 0..inputs {
        // What was published and declared is forgotten now and then.
        if input % 500 == 499 {
            served = Served::new(Profile::ALL[(input / 500) as usize % Profile::ALL.len()].into());
        }
        served.connect();
        let mut bytes = random.pick(&beginnings).clone();
        bytes.extend(samples::stream(random));
        samples::mutate(random, &mut bytes);
        let (said, _) = served.exchange(&bytes);
        let mut rest = if said.starts_with(b"AMQP") { &said[8..] } else { &said[..] };
        while !rest.is_empty() {
            let (_, length) = split_frame(rest, 0).expect("what it says can be read").expect("whole frames");
            rest = &rest[length..];
        }
        assert_eq!(served.host.server.socket_count(), 1);
    }
    served.connect();
    let mut talk = Talk::new(&mut served);
    SCRIPTS[0].1(&mut talk);
    assert!(talk.transcript.contains("QueueDeclareOk"), "it still serves");
}

#[test]
fn a_client_that_does_not_read_is_not_read_from() {
    let mut served = Served::new(Profile::NEWEST.into());
    let mut talk = Talk::new(&mut served);
    talk.open();
    talk.method(1, &declare("q"));
    let get = M::BasicGet { ticket: Ticket, queue: "q".into(), no_ack: false };
    let publish = publish_to("q");
    let mut bytes = Vec::new();
    for _ in 0..64 {
        let message = Message { properties: Properties::default(), body: vec![7; 60_000].into() };
        encode_content(&mut bytes, 1, &publish, &message, 131_072);
    }
    served.exchange(&bytes);
    let mut bytes = Vec::new();
    (0..64).for_each(|_| encode_method(&mut bytes, 1, &get));
    let socket = served.socket();
    served.host.server.receive(socket, &bytes, 0);
    served.host.turn(0);
    let ahead = served.host.server.output(socket).len();
    assert!(ahead < 600_000, "{ahead} bytes are made ahead");
    assert!(!served.host.server.wants_input(socket), "nothing more is read from it");
    let (said, _) = served.exchange(&[]);
    assert!(said.len() > 64 * 60_000, "when it reads, it gets everything");
    assert!(served.host.server.wants_input(socket));
}

#[test]
fn a_publish_to_many_consumers_does_not_keep_the_others_waiting() {
    let mut served = Served::new(Profile::NEWEST.into());
    let mut talk = Talk::new(&mut served);
    talk.open();
    for queue in 0..50 {
        let name = format!("q{queue}");
        talk.method(1, &declare(&name));
        talk.method(
            1,
            &M::QueueBind {
                ticket: Ticket,
                queue: name.as_str().into(),
                exchange: "amq.fanout".into(),
                routing_key: "".into(),
                nowait: false,
                arguments: Table::new(),
            },
        );
        let consume = M::BasicConsume {
            ticket: Ticket,
            queue: name.as_str().into(),
            consumer_tag: name.as_str().into(),
            no_local: false,
            no_ack: false,
            exclusive: false,
            nowait: false,
            arguments: Table::new(),
        };
        talk.method(1, &consume);
    }
    let busy = served.socket();
    served.another();
    Talk::new(&mut served).open();
    let publish = M::BasicPublish {
        ticket: Ticket,
        exchange: "amq.fanout".into(),
        routing_key: "".into(),
        mandatory: false,
        immediate: false,
    };
    let mut bytes = Vec::new();
    for _ in 0..500 {
        encode_content(
            &mut bytes,
            1,
            &publish,
            &Message { properties: Properties::default(), body: vec![7].into() },
            4_096,
        );
    }
    served.host.server.receive(served.socket(), &bytes, 0);
    let mut turns = 1;
    while served.host.turn(0) {
        turns += 1;
    }
    assert!(turns >= 10, "25,000 deliveries in {turns} turns, and nobody else was looked at between");
    assert!(served.host.server.output(busy).len() > 25_000);
}

#[test]
fn a_client_that_vanishes_leaves_its_messages() {
    let mut served = Served::new(Profile::NEWEST.into());
    let mut talk = Talk::new(&mut served);
    talk.open();
    let declare = |exclusive| M::QueueDeclare {
        ticket: Ticket,
        queue: "q".into(),
        passive: false,
        durable: true,
        exclusive,
        auto_delete: false,
        nowait: false,
        arguments: Table::new(),
    };
    talk.method(1, &declare(false));
    let publish = publish_to("q");
    talk.publish(1, &publish, Properties::default(), b"one");
    let get = M::BasicGet { ticket: Ticket, queue: "q".into(), no_ack: false };
    talk.method(1, &get);
    // Half a frame, and then nothing.
    talk.bytes("half a frame", &[1, 0, 1, 0, 0, 0, 40, 0, 60]);
    talk.open();
    talk.method(1, &get);
    assert!(talk.transcript.contains("redelivered: true"), "{}", talk.transcript);
    assert_eq!(served.host.server.socket_count(), 1);
}

#[test]
fn channels_and_bodies_are_bounded() {
    let mut served = Served::new(Profile::NEWEST.into());
    let mut talk = Talk::new(&mut served);
    talk.open();
    let mut bytes = Vec::new();
    (2..=u16::MAX).for_each(|number| encode_method(&mut bytes, number, &M::ChannelOpen { out_of_band: "".into() }));
    talk.bytes("65,534 channels", &bytes);
    let refused = "NOT_ALLOWED - number of channels opened (2047) has reached the negotiated channel_max (2047)";
    assert!(talk.transcript.contains(refused), "the last words: {}", &talk.transcript[talk.transcript.len() - 300..]);
    let publish = publish_to("q");
    for (size, refusal) in [
        (600_000_000_u64, Some("FRAME_ERROR - content body size 600000000 exceeds maximum allowed size 536870912")),
        (512_000_000, None),
    ] {
        talk.open();
        let mut bytes = Vec::new();
        encode_method(&mut bytes, 1, &publish);
        let payload = [&[0, 60, 0, 0], size.to_be_bytes().as_slice(), &[0, 0]].concat();
        bytes.extend([2, 0, 1, 0, 0, 0, payload.len() as u8]);
        bytes.extend(payload);
        bytes.push(0xCE);
        // Its beginning, as one frame; the rest never comes.
        bytes.extend([3, 0, 1, 0, 0, 0, 4, 1, 2, 3, 4, 0xCE]);
        talk.transcript.clear();
        talk.bytes("a body that is announced", &bytes);
        match refusal {
            Some(refusal) => assert!(talk.transcript.contains(refusal), "{}", talk.transcript),
            None => assert_eq!(talk.transcript, "> a body that is announced\n", "the rest is waited for"),
        }
    }
    let owed = served.host.server.debt_of_bytes().expect("it owes the rest");
    assert!(owed.to_string().contains("has sent a part of a message"), "{owed}");
}

#[test]
fn heartbeats_are_sent_and_missed_in_real_time() {
    let mut served = Served::new(Profile::NEWEST.into());
    let mut talk = Talk::new(&mut served);
    talk.connect();
    talk.bytes("header", &PROTOCOL_HEADER);
    talk.start_ok("PLAIN", b"\0guest\0guest", true);
    talk.method(0, &M::ConnectionTuneOk { channel_max: 100, frame_max: 8_192, heartbeat: 2 });
    talk.method(0, &M::ConnectionOpen { virtual_host: "/".into(), capabilities: "".into(), insist: false });
    let socket = served.socket();
    let mut beats = 0;
    for ms in (0..3_900).step_by(50) {
        served.host.server.tick(ms);
        let output = served.host.server.output(socket).len();
        beats += usize::from(output > 0);
        served.host.server.sent(socket, output, ms);
        assert_eq!(served.host.server.fate(socket), SocketFate::Open, "at {ms}");
    }
    assert!((2..=4).contains(&beats), "{beats} heartbeats in 3.9 s");
    for ms in (3_900..6_000).step_by(50) {
        served.host.server.tick(ms);
    }
    assert_eq!(served.host.server.fate(socket), SocketFate::CloseWhenSent, "two were missed");
}

#[test]
fn bodies_over_the_limit_are_thrown_away_and_told_with_it() {
    for (profile, max) in [(Profile::V3_10, 134_217_728_usize), (Profile::NEWEST, 16_777_216)] {
        let mut served = Served::new(profile.into());
        let mut talk = Talk::new(&mut served);
        talk.open();
        let size = max + 1;
        let mut bytes = Vec::new();
        encode_method(&mut bytes, 1, &publish_to("q"));
        let payload = [&[0, 60, 0, 0], (size as u64).to_be_bytes().as_slice(), &[0, 0]].concat();
        bytes.extend([2, 0, 1, 0, 0, 0, payload.len() as u8]);
        bytes.extend(payload);
        bytes.push(0xCE);
        served.exchange(&bytes);
        let part = vec![7; 131_064];
        let mut left = size;
        let mut said = Vec::new();
        while left > 0 {
            let length = left.min(part.len());
            left -= length;
            let frame = [&[3, 0, 1], (length as u32).to_be_bytes().as_slice(), &part[..length], &[0xCE]].concat();
            said.extend(served.exchange(&frame).0);
        }
        let text = format!("PRECONDITION_FAILED - message size {size} is larger than configured max size {max}");
        assert!(String::from_utf8_lossy(&said).contains(&text), "{profile}: {}", String::from_utf8_lossy(&said));
    }
}

#[test]
fn who_never_settles_gets_no_more_than_its_prefetch_and_leaves_it_to_others() {
    let mut served = Served::new(Profile::NEWEST.into());
    let mut talk = Talk::new(&mut served);
    talk.open();
    talk.method(1, &declare("q"));
    for n in 0..100 {
        talk.publish(1, &publish_to("q"), Properties::default(), format!("body {n}").as_bytes());
    }
    talk.method(1, &M::BasicQos { prefetch_size: 0, prefetch_count: 10, global: false });
    let consume = M::BasicConsume {
        ticket: Ticket,
        queue: "q".into(),
        consumer_tag: "c".into(),
        no_local: false,
        no_ack: false,
        exclusive: false,
        nowait: false,
        arguments: Table::new(),
    };
    talk.transcript.clear();
    talk.method(1, &consume);
    assert_eq!(talk.transcript.matches("BasicDeliver").count(), 10);
    talk.bytes("nothing", &[]);
    assert_eq!(talk.transcript.matches("BasicDeliver").count(), 10);
    talk.open();
    talk.transcript.clear();
    talk.method(1, &M::BasicQos { prefetch_size: 0, prefetch_count: 11, global: false });
    talk.method(1, &consume);
    assert_eq!(talk.transcript.matches("redelivered: true").count(), 10, "{}", talk.transcript);
    assert_eq!(talk.transcript.matches("redelivered: false").count(), 1);
    assert!(talk.transcript.find("body 0") < talk.transcript.find("body 10"), "in their order");
}

#[test]
fn an_exclusive_queue_is_its_connection_s_alone_and_goes_with_it() {
    let mut served = Served::new(Profile::NEWEST.into());
    let other = served.host.server.accept("other", 0);
    let declare = |passive| M::QueueDeclare {
        ticket: Ticket,
        queue: "mine".into(),
        passive,
        durable: false,
        exclusive: true,
        auto_delete: false,
        nowait: false,
        arguments: Table::new(),
    };
    let mut talk = Talk::new(&mut served);
    talk.open();
    talk.method(1, &declare(false));
    assert!(talk.transcript.contains("QueueDeclareOk"), "{}", talk.transcript);
    let mut bytes = handshakes()[5].clone();
    encode_method(&mut bytes, 1, &declare(false));
    served.host.server.receive(other, &bytes, 0);
    served.host.turn(0);
    let said = String::from_utf8_lossy(served.host.server.output(other)).into_owned();
    assert!(
        said.contains("RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'mine' in vhost '/'"),
        "{said}"
    );
    // When its owner is gone, anyone may have the name.
    served.connect();
    let mut talk = Talk::new(&mut served);
    talk.open();
    talk.method(1, &declare(false));
    assert!(talk.transcript.contains("QueueDeclareOk"), "{}", talk.transcript);
}

#[test]
fn connections_that_do_nothing_are_left_alone() {
    let mut served = Served::new(Profile::NEWEST.into());
    for client in 0..100 {
        served.host.server.accept(format!("client {client}"), 0);
    }
    let mut talk = Talk::new(&mut served);
    talk.open();
    let (mut now, mut looks) = (0, 0);
    while let Some(next) = served.host.server.next_tick_ms().filter(|next| *next < 9_000) {
        assert!(next >= now, "time does not go back");
        now = next.max(now);
        served.host.server.tick(now);
        looks += 1;
    }
    assert!(looks < 50, "woken {looks} times in 9 s");
}

#[test]
fn who_leaves_in_the_write_that_settles_gets_nothing_more_of_a_quorum_queue() {
    let cancel = M::BasicCancel { consumer_tag: "c".into(), nowait: false };
    let leave = M::ChannelClose { reply_code: 200, reply_text: "".into(), class_id: 0, method_id: 0 };
    for (last, answer) in [(cancel, "BasicCancelOk"), (leave, "ChannelCloseOk")] {
        let mut served = Served::new(Profile::NEWEST.into());
        let mut talk = Talk::new(&mut served);
        talk.open();
        let quorum = [("x-queue-type", Value::Text("quorum".into()))].into_iter().collect();
        talk.method(1, &declare_with("q", quorum));
        talk.publish(1, &publish_to("q"), Properties::default(), b"one");
        talk.publish(1, &publish_to("q"), Properties::default(), b"two");
        talk.method(1, &M::BasicQos { prefetch_size: 0, prefetch_count: 1, global: false });
        talk.method(1, &consume("q", false));
        assert!(talk.transcript.contains("\"one\""), "{}", talk.transcript);
        let mut bytes = Vec::new();
        encode_method(&mut bytes, 1, &M::BasicAck { delivery_tag: 1, multiple: false });
        encode_method(&mut bytes, 1, &last);
        talk.transcript.clear();
        talk.bytes("a settlement and the end", &bytes);
        assert!(talk.transcript.contains(answer) && !talk.transcript.contains("BasicDeliver"), "{}", talk.transcript);
        talk.open();
        talk.method(1, &M::BasicGet { ticket: Ticket, queue: "q".into(), no_ack: true });
        assert!(talk.transcript.contains("redelivered: true") && talk.transcript.contains("\"two\""));
    }
}
