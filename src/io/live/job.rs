//! What is under way, as futures that end in a value which names what ended.
//! Each is polled once when it is submitted, so that frames enter in the order of the commands.

use crate::broker::{ChannelId, ConnectionId, PublishId, Refusal, Reply, RequestId};
use crate::io::failure::BrokerFailure;
use crate::io::live::amqp::calls::{Answer, CallError};
use crate::io::live::amqp::dial::{DialError, Dialed};
use crate::io::live::observe::watch::{PassiveRound, TotalsRound};
use std::pin::Pin;

pub(crate) type Job = Pin<Box<dyn Future<Output = Done> + Send>>;

/// What ended.
pub(crate) enum Done {
    Connected {
        connection: ConnectionId,
        result: Box<Result<Dialed, DialError>>,
    },
    /// Open, in confirm mode.
    Opened {
        channel: ChannelId,
        result: Result<lapin::Channel, lapin::Error>,
    },
    Called {
        channel: ChannelId,
        serial: u64,
        result: Result<Answer, CallError>,
    },
    Confirmed {
        channel: ChannelId,
        publish: PublishId,
        result: Result<lapin::Confirmation, lapin::Error>,
    },
    /// A polite close is over, whatever it said.
    ChannelClosed {
        channel: ChannelId,
        request: RequestId,
    },
    ConnectionClosed {
        connection: ConnectionId,
        request: RequestId,
    },
    Acted {
        request: RequestId,
        result: Result<Reply, BrokerFailure>,
    },
    /// The broker was stopped and started, or could not be.
    Restarted {
        request: RequestId,
        result: Result<(), BrokerFailure>,
    },
    Read(PassiveRound),
    Totalled(TotalsRound),
    /// After a connection broke: is the broker itself still there?
    Checked {
        connection: ConnectionId,
        cause: Refusal,
        alive: Result<(), String>,
    },
}
