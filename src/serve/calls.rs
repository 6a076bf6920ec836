//! Methods of a channel as commands of the seam, and replies as methods.
//! Takes what is asked, returns a command's method with how its reply is written; says what is not simulated.

use crate::broker::{DeliveredMessage, Method, Reply, Settlement, code};
use crate::model::{Binding, DestinationKind, Exchange, Name, Queue};
use crate::serve::hard_error::HardError;
use crate::wire::AmqpMethod;

/// What a method of an open channel asks for.
#[derive(Debug, Clone)]
pub(crate) enum WireRequest {
    /// The simulator, which replies; the answer is written unless the client waits for none.
    Call(Method, Option<WireAnswer>),
    /// A settlement, which has no reply.
    Settle { tag: u64, multiple: bool, settlement: Settlement },
    /// Nothing of the simulator: this is the answer.
    Answered(AmqpMethod),
    /// Confirm mode, unless the channel has transactions.
    Confirms { nowait: bool },
    /// The rest is not for channels.
    Refused(HardError),
}

/// How a reply is written.
#[derive(Debug, Clone)]
pub(crate) enum WireAnswer {
    /// The method as it is.
    Plain(AmqpMethod),
    DeclareOk,
    PurgeOk,
    DeleteOk,
    Got,
}

/// An answer, with a message where one was got.
#[derive(Debug, Clone)]
pub(crate) struct WrittenAnswer {
    pub method: AmqpMethod,
    pub message: Option<DeliveredMessage>,
}

impl WireAnswer {
    /// Writes a reply; `None` for one that does not belong to the method.
    pub(crate) fn write(self, reply: Reply) -> Option<WrittenAnswer> {
        let plain = |method| Some(WrittenAnswer { method, message: None });
        match (self, reply) {
            (WireAnswer::Plain(method), _) => plain(method),
            (WireAnswer::DeclareOk, Reply::Declared { queue, ready, consumers }) => plain(AmqpMethod::QueueDeclareOk {
                queue,
                message_count: count(ready),
                consumer_count: count(consumers),
            }),
            (WireAnswer::PurgeOk, Reply::Counted { messages }) => {
                plain(AmqpMethod::QueuePurgeOk { message_count: count(messages) })
            }
            (WireAnswer::DeleteOk, Reply::Counted { messages }) => {
                plain(AmqpMethod::QueueDeleteOk { message_count: count(messages) })
            }
            (WireAnswer::Got, Reply::Got(None)) => plain(AmqpMethod::BasicGetEmpty { cluster_id: Name::default() }),
            (WireAnswer::Got, Reply::Got(Some(got))) => {
                let delivery = got.delivery;
                let method = AmqpMethod::BasicGetOk {
                    delivery_tag: delivery.tag.0,
                    redelivered: delivery.redelivered,
                    exchange: delivery.exchange,
                    routing_key: delivery.routing_key,
                    message_count: count(got.remaining),
                };
                Some(WrittenAnswer { method, message: Some(delivery.message) })
            }
            _ => None,
        }
    }
}

fn count(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Reads what a method asks for; `tag` makes a consumer tag where the client leaves it to the server.
pub(crate) fn asked(method: AmqpMethod, tag: impl FnOnce() -> Name) -> WireRequest {
    use AmqpMethod as M;
    match method {
        M::ExchangeDeclare { .. } | M::ExchangeDelete { .. } | M::ExchangeBind { .. } | M::ExchangeUnbind { .. } => {
            of_exchange(method)
        }
        M::QueueDeclare { .. }
        | M::QueueDelete { .. }
        | M::QueueBind { .. }
        | M::QueueUnbind { .. }
        | M::QueuePurge { .. } => of_queue(method),
        M::BasicQos { prefetch_size: 0, prefetch_count, global } => {
            let answer = WireAnswer::Plain(M::BasicQosOk {});
            WireRequest::Call(Method::Qos { prefetch: prefetch_count, global }, Some(answer))
        }
        M::BasicQos { prefetch_size, .. } => not_implemented(&method, format!("prefetch_size!=0 ({prefetch_size})")),
        M::BasicConsume { queue, consumer_tag, no_ack, exclusive, nowait, arguments, .. } => {
            let consumer = if consumer_tag.is_empty() { tag() } else { consumer_tag };
            let answer = WireAnswer::Plain(M::BasicConsumeOk { consumer_tag: consumer.clone() });
            let method = Method::Consume { queue, consumer, no_ack, exclusive, arguments };
            WireRequest::Call(method, (!nowait).then_some(answer))
        }
        M::BasicCancel { consumer_tag, nowait } => {
            let answer = WireAnswer::Plain(M::BasicCancelOk { consumer_tag: consumer_tag.clone() });
            WireRequest::Call(Method::Cancel { consumer: consumer_tag }, (!nowait).then_some(answer))
        }
        M::BasicGet { queue, no_ack, .. } => WireRequest::Call(Method::Get { queue, no_ack }, Some(WireAnswer::Got)),
        M::BasicAck { delivery_tag, multiple } => settle(delivery_tag, multiple, Settlement::Ack),
        M::BasicNack { delivery_tag, multiple, requeue } => {
            settle(delivery_tag, multiple, Settlement::Nack { requeue })
        }
        M::BasicReject { delivery_tag, requeue } => settle(delivery_tag, false, Settlement::Reject { requeue }),
        M::BasicRecover { requeue } => {
            WireRequest::Call(Method::Recover { requeue }, Some(WireAnswer::Plain(M::BasicRecoverOk {})))
        }
        M::BasicRecoverAsync { requeue } => WireRequest::Call(Method::Recover { requeue }, None),
        M::ConfirmSelect { nowait } => WireRequest::Confirms { nowait },
        M::ChannelFlow { active: true } => WireRequest::Answered(M::ChannelFlowOk { active: true }),
        M::ChannelFlow { active: false } => not_implemented(&method, "active=false"),
        M::AccessRequest { .. } => WireRequest::Answered(M::AccessRequestOk { ticket: 1 }),
        M::TxSelect {} => WireRequest::Call(Method::TxSelect, plain(false, M::TxSelectOk {})),
        M::TxCommit {} => WireRequest::Call(Method::TxCommit, plain(false, M::TxCommitOk {})),
        M::TxRollback {} => WireRequest::Call(Method::TxRollback, plain(false, M::TxRollbackOk {})),
        _ => WireRequest::Refused(HardError::plain(code::COMMAND_INVALID, "unimplemented method").by(&method)),
    }
}

fn settle(tag: u64, multiple: bool, settlement: Settlement) -> WireRequest {
    WireRequest::Settle { tag, multiple, settlement }
}

fn not_implemented(method: &AmqpMethod, text: impl AsRef<str>) -> WireRequest {
    WireRequest::Refused(HardError::plain(code::NOT_IMPLEMENTED, text).by(method))
}

fn of_exchange(method: AmqpMethod) -> WireRequest {
    use AmqpMethod as M;
    let vhost = Name::default();
    let binding = |destination, source, routing_key, arguments| {
        let vhost = Name::default();
        let destination_kind = DestinationKind::Exchange;
        Box::new(Binding { vhost, source, destination, destination_kind, routing_key, arguments })
    };
    match method {
        M::ExchangeDeclare { exchange, passive: true, nowait, .. } => {
            WireRequest::Call(Method::CheckExchange { exchange }, plain(nowait, M::ExchangeDeclareOk {}))
        }
        M::ExchangeDeclare { exchange, kind, durable, auto_delete, internal, nowait, arguments, .. } => {
            let exchange = Exchange { vhost, name: exchange, kind, durable, auto_delete, internal, arguments };
            WireRequest::Call(Method::DeclareExchange(Box::new(exchange)), plain(nowait, M::ExchangeDeclareOk {}))
        }
        M::ExchangeDelete { exchange, if_unused, nowait, .. } => {
            WireRequest::Call(Method::DeleteExchange { exchange, if_unused }, plain(nowait, M::ExchangeDeleteOk {}))
        }
        M::ExchangeBind { destination, source, routing_key, nowait, arguments, .. } => {
            let binding = binding(destination, source, routing_key, arguments);
            WireRequest::Call(Method::Bind(binding), plain(nowait, M::ExchangeBindOk {}))
        }
        M::ExchangeUnbind { destination, source, routing_key, nowait, arguments, .. } => {
            let binding = binding(destination, source, routing_key, arguments);
            WireRequest::Call(Method::Unbind(binding), plain(nowait, M::ExchangeUnbindOk {}))
        }
        other => WireRequest::Refused(HardError::plain(code::COMMAND_INVALID, "unimplemented method").by(&other)),
    }
}

fn of_queue(method: AmqpMethod) -> WireRequest {
    use AmqpMethod as M;
    let vhost = Name::default();
    let binding = |destination, source, routing_key, arguments| {
        let vhost = Name::default();
        let destination_kind = DestinationKind::Queue;
        Box::new(Binding { vhost, source, destination, destination_kind, routing_key, arguments })
    };
    match method {
        M::QueueDeclare { queue, passive: true, nowait, .. } => {
            WireRequest::Call(Method::CheckQueue { queue }, (!nowait).then_some(WireAnswer::DeclareOk))
        }
        M::QueueDeclare { queue, durable, exclusive, auto_delete, nowait, arguments, .. } => {
            let queue = Queue { vhost, name: queue, durable, auto_delete, exclusive, arguments };
            WireRequest::Call(Method::DeclareQueue(Box::new(queue)), (!nowait).then_some(WireAnswer::DeclareOk))
        }
        M::QueueDelete { queue, if_unused, if_empty, nowait, .. } => {
            let method = Method::DeleteQueue { queue, if_unused, if_empty };
            WireRequest::Call(method, (!nowait).then_some(WireAnswer::DeleteOk))
        }
        M::QueueBind { queue, exchange, routing_key, nowait, arguments, .. } => {
            let binding = binding(queue, exchange, routing_key, arguments);
            WireRequest::Call(Method::Bind(binding), plain(nowait, M::QueueBindOk {}))
        }
        M::QueueUnbind { queue, exchange, routing_key, arguments, .. } => {
            let binding = binding(queue, exchange, routing_key, arguments);
            WireRequest::Call(Method::Unbind(binding), plain(false, M::QueueUnbindOk {}))
        }
        M::QueuePurge { queue, nowait, .. } => {
            WireRequest::Call(Method::Purge { queue }, (!nowait).then_some(WireAnswer::PurgeOk))
        }
        other => WireRequest::Refused(HardError::plain(code::COMMAND_INVALID, "unimplemented method").by(&other)),
    }
}

fn plain(nowait: bool, method: AmqpMethod) -> Option<WireAnswer> {
    (!nowait).then_some(WireAnswer::Plain(method))
}
