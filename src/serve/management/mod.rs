//! The management API of a served broker: what an HTTP request asks for, and RabbitMQ's answer to it, as JSON.
//! Takes a request that is read already; knows no socket. Numbers that RabbitMQ gathers every five seconds are fresh here.

mod answer;
mod bindings;
mod call;
mod cluster;
mod connections;
mod definitions;
mod exchanges;
mod health;
mod import;
mod import_shapes;
mod limits;
mod listing;
mod memory;
mod messages;
mod parameters;
mod policies;
mod properties;
mod queues;
mod request;
mod rights;
mod route;
mod users;
mod vhosts;

pub use answer::ApiAnswer;
pub(crate) use memory::ManagementMemory;
pub use request::ApiRequest;
pub use route::answer_management;
