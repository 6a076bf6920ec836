//! Every method of AMQP 0-9-1 that RabbitMQ speaks, with its ids and arguments: one table, from which the type, its names
//! and both directions of the codec are made.

#![expect(missing_docs, reason = "plain data: names of AMQP 0-9-1 that say all need no sentence")]

use crate::model::{Name, Table};
use crate::wire::decoder::{DecodeFault, Decoder};
use crate::wire::encoder::Encoder;

/// A reserved number that older versions of AMQP called a ticket: read and forgotten, written as 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ticket;

/// A type of an argument.
pub(crate) trait Argument: Sized {
    fn read(decoder: &mut Decoder<'_>) -> Result<Self, DecodeFault>;
    fn write(&self, encoder: &mut Encoder<'_>);
}

macro_rules! arguments {
    ($($kind:ty: $read:ident, |$encoder:ident, $value:ident| $write:expr;)*) => {$(
        impl Argument for $kind {
            fn read(decoder: &mut Decoder<'_>) -> Result<Self, DecodeFault> {
                decoder.$read().map(Into::into)
            }

            fn write(&self, $encoder: &mut Encoder<'_>) {
                let $value = self;
                $write
            }
        }
    )*};
}

arguments! {
    bool: bit, |encoder, value| encoder.bit(*value);
    u8: octet, |encoder, value| encoder.octet(*value);
    u16: short, |encoder, value| encoder.short(*value);
    u32: long, |encoder, value| encoder.long(*value);
    u64: longlong, |encoder, value| encoder.longlong(*value);
    Name: short_string, |encoder, value| encoder.short_string(value);
    Vec<u8>: long_bytes, |encoder, value| encoder.long_bytes(value);
    Table: table, |encoder, value| encoder.table(value);
}

impl Argument for Ticket {
    fn read(decoder: &mut Decoder<'_>) -> Result<Self, DecodeFault> {
        decoder.short().map(|_| Ticket)
    }

    fn write(&self, encoder: &mut Encoder<'_>) {
        encoder.short(0);
    }
}

/// A place for `?` to return to.
fn filled(read: impl FnOnce() -> Result<AmqpMethod, DecodeFault>) -> Result<AmqpMethod, DecodeFault> {
    read()
}

macro_rules! methods {
    ($($class:literal, $id:literal, $name:literal => $method:ident { $($argument:ident: $kind:ty),* };)*) => {
        /// A method with its arguments. Short strings are names, long strings bytes.
        #[derive(Debug, Clone, PartialEq)]
        pub enum AmqpMethod {
            $($method { $($argument: $kind),* },)*
        }

        impl AmqpMethod {
            /// The ids and the name of each method.
            pub const ALL: &[(u16, u16, &str)] = &[$(($class, $id, $name)),*];

            /// Returns the ids of its class and of itself within the class.
            pub fn ids(&self) -> (u16, u16) {
                match self {
                    $(AmqpMethod::$method { .. } => ($class, $id),)*
                }
            }

            /// Returns the name that texts use: `queue.declare`.
            pub fn name(&self) -> &'static str {
                match self {
                    $(AmqpMethod::$method { .. } => $name,)*
                }
            }

            /// Reads the arguments of a method; `None` for ids of no method.
            pub(crate) fn read(ids: (u16, u16), decoder: &mut Decoder<'_>) -> Option<Result<Self, DecodeFault>> {
                Some(match ids {
                    $(($class, $id) => filled(|| Ok(AmqpMethod::$method { $($argument: Argument::read(decoder)?),* })),)*
                    _ => return None,
                })
            }

            /// Writes the arguments.
            pub(crate) fn write(&self, encoder: &mut Encoder<'_>) {
                let _ = &encoder;
                match self {
                    $(AmqpMethod::$method { $($argument),* } => { $($argument.write(encoder);)* })*
                }
            }
        }
    };
}

methods! {
    10, 10, "connection.start" => ConnectionStart {
        version_major: u8, version_minor: u8, server_properties: Table, mechanisms: Vec<u8>, locales: Vec<u8>
    };
    10, 11, "connection.start_ok" => ConnectionStartOk {
        client_properties: Table, mechanism: Name, response: Vec<u8>, locale: Name
    };
    10, 20, "connection.secure" => ConnectionSecure { challenge: Vec<u8> };
    10, 21, "connection.secure_ok" => ConnectionSecureOk { response: Vec<u8> };
    10, 30, "connection.tune" => ConnectionTune { channel_max: u16, frame_max: u32, heartbeat: u16 };
    10, 31, "connection.tune_ok" => ConnectionTuneOk { channel_max: u16, frame_max: u32, heartbeat: u16 };
    10, 40, "connection.open" => ConnectionOpen { virtual_host: Name, capabilities: Name, insist: bool };
    10, 41, "connection.open_ok" => ConnectionOpenOk { known_hosts: Name };
    10, 50, "connection.close" => ConnectionClose {
        reply_code: u16, reply_text: Name, class_id: u16, method_id: u16
    };
    10, 51, "connection.close_ok" => ConnectionCloseOk {};
    10, 60, "connection.blocked" => ConnectionBlocked { reason: Name };
    10, 61, "connection.unblocked" => ConnectionUnblocked {};
    10, 70, "connection.update_secret" => ConnectionUpdateSecret { new_secret: Vec<u8>, reason: Name };
    10, 71, "connection.update_secret_ok" => ConnectionUpdateSecretOk {};

    20, 10, "channel.open" => ChannelOpen { out_of_band: Name };
    20, 11, "channel.open_ok" => ChannelOpenOk { channel_id: Vec<u8> };
    20, 20, "channel.flow" => ChannelFlow { active: bool };
    20, 21, "channel.flow_ok" => ChannelFlowOk { active: bool };
    20, 40, "channel.close" => ChannelClose { reply_code: u16, reply_text: Name, class_id: u16, method_id: u16 };
    20, 41, "channel.close_ok" => ChannelCloseOk {};

    30, 10, "access.request" => AccessRequest {
        realm: Name, exclusive: bool, passive: bool, active: bool, write: bool, read: bool
    };
    30, 11, "access.request_ok" => AccessRequestOk { ticket: u16 };

    40, 10, "exchange.declare" => ExchangeDeclare {
        ticket: Ticket, exchange: Name, kind: Name, passive: bool, durable: bool, auto_delete: bool, internal: bool,
        nowait: bool, arguments: Table
    };
    40, 11, "exchange.declare_ok" => ExchangeDeclareOk {};
    40, 20, "exchange.delete" => ExchangeDelete { ticket: Ticket, exchange: Name, if_unused: bool, nowait: bool };
    40, 21, "exchange.delete_ok" => ExchangeDeleteOk {};
    40, 30, "exchange.bind" => ExchangeBind {
        ticket: Ticket, destination: Name, source: Name, routing_key: Name, nowait: bool, arguments: Table
    };
    40, 31, "exchange.bind_ok" => ExchangeBindOk {};
    40, 40, "exchange.unbind" => ExchangeUnbind {
        ticket: Ticket, destination: Name, source: Name, routing_key: Name, nowait: bool, arguments: Table
    };
    40, 51, "exchange.unbind_ok" => ExchangeUnbindOk {};

    50, 10, "queue.declare" => QueueDeclare {
        ticket: Ticket, queue: Name, passive: bool, durable: bool, exclusive: bool, auto_delete: bool, nowait: bool,
        arguments: Table
    };
    50, 11, "queue.declare_ok" => QueueDeclareOk { queue: Name, message_count: u32, consumer_count: u32 };
    50, 20, "queue.bind" => QueueBind {
        ticket: Ticket, queue: Name, exchange: Name, routing_key: Name, nowait: bool, arguments: Table
    };
    50, 21, "queue.bind_ok" => QueueBindOk {};
    50, 30, "queue.purge" => QueuePurge { ticket: Ticket, queue: Name, nowait: bool };
    50, 31, "queue.purge_ok" => QueuePurgeOk { message_count: u32 };
    50, 40, "queue.delete" => QueueDelete {
        ticket: Ticket, queue: Name, if_unused: bool, if_empty: bool, nowait: bool
    };
    50, 41, "queue.delete_ok" => QueueDeleteOk { message_count: u32 };
    50, 50, "queue.unbind" => QueueUnbind {
        ticket: Ticket, queue: Name, exchange: Name, routing_key: Name, arguments: Table
    };
    50, 51, "queue.unbind_ok" => QueueUnbindOk {};

    60, 10, "basic.qos" => BasicQos { prefetch_size: u32, prefetch_count: u16, global: bool };
    60, 11, "basic.qos_ok" => BasicQosOk {};
    60, 20, "basic.consume" => BasicConsume {
        ticket: Ticket, queue: Name, consumer_tag: Name, no_local: bool, no_ack: bool, exclusive: bool, nowait: bool,
        arguments: Table
    };
    60, 21, "basic.consume_ok" => BasicConsumeOk { consumer_tag: Name };
    60, 30, "basic.cancel" => BasicCancel { consumer_tag: Name, nowait: bool };
    60, 31, "basic.cancel_ok" => BasicCancelOk { consumer_tag: Name };
    60, 40, "basic.publish" => BasicPublish {
        ticket: Ticket, exchange: Name, routing_key: Name, mandatory: bool, immediate: bool
    };
    60, 50, "basic.return" => BasicReturn {
        reply_code: u16, reply_text: Name, exchange: Name, routing_key: Name
    };
    60, 60, "basic.deliver" => BasicDeliver {
        consumer_tag: Name, delivery_tag: u64, redelivered: bool, exchange: Name, routing_key: Name
    };
    60, 70, "basic.get" => BasicGet { ticket: Ticket, queue: Name, no_ack: bool };
    60, 71, "basic.get_ok" => BasicGetOk {
        delivery_tag: u64, redelivered: bool, exchange: Name, routing_key: Name, message_count: u32
    };
    60, 72, "basic.get_empty" => BasicGetEmpty { cluster_id: Name };
    60, 80, "basic.ack" => BasicAck { delivery_tag: u64, multiple: bool };
    60, 90, "basic.reject" => BasicReject { delivery_tag: u64, requeue: bool };
    60, 100, "basic.recover_async" => BasicRecoverAsync { requeue: bool };
    60, 110, "basic.recover" => BasicRecover { requeue: bool };
    60, 111, "basic.recover_ok" => BasicRecoverOk {};
    60, 120, "basic.nack" => BasicNack { delivery_tag: u64, multiple: bool, requeue: bool };

    85, 10, "confirm.select" => ConfirmSelect { nowait: bool };
    85, 11, "confirm.select_ok" => ConfirmSelectOk {};

    90, 10, "tx.select" => TxSelect {};
    90, 11, "tx.select_ok" => TxSelectOk {};
    90, 20, "tx.commit" => TxCommit {};
    90, 21, "tx.commit_ok" => TxCommitOk {};
    90, 30, "tx.rollback" => TxRollback {};
    90, 31, "tx.rollback_ok" => TxRollbackOk {};
}
