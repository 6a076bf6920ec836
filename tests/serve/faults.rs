//! Clients that nobody wishes for: none brings the served broker down, fills its memory, or makes it go round for ever.

use crate::random::Random;
use crate::samples;
use crate::scripts::{SCRIPTS, declare};
use crate::talk::{Link, Served, Talk};
use rmqplay::model::{Message, Profile, Properties, Table};
use rmqplay::serve::SocketFate;
use rmqplay::wire::{AmqpMethod as M, PROTOCOL_HEADER, Ticket, encode_content, encode_method, split_frame};

/// How many inputs are tried where nobody says.
const FUZZED: u64 = 1_000;

/// What a client has said before the bytes that mean nothing, by how far it is.
fn beginnings() -> Vec<Vec<u8>> {
    let start_ok = M::ConnectionStartOk {
        client_properties: Table::new(),
        mechanism: "PLAIN".into(),
        response: b"\0guest\0guest".to_vec(),
        locale: "en_US".into(),
    };
    let methods = [
        (0, start_ok),
        (0, M::ConnectionTuneOk { channel_max: 100, frame_max: 4_096, heartbeat: 0 }),
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
    for _ in 0..inputs {
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
    talk.open();
    let publish = publish_to("q");
    for (size, said) in [
        (600_000_000_u64, "FRAME_ERROR - content body size 600000000 exceeds maximum allowed size 536870912"),
        (512_000_000, ""),
    ] {
        talk.open();
        let mut bytes = Vec::new();
        encode_method(&mut bytes, 1, &publish);
        let payload = [&[0, 60, 0, 0], size.to_be_bytes().as_slice(), &[0, 0]].concat();
        bytes.extend([2, 0, 1, 0, 0, 0, payload.len() as u8]);
        bytes.extend(payload);
        bytes.push(0xCE);
        talk.transcript.clear();
        talk.bytes("a body that is announced", &bytes);
        assert!(talk.transcript.contains(said), "{}", talk.transcript);
    }
}

#[test]
fn heartbeats_are_sent_and_missed_in_real_time() {
    let mut served = Served::new(Profile::NEWEST.into());
    let mut talk = Talk::new(&mut served);
    talk.connect();
    talk.bytes("header", &PROTOCOL_HEADER);
    talk.start_ok("PLAIN", b"\0guest\0guest", true);
    talk.method(0, &M::ConnectionTuneOk { channel_max: 100, frame_max: 4_096, heartbeat: 2 });
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
