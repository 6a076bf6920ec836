//! Sockets of the served broker: one thread owns it, with an async runtime of its own; others ask it by a [`ServeHandle`].
//! Reads and writes bytes, keeps real time; decides nothing of what is said.

mod control;
mod event_loop;
mod handle;
mod http;
mod listen;
mod management;
mod peer;
mod play;
mod play_live;

pub use crate::io::tls::fault::TlsFault;
pub use crate::io::tls::server::{CertificateLogin, ServerTls, ServerTlsFiles};
pub use control::serve_control;
pub use handle::{ServeHandle, start_serving};
pub use listen::{AmqpListener, ListenAddress, ListenFailure, bind};
pub use management::serve_management;
pub use play::{PlayFiles, PlayHost, serve_play};
pub use play_live::play_live;
