//! The seam between those who play and those who hold queues: plain values in both directions.
//! A [`Client`] is polled for [`Command`]s and fed [`Event`]s; the sim and the live adapter are its mirror. No async here.
//!
//! Order: commands take effect in the order in which they were polled; replies of one channel come in order; between
//! channels, and between AMQP and management, a client that needs order awaits the reply.

mod client;
mod command;
mod delivered_message;
mod delivery;
mod event;
mod exercised;
mod explanation;
mod id;
mod motion_tracker;
mod reply;

pub use client::Client;
pub use command::{Command, HEARTBEAT_S, Management, Method, Settlement};
pub use delivered_message::{DeliveredMessage, SharedMessage};
pub use delivery::Delivery;
pub use event::{Confirmation, Counts, Event};
pub use exercised::{AskedRight, Exercised, LengthLimit};
pub use explanation::{Death, Explanation, RouteHop, RoutedBy, TransactionStep, What};
pub use id::{ChannelId, ConnectionId, DeliveryTag, Ids, PublishId, RequestId};
pub use motion_tracker::{MotionTracker, OnTheWay};
pub use reply::{Got, Motion, NextMotion, Refusal, RefusalKind, Reply, Scope, code, without_entities};
