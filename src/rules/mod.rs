//! RabbitMQ's pure functions of model and profile. Never hold state.

mod arguments;

pub use arguments::{QUEUE_ARGUMENTS, QueueArgument, ValueKind, queue_argument};
