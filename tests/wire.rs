//! The codec of AMQP 0-9-1: everything that is written is read back, another implementation reads the same, and no bytes
//! make it panic, trust a length or read what it would write otherwise. `RMQPLAY_FUZZ=N` sets how many inputs are tried.

#![expect(clippy::disallowed_methods, reason = "tests read the environment")]

#[path = "support/random.rs"]
mod random;
#[path = "wire/samples.rs"]
mod samples;

use random::Random;
use rmqplay::model::{Message, Table, Value};
use rmqplay::wire::{
    AmqpMethod, ContentHeader, FRAME_MAX, FrameKind, ProtocolHeader, WireError, WireFrame, decode_method,
    decode_properties, encode_content, encode_heartbeat, encode_method, split_frame,
};

/// How many inputs are tried where nobody says.
const FUZZED: u64 = 60_000;

fn encoded(channel: u16, method: &AmqpMethod) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_method(&mut bytes, channel, method);
    bytes
}

fn only_frame(bytes: &[u8]) -> WireFrame<'_> {
    let (frame, length) = split_frame(bytes, 0).expect("readable").expect("whole");
    assert_eq!(length, bytes.len());
    frame
}

#[test]
fn every_method_survives_a_round_trip_and_is_what_another_codec_reads() {
    let random = &mut Random::new(1);
    for &(class, id, name) in AmqpMethod::ALL {
        for _ in 0..40 {
            let method = samples::method(random, name);
            assert_eq!((method.ids(), method.name()), ((class, id), name));
            let bytes = encoded(9, &method);
            let frame = only_frame(&bytes);
            assert_eq!((frame.kind(), frame.channel), (Ok(FrameKind::Method), 9));
            assert_eq!(decode_method(frame.payload), Ok(method), "{name}");
            // lapin's codec does not know the class access, which AMQP 0-9-1 dropped.
            if class != 30 {
                let other = lapin::protocol::parse_class(frame.payload);
                let (rest, other) = other.unwrap_or_else(|_| panic!("{name} is not read by lapin"));
                assert!(rest.is_empty(), "{name}: {other:?}");
            }
            for cut in 0..bytes.len() {
                assert_eq!(split_frame(&bytes[..cut], FRAME_MAX), Ok(None));
            }
        }
    }
}

#[test]
fn contents_survive_a_round_trip_in_frames_of_the_agreed_size() {
    let random = &mut Random::new(2);
    for _ in 0..400 {
        let message = samples::message(random);
        let publish = samples::method(random, "basic.publish");
        let mut bytes = Vec::new();
        encode_content(&mut bytes, 3, &publish, &message, 4_096);
        let mut rest = &bytes[..];
        let mut next = |kind: FrameKind| {
            let (frame, length) = split_frame(rest, 0).expect("readable").expect("whole");
            assert_eq!((frame.kind(), frame.channel), (Ok(kind), 3));
            assert!(length <= 4_096 || kind == FrameKind::Header, "{kind:?} of {length} bytes");
            rest = &rest[length..];
            frame.payload
        };
        assert_eq!(decode_method(next(FrameKind::Method)), Ok(publish));
        let header = ContentHeader::read(next(FrameKind::Header)).expect("long enough");
        assert_eq!((header.class, header.weight, header.body_size), (60, 0, message.body.len() as u64));
        let properties = decode_properties(header.properties).expect("properties");
        let mut body = Vec::new();
        while body.len() < message.body.len() {
            body.extend_from_slice(next(FrameKind::Body));
        }
        assert_eq!(Message { properties, body: body.into() }, message);
        assert!(rest.is_empty());
    }
}

#[test]
fn tables_keep_their_order_their_doubles_and_what_is_no_utf8() {
    let twice = vec![("b".into(), Value::I8(1)), ("a".into(), Value::Void), ("b".into(), Value::I8(2))];
    let method = AmqpMethod::ConnectionStartOk {
        client_properties: Table::from_entries(twice),
        mechanism: "PLAIN".into(),
        response: vec![0, 255],
        locale: "".into(),
    };
    let bytes = encoded(0, &method);
    let Ok(AmqpMethod::ConnectionStartOk { client_properties, .. }) = decode_method(only_frame(&bytes).payload) else {
        panic!("no start_ok")
    };
    let names: Vec<&str> = client_properties.keys().map(|name| &**name).collect();
    assert_eq!((names.as_slice(), client_properties.get("b")), (["b", "a", "b"].as_slice(), Some(&Value::I8(1))));
    assert_eq!(bytes, encoded(0, &decode_method(only_frame(&bytes).payload).expect("start_ok")));

    // A key and a long string of stray bytes: as they came.
    let mut payload = vec![0, 10, 0, 11, 0, 0, 0, 10, 2, 0xFF, 0xF4, b'S', 0, 0, 0, 2, 0xC3, 0x28];
    payload.extend_from_slice(b"\x05PLAIN\0\0\0\0\0");
    let method = decode_method(&payload).expect("start_ok");
    assert_eq!(only_frame(&encoded(0, &method)).payload, payload);
}

#[test]
fn what_is_wrong_is_told_with_rabbitmq_s_code() {
    let frame = |octet: u8, payload: &[u8], end: u8| {
        let size = (payload.len() as u32).to_be_bytes();
        [&[octet, 0, 1], size.as_slice(), payload, &[end]].concat()
    };
    let fault = |bytes: &[u8]| -> (u16, String) {
        let fault = match split_frame(bytes, 4_096) {
            Err(fault) => fault,
            Ok(None) => panic!("not whole"),
            Ok(Some((frame, _))) => match frame.kind() {
                Err(fault) => fault,
                Ok(FrameKind::Method) => decode_method(frame.payload).expect_err("a fault"),
                Ok(_) => decode_properties(&frame.payload[12..]).expect_err("a fault"),
            },
        };
        (fault.code(), fault.text())
    };
    let cases: [(Vec<u8>, u16, &str); 10] = [
        (
            frame(1, &[0, 10, 0, 51], 0xCD),
            501,
            "FRAME_ERROR - type 1, all octets = <<0,10,0,51>>: {invalid_frame_end_marker,205}",
        ),
        (
            vec![3, 0, 1, 0x20, 0, 0, 0],
            501,
            "FRAME_ERROR - type 3, all octets = <<>>: {frame_too_large,536870912,4088}",
        ),
        (frame(7, b"abc", 0xCE), 501, "FRAME_ERROR - type 7, all octets = <<\"abc\">>: unknown_frame"),
        (frame(1, &[0, 10], 0xCE), 501, "FRAME_ERROR - type 1, all octets = <<0,10>>: unknown_frame"),
        (frame(8, &[1], 0xCE), 501, "FRAME_ERROR - type 8, all octets = <<1>>: unknown_frame"),
        (frame(1, &[0, 60, 0, 80, 1, 2], 0xCE), 501, "FRAME_ERROR - cannot decode <<1,2>>"),
        (frame(1, &[0, 10, 0, 51, 0], 0xCE), 501, "FRAME_ERROR - cannot decode <<0>>"),
        (frame(1, &[0, 20, 0, 10, 1, 0xFF], 0xCE), 501, "FRAME_ERROR - Malformed UTF-8 in shortstr"),
        (frame(1, &[0, 61, 0, 1], 0xCE), 503, "COMMAND_INVALID - unknown method id {61,1}"),
        (frame(2, &[0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0], 0xCE), 541, "INTERNAL_ERROR"),
    ];
    for (bytes, code, text) in cases {
        assert_eq!(fault(&bytes), (code, text.to_owned()));
    }
    // A table that announces four gigabytes, and one in which tables are nested without end.
    let mut deep = Vec::new();
    for _ in 0..300 {
        let size = (deep.len() as u32).to_be_bytes();
        deep = [&[0, b'F'], size.as_slice(), &deep].concat();
    }
    let size = (deep.len() as u32).to_be_bytes();
    let start_ok = |table: &[u8]| [&[0, 10, 0, 11], table, b"\x05PLAIN\0\0\0\0\0"].concat();
    assert_eq!(decode_method(&start_ok(&[size.as_slice(), &deep].concat())), Err(WireError::Table));
    assert!(matches!(decode_method(&start_ok(&[0xFF; 4])), Err(WireError::Arguments { .. })));
    assert!(WireError::Table.text().starts_with("SYNTAX_ERROR - "));
}

#[test]
fn protocol_headers_are_told_apart() {
    assert_eq!(ProtocolHeader::read(b"AMQP\0\0\x09\x01"), ProtocolHeader::Amqp091);
    assert_eq!(ProtocolHeader::read(b"AMQP\x01\x01\0\x09"), ProtocolHeader::Amqp09);
    for other in [b"AMQP\0\x01\0\0", b"GET / HT", b"\x16\x03\x01\x02\0\x01\0\x01", b"AMQP\0\0\x08\0"] {
        assert_eq!(ProtocolHeader::read(other), ProtocolHeader::Other { answer: *b"AMQP\0\0\x09\x01" });
    }
    let mut heartbeat = Vec::new();
    encode_heartbeat(&mut heartbeat);
    assert_eq!(heartbeat, [8, 0, 0, 0, 0, 0, 0, 0xCE]);
}

#[test]
fn no_bytes_are_trusted() {
    let inputs = std::env::var("RMQPLAY_FUZZ").ok().and_then(|n| n.parse().ok()).unwrap_or(FUZZED);
    let random = &mut Random::new(3);
    for _ in 0..inputs {
        let mut bytes = samples::stream(random);
        samples::mutate(random, &mut bytes);
        read_all(&bytes);
    }
}

/// Reads frame after frame, and whatever is read is written and read again.
fn read_all(bytes: &[u8]) {
    let mut rest = bytes;
    while let Ok(Some((frame, length))) = split_frame(rest, FRAME_MAX) {
        rest = &rest[length..];
        match frame.kind() {
            Ok(FrameKind::Method) => {
                let Ok(method) = decode_method(frame.payload) else { continue };
                let again = encoded(frame.channel, &method);
                // Not-a-numbers equal nothing, so bytes are compared.
                let twice = decode_method(only_frame(&again).payload).expect("what was written");
                assert_eq!(encoded(frame.channel, &twice), again, "{method:?}");
            }
            Ok(FrameKind::Header) => {
                let header = ContentHeader::read(frame.payload).expect("long enough by its type");
                let Ok(properties) = decode_properties(header.properties) else { continue };
                let message = Message { properties, body: [].as_slice().into() };
                let mut again = Vec::new();
                encode_content(&mut again, 1, &AmqpMethod::TxSelect {}, &message, 0);
                assert!(split_frame(&again, 0).is_ok());
            }
            _ => {}
        }
    }
}
