//! Conversations that are held with the served broker of each version and with live ones: the transcripts must be the same.

use crate::talk::Talk;
use rmqplay::model::{Properties, Table, Value};
use rmqplay::wire::{AmqpMethod as M, PROTOCOL_HEADER, Ticket};

/// What a client says, and what it reads.
pub type Script = fn(&mut Talk<'_>);

/// All conversations by name.
pub const SCRIPTS: [(&str, Script); 8] = [
    ("declaring", declaring),
    ("publishing", publishing),
    ("consuming", consuming),
    ("transactions", transactions),
    ("logins", logins),
    ("faults", faults),
    ("rights", rights),
    ("ended", ended),
];

/// Declares a durable queue.
pub fn declare(queue: &str) -> M {
    declare_with(queue, Table::new())
}

/// Declares a durable queue with arguments.
pub fn declare_with(queue: &str, arguments: Table) -> M {
    M::QueueDeclare {
        ticket: Ticket,
        queue: queue.into(),
        passive: false,
        durable: true,
        exclusive: false,
        auto_delete: false,
        nowait: false,
        arguments,
    }
}

fn delete(queue: &str) -> M {
    M::QueueDelete { ticket: Ticket, queue: queue.into(), if_unused: false, if_empty: false, nowait: false }
}

fn passive(queue: &str) -> M {
    let M::QueueDeclare { ticket, queue, durable, exclusive, auto_delete, nowait, arguments, .. } = declare(queue)
    else {
        unreachable!("a declare")
    };
    M::QueueDeclare { ticket, queue, passive: true, durable, exclusive, auto_delete, nowait, arguments }
}

fn publish(exchange: &str, routing_key: &str, mandatory: bool) -> M {
    M::BasicPublish {
        ticket: Ticket,
        exchange: exchange.into(),
        routing_key: routing_key.into(),
        mandatory,
        immediate: false,
    }
}

fn consume(queue: &str, tag: &str, no_ack: bool) -> M {
    M::BasicConsume {
        ticket: Ticket,
        queue: queue.into(),
        consumer_tag: tag.into(),
        no_local: false,
        no_ack,
        exclusive: false,
        nowait: false,
        arguments: Table::new(),
    }
}

fn get(queue: &str) -> M {
    M::BasicGet { ticket: Ticket, queue: queue.into(), no_ack: false }
}

fn open_channel(talk: &mut Talk<'_>, number: u16) {
    talk.method(number, &M::ChannelOpen { out_of_band: "".into() });
}

fn declaring(talk: &mut Talk<'_>) {
    talk.title("queues, bindings and exchanges");
    talk.open();
    talk.method(1, &declare("q"));
    talk.method(1, &passive("q"));
    let exchange = |kind: &str, passive| M::ExchangeDeclare {
        ticket: Ticket,
        exchange: "x".into(),
        kind: kind.into(),
        passive,
        durable: true,
        auto_delete: false,
        internal: false,
        nowait: false,
        arguments: Table::new(),
    };
    talk.method(1, &exchange("topic", false));
    talk.method(1, &exchange("topic", true));
    let bind = |nowait| M::QueueBind {
        ticket: Ticket,
        queue: "q".into(),
        exchange: "x".into(),
        routing_key: "a.#".into(),
        nowait,
        arguments: Table::new(),
    };
    talk.method(1, &bind(false));
    talk.method(1, &bind(true));
    talk.method(
        1,
        &M::ExchangeBind {
            ticket: Ticket,
            destination: "x".into(),
            source: "amq.fanout".into(),
            routing_key: "".into(),
            nowait: false,
            arguments: Table::new(),
        },
    );
    talk.method(
        1,
        &M::QueueUnbind {
            ticket: Ticket,
            queue: "q".into(),
            exchange: "x".into(),
            routing_key: "a.#".into(),
            arguments: Table::new(),
        },
    );
    talk.title("a channel is closed, and its number used again");
    talk.method(1, &passive("missing"));
    talk.method(1, &declare("q"));
    talk.method(1, &M::ChannelCloseOk {});
    open_channel(talk, 1);
    talk.method(1, &exchange("fanout", false));
    talk.method(1, &M::ChannelClose { reply_code: 200, reply_text: "bye".into(), class_id: 0, method_id: 0 });
    talk.method(1, &M::ChannelCloseOk {});
    open_channel(talk, 1);
    talk.method(1, &delete("q"));
    talk.method(1, &M::ExchangeDelete { ticket: Ticket, exchange: "x".into(), if_unused: false, nowait: false });
    talk.method(1, &M::ChannelClose { reply_code: 200, reply_text: "bye".into(), class_id: 0, method_id: 0 });
    talk.method(0, &M::ConnectionClose { reply_code: 200, reply_text: "bye".into(), class_id: 0, method_id: 0 });
}

fn publishing(talk: &mut Talk<'_>) {
    talk.title("without confirms, and got back");
    talk.open();
    talk.method(1, &declare("q"));
    let headers: Table =
        [("b", Value::I32(-5)), ("a", Value::Text("ä".into())), ("t", Value::Bool(true))].into_iter().collect();
    let properties = Properties {
        content_type: Some("text/plain".into()),
        headers: Some(headers),
        delivery_mode: Some(2),
        correlation_id: Some("c-1".into()),
        timestamp: Some(1_700_000_000),
        ..Properties::default()
    };
    talk.publish(1, &publish("", "q", false), properties, b"one");
    talk.method(1, &get("q"));
    talk.method(1, &M::BasicAck { delivery_tag: 1, multiple: false });
    talk.method(1, &get("q"));
    talk.title("with confirms, returned, and an empty body");
    talk.method(1, &M::ConfirmSelect { nowait: false });
    talk.publish(1, &publish("", "q", true), Properties::default(), b"");
    talk.publish(1, &publish("", "nowhere", true), Properties::default(), b"back");
    talk.publish(1, &publish("", "nowhere", false), Properties::default(), b"gone");
    talk.method(1, &M::QueuePurge { ticket: Ticket, queue: "q".into(), nowait: false });
    talk.title("a body of two frames");
    talk.publish(1, &publish("", "q", false), Properties::default(), &[b'x'; 131_064 + 3]);
    talk.method(1, &passive("q"));
    talk.method(1, &delete("q"));
    talk.title("an exchange that is not there");
    talk.publish(1, &publish("missing", "", false), Properties::default(), b"lost");
    talk.method(1, &M::ChannelCloseOk {});
    talk.title("an unknown tag");
    open_channel(talk, 1);
    talk.method(1, &M::BasicAck { delivery_tag: 7, multiple: false });
}

fn consuming(talk: &mut Talk<'_>) {
    talk.title("deliveries, settled in every way");
    talk.open();
    talk.method(1, &declare("q"));
    for body in ["one", "two", "three"] {
        talk.publish(1, &publish("", "q", false), Properties::default(), body.as_bytes());
    }
    talk.method(1, &M::BasicQos { prefetch_size: 0, prefetch_count: 2, global: false });
    talk.method(1, &consume("q", "c", false));
    talk.method(1, &M::BasicNack { delivery_tag: 1, multiple: false, requeue: true });
    talk.method(1, &M::BasicReject { delivery_tag: 2, requeue: false });
    talk.method(1, &M::BasicAck { delivery_tag: 0, multiple: true });
    talk.method(1, &M::BasicCancel { consumer_tag: "c".into(), nowait: false });
    talk.method(1, &M::BasicCancel { consumer_tag: "unknown".into(), nowait: false });
    talk.method(1, &M::BasicRecover { requeue: true });
    talk.title("a queue that goes cancels its consumer");
    talk.method(1, &consume("q", "c", true));
    open_channel(talk, 2);
    talk.method(2, &delete("q"));
    talk.title("channel.flow");
    talk.method(1, &M::ChannelFlow { active: true });
    talk.title("a tag that is taken");
    talk.method(1, &declare("q"));
    talk.method(1, &consume("q", "c", true));
    talk.method(1, &consume("q", "c", true));
    talk.method(0, &M::ConnectionCloseOk {});
    talk.open();
    talk.method(1, &delete("q"));
}

fn transactions(talk: &mut Talk<'_>) {
    talk.title("publishes and settlements, rolled back and committed");
    talk.open();
    talk.method(1, &declare("q"));
    talk.publish(1, &publish("", "q", false), Properties::default(), b"first");
    open_channel(talk, 2);
    talk.method(2, &M::TxSelect {});
    talk.method(2, &M::TxSelect {});
    talk.method(2, &get("q"));
    talk.method(2, &M::BasicAck { delivery_tag: 1, multiple: false });
    talk.publish(2, &publish("", "q", false), Properties::default(), b"second");
    talk.method(2, &M::TxRollback {});
    talk.method(2, &passive("q"));
    talk.publish(2, &publish("", "q", false), Properties::default(), b"third");
    talk.publish(2, &publish("", "missing", true), Properties::default(), b"fourth");
    talk.method(2, &M::BasicAck { delivery_tag: 1, multiple: false });
    talk.method(2, &M::TxCommit {});
    talk.method(2, &get("q"));
    talk.title("modes that exclude each other");
    talk.method(2, &M::ConfirmSelect { nowait: false });
    talk.method(2, &M::ChannelCloseOk {});
    talk.method(1, &M::TxCommit {});
    talk.method(1, &M::ChannelCloseOk {});
    open_channel(talk, 3);
    talk.method(3, &M::ConfirmSelect { nowait: false });
    talk.method(3, &M::TxSelect {});
    talk.method(3, &M::ChannelCloseOk {});
    talk.title("a settlement that was made in the transaction before");
    open_channel(talk, 4);
    talk.method(4, &M::TxSelect {});
    talk.method(4, &get("q"));
    talk.method(4, &M::BasicAck { delivery_tag: 1, multiple: false });
    talk.method(4, &M::BasicAck { delivery_tag: 1, multiple: false });
    talk.method(4, &M::ChannelCloseOk {});
    talk.title("a missing exchange");
    open_channel(talk, 5);
    talk.method(5, &M::TxSelect {});
    talk.publish(5, &publish("missing", "q", false), Properties::default(), b"fifth");
    talk.method(5, &M::ChannelCloseOk {});
    talk.title("a full queue");
    open_channel(talk, 6);
    let full =
        [("x-max-length".to_owned(), Value::I32(1)), ("x-overflow".to_owned(), Value::Text("reject-publish".into()))];
    talk.method(6, &declare_with("full", full.into_iter().collect()));
    talk.method(6, &M::TxSelect {});
    talk.publish(6, &publish("", "full", false), Properties::default(), b"sixth");
    talk.publish(6, &publish("", "full", false), Properties::default(), b"seventh");
    talk.method(6, &M::TxCommit {});
    talk.method(6, &M::ChannelCloseOk {});
    open_channel(talk, 7);
    talk.method(7, &delete("full"));
    talk.method(7, &delete("q"));
}

fn logins(talk: &mut Talk<'_>) {
    let tune_ok = |frame_max, channel_max| M::ConnectionTuneOk { channel_max, frame_max, heartbeat: 0 };
    let open = |vhost: &str| M::ConnectionOpen { virtual_host: vhost.into(), capabilities: "".into(), insist: false };
    talk.title("a password that is wrong, of a client that wants to be told");
    talk.connect();
    talk.bytes("header", &PROTOCOL_HEADER);
    talk.start_ok("PLAIN", b"\0guest\0wrong", true);
    talk.title("AMQPLAIN");
    talk.connect();
    talk.bytes("header", &PROTOCOL_HEADER);
    talk.start_ok("AMQPLAIN", b"\x05LOGINS\0\0\0\x05guest\x08PASSWORDS\0\0\0\x05guest", true);
    talk.title("a vhost that is not there");
    talk.method(0, &tune_ok(131_072, 2_047));
    talk.method(0, &open("rmqplay-missing"));
    talk.title("another protocol");
    talk.connect();
    talk.bytes("AMQP 0-10", b"AMQP\x01\x01\x00\x0a");
}

fn faults(talk: &mut Talk<'_>) {
    let mut fault = |title: &str, act: &dyn Fn(&mut Talk<'_>)| {
        talk.title(title);
        talk.open();
        act(talk);
    };
    let frame = |octet: u8, channel: u8, payload: &[u8], end: u8| -> Vec<u8> {
        let size = (payload.len() as u32).to_be_bytes();
        [&[octet, 0, channel], size.as_slice(), payload, &[end]].concat()
    };
    fault("a channel that is not open", &|talk| talk.method(2, &get("q")));
    fault("a channel that is open", &|talk| open_channel(talk, 1));
    fault("immediate", &|talk| {
        let method = M::BasicPublish {
            ticket: Ticket,
            exchange: "".into(),
            routing_key: "q".into(),
            mandatory: false,
            immediate: true,
        };
        talk.publish(1, &method, Properties::default(), b"now");
    });
    fault("a prefetch in bytes", &|talk| {
        talk.method(1, &M::BasicQos { prefetch_size: 9, prefetch_count: 1, global: false })
    });
    fault("flow off", &|talk| talk.method(1, &M::ChannelFlow { active: false }));
    fault("recover without requeue", &|talk| talk.method(1, &M::BasicRecover { requeue: false }));
    fault("a method for clients", &|talk| talk.method(1, &M::QueueDeleteOk { message_count: 0 }));
    fault("a method of a channel on the connection", &|talk| talk.method(0, &get("q")));
    fault("a method of the handshake, later", &|talk| {
        talk.method(0, &M::ConnectionTuneOk { channel_max: 0, frame_max: 0, heartbeat: 0 });
    });
    fault("a body without a method", &|talk| talk.bytes("body", &frame(3, 1, b"abc", 0xCE)));
    fault("a body on channel 0", &|talk| talk.bytes("body", &frame(3, 0, b"abc", 0xCE)));
    fault("a heartbeat on a channel", &|talk| talk.bytes("heartbeat", &frame(8, 1, b"", 0xCE)));
    fault("a frame of no type", &|talk| talk.bytes("frame", &frame(9, 1, b"abc", 0xCE)));
    fault("a frame without its end", &|talk| talk.bytes("frame", &frame(1, 1, &[0, 20, 0, 10, 0], 0xCD)));
    fault("a frame that is too large", &|talk| talk.bytes("frame", &[3, 0, 1, 0x20, 0, 0, 0]));
    fault("arguments that do not fit", &|talk| talk.bytes("ack", &frame(1, 1, &[0, 60, 0, 80, 1, 2], 0xCE)));
    fault("a method instead of a header", &|talk| {
        let mut bytes = Vec::new();
        rmqplay::wire::encode_method(&mut bytes, 1, &publish("", "q", false));
        talk.bytes("1 basic.publish without content", &bytes);
        talk.method(1, &get("q"));
    });
    fault("a header of another class", &|talk| {
        let mut bytes = Vec::new();
        rmqplay::wire::encode_method(&mut bytes, 1, &publish("", "q", false));
        bytes.extend(frame(2, 1, &[0, 50, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0xCE));
        talk.bytes("1 basic.publish", &bytes);
    });
}

fn rights(talk: &mut Talk<'_>) {
    talk.link.make_narrow_and_closed();
    let [narrow, closed] = talk.link.narrow_and_closed();
    talk.title("a vhost in which the user has no rights");
    talk.connect();
    let kept = std::mem::take(&mut talk.transcript);
    talk.bytes("header", &PROTOCOL_HEADER);
    talk.start_ok("PLAIN", b"\0guest\0guest", true);
    talk.method(0, &M::ConnectionTuneOk { channel_max: 2_047, frame_max: 131_072, heartbeat: 0 });
    talk.transcript = kept;
    talk.method(0, &M::ConnectionOpen { virtual_host: closed.into(), capabilities: "".into(), insist: false });
    let bind = M::QueueBind {
        ticket: Ticket,
        queue: "mine".into(),
        exchange: "amq.topic".into(),
        routing_key: "k".into(),
        nowait: false,
        arguments: Table::new(),
    };
    let get = |queue: &str| M::BasicGet { ticket: Ticket, queue: queue.into(), no_ack: true };
    let refused = [
        ("to configure", declare("other")),
        ("to bind to an exchange", bind),
        ("to consume", consume("other", "c", true)),
        ("to get", get("other")),
        ("to purge", M::QueuePurge { ticket: Ticket, queue: "other".into(), nowait: false }),
        ("to delete", delete("other")),
    ];
    for (what, method) in refused {
        talk.title(&format!("no right {what}"));
        talk.open_in(&narrow);
        talk.method(1, &method);
    }
    talk.title("no right to write");
    talk.open_in(&narrow);
    talk.publish(1, &publish("amq.topic", "k", false), Properties::default(), b"no");
    talk.title("what it may do");
    talk.open_in(&narrow);
    talk.method(1, &declare("mine"));
    talk.method(1, &get("mine"));
    talk.method(1, &delete("mine"));
    // 3.10 does not say which access; conformance holds that.
    for access in ["configure access", "write access", "read access"] {
        talk.transcript = talk.transcript.replace(access, "access");
    }
}

/// The management API closes connections: clients hear 320 and why.
fn ended(talk: &mut Talk<'_>) {
    for (title, reason) in [("A reason is given", Some("maintenance at noon")), ("No reason is given", None)] {
        talk.title(title);
        talk.open();
        talk.end_by_management(reason);
        talk.method(1, &declare("late"));
        talk.method(0, &M::ConnectionCloseOk {});
    }
}
