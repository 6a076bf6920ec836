//! The simulated broker as a server: bytes of outside clients in, bytes out; between both the commands and events of the
//! seam. One state machine a connection, one [`Server`] that is the [`broker::Client`](crate::broker::Client) of them all,
//! one [`ServedBroker`] that steps it with the simulator.
//!
//! Time is an argument twice: the simulator's moment, and the real milliseconds by which heartbeats and handshakes go.
//! Never reads a socket or a clock; what an outside client sends never makes it panic or grow without bound.

mod accounts;
mod by_hand;
mod calls;
mod client_view;
mod closing;
mod connection;
mod content;
mod control;
mod faults;
mod handshake;
mod hard_error;
mod inbox;
mod leaving;
mod lookahead;
mod management;
mod outbox;
mod said;
mod sasl;
mod scenario;
mod served_broker;
mod served_channel;
mod server;
mod server_properties;
mod session;

pub use accounts::Accounts;
pub use by_hand::ClientView;
pub use control::{ControlAnswer, ControlRequest, answer_control, is_from_here, timeline_events};
pub use management::{ApiAnswer, ApiRequest, answer_management};
pub use sasl::CertificateUser;
pub use served_broker::{ServedBroker, ServedListener};
pub use server::{Server, SocketFate, SocketId};
