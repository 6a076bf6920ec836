//! Methods with a reply, as lapin calls.
//! Gives what the broker answered; never waits for a turn (the line does) and never maps names.

use crate::broker::{Method, Reply};
use crate::io::live::amqp::translate::{TooLong, short, to_table};
use crate::model::{Binding, DestinationKind};

use lapin::options::{
    BasicCancelOptions, BasicConsumeOptions, BasicGetOptions, BasicQosOptions, BasicRecoverOptions,
    ConfirmSelectOptions, ExchangeDeclareOptions, ExchangeDeleteOptions, QueueDeclareOptions, QueueDeleteOptions,
    QueuePurgeOptions,
};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, ChannelState, Connection, ErrorKind};

/// The pseudo-queue of direct reply-to.
pub(crate) const REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// What a call brought.
pub(crate) enum Answer {
    Reply(Reply),
    Consumer(Box<lapin::Consumer>),
    Got(Option<Box<lapin::message::BasicGetMessage>>),
    /// With what was returned.
    Committed(Vec<lapin::message::BasicReturnMessage>),
    RolledBack,
}

/// Why a call brought nothing.
pub(crate) enum CallError {
    TooLong(TooLong),
    Lapin(lapin::Error),
}

impl From<TooLong> for CallError {
    fn from(error: TooLong) -> Self {
        CallError::TooLong(error)
    }
}

impl From<lapin::Error> for CallError {
    fn from(error: lapin::Error) -> Self {
        CallError::Lapin(error)
    }
}

/// Opens a channel, in confirm mode or plain.
pub(crate) async fn open(connection: &Connection, confirms: bool) -> Result<Channel, lapin::Error> {
    let channel = connection.create_channel().await?;
    if confirms {
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
    }
    Ok(channel)
}

/// Cancels a consumer. lapin takes the channel's end for the answer to a cancel; it is none.
async fn cancel(channel: &Channel, consumer: ShortString) -> Result<(), CallError> {
    channel.basic_cancel(consumer, BasicCancelOptions::default()).await?;
    match channel.status().connected() {
        true => Ok(()),
        false => Err(lapin::Error::from(ErrorKind::InvalidChannelState(ChannelState::Closed, "basic.cancel")).into()),
    }
}

/// Asks for an answer that changes nothing and that any user gets: cancelling an unknown tag (CO-15).
pub(crate) async fn fence(channel: Channel) -> Result<Answer, CallError> {
    cancel(&channel, "rmqplay.fence".into()).await?;
    Ok(Answer::Reply(Reply::Done))
}

/// Calls a method.
pub(crate) async fn call(channel: Channel, method: Method) -> Result<Answer, CallError> {
    match method {
        Method::DeclareQueue(_)
        | Method::CheckQueue { .. }
        | Method::DeleteQueue { .. }
        | Method::Purge { .. }
        | Method::DeclareExchange(_)
        | Method::CheckExchange { .. }
        | Method::DeleteExchange { .. } => declare(channel, method).await.map(Answer::Reply),
        Method::Bind(binding) => bind(channel, &binding, true).await.map(Answer::Reply),
        Method::Unbind(binding) => bind(channel, &binding, false).await.map(Answer::Reply),
        Method::Get { queue, no_ack } => {
            let got = channel.basic_get(short(&queue)?, BasicGetOptions { no_ack }).await?;
            Ok(Answer::Got(got.map(Box::new)))
        }
        Method::Consume { queue, consumer, no_ack, exclusive, arguments } => {
            let (queue, tag, arguments) = (short(&queue)?, short(&consumer)?, to_table(&arguments)?);
            let options = BasicConsumeOptions { no_local: false, no_ack, exclusive, nowait: false };
            Ok(Answer::Consumer(Box::new(channel.basic_consume(queue, tag, options, arguments).await?)))
        }
        Method::Cancel { consumer } => {
            cancel(&channel, short(&consumer)?).await?;
            Ok(Answer::Reply(Reply::Done))
        }
        Method::Qos { prefetch, global } => {
            channel.basic_qos(prefetch, BasicQosOptions { global }).await?;
            Ok(Answer::Reply(Reply::Done))
        }
        Method::Recover { requeue } => {
            channel.basic_recover(BasicRecoverOptions { requeue }).await?;
            Ok(Answer::Reply(Reply::Done))
        }
        Method::ConfirmSelect => {
            channel.confirm_select(ConfirmSelectOptions::default()).await?;
            Ok(Answer::Reply(Reply::Done))
        }
        Method::TxSelect => {
            channel.tx_select().await?;
            Ok(Answer::Reply(Reply::Done))
        }
        Method::TxCommit => {
            channel.tx_commit().await?;
            // What came back stands before the answer; no confirm is waited for.
            Ok(Answer::Committed(channel.wait_for_confirms().await?))
        }
        Method::TxRollback => {
            channel.tx_rollback().await?;
            Ok(Answer::RolledBack)
        }
    }
}

async fn declare(channel: Channel, method: Method) -> Result<Reply, CallError> {
    match method {
        Method::DeclareQueue(queue) => {
            let options = QueueDeclareOptions {
                passive: false,
                durable: queue.durable,
                exclusive: queue.exclusive,
                auto_delete: queue.auto_delete,
                nowait: false,
            };
            let declared = channel.queue_declare(short(&queue.name)?, options, to_table(&queue.arguments)?).await?;
            Ok(declared_reply(&declared))
        }
        Method::CheckQueue { queue } => {
            let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            let declared = channel.queue_declare(short(&queue)?, options, FieldTable::default()).await?;
            Ok(declared_reply(&declared))
        }
        Method::DeleteQueue { queue, if_unused, if_empty } => {
            let options = QueueDeleteOptions { if_unused, if_empty, nowait: false };
            let messages = channel.queue_delete(short(&queue)?, options).await?;
            Ok(Reply::Counted { messages: messages.into() })
        }
        Method::Purge { queue } => {
            let messages = channel.queue_purge(short(&queue)?, QueuePurgeOptions { nowait: false }).await?;
            Ok(Reply::Counted { messages: messages.into() })
        }
        Method::DeclareExchange(exchange) => {
            let options = ExchangeDeclareOptions {
                passive: false,
                durable: exchange.durable,
                auto_delete: exchange.auto_delete,
                internal: exchange.internal,
                nowait: false,
            };
            short(&exchange.kind)?;
            let kind = lapin::ExchangeKind::Custom(exchange.kind.to_string());
            channel.exchange_declare(short(&exchange.name)?, kind, options, to_table(&exchange.arguments)?).await?;
            Ok(Reply::Done)
        }
        Method::CheckExchange { exchange } => {
            let options = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
            let kind = lapin::ExchangeKind::Direct;
            channel.exchange_declare(short(&exchange)?, kind, options, FieldTable::default()).await?;
            Ok(Reply::Done)
        }
        Method::DeleteExchange { exchange, if_unused } => {
            let options = ExchangeDeleteOptions { if_unused, nowait: false };
            channel.exchange_delete(short(&exchange)?, options).await?;
            Ok(Reply::Done)
        }
        _ => Ok(Reply::Done),
    }
}

fn declared_reply(queue: &lapin::Queue) -> Reply {
    Reply::Declared {
        queue: queue.name().as_str().into(),
        ready: queue.message_count().into(),
        consumers: queue.consumer_count().into(),
    }
}

async fn bind(channel: Channel, binding: &Binding, bind: bool) -> Result<Reply, CallError> {
    let (destination, source) = (short(&binding.destination)?, short(&binding.source)?);
    let (key, arguments) = (short(&binding.routing_key)?, to_table(&binding.arguments)?);
    match (binding.destination_kind, bind) {
        (DestinationKind::Queue, true) => {
            channel.queue_bind(destination, source, key, Default::default(), arguments).await?;
        }
        (DestinationKind::Queue, false) => channel.queue_unbind(destination, source, key, arguments).await?,
        (DestinationKind::Exchange, true) => {
            channel.exchange_bind(destination, source, key, Default::default(), arguments).await?;
        }
        (DestinationKind::Exchange, false) => {
            channel.exchange_unbind(destination, source, key, Default::default(), arguments).await?;
        }
    }
    Ok(Reply::Done)
}
