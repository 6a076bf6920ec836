//! AMQP by lapin: dialing, connections and channels, calls, publishes, returns, closes.
//! What lapin tells is understood here alone.

pub(crate) mod calls;
pub(crate) mod cancel_frames;
pub(crate) mod channel;
pub(crate) mod close;
pub(crate) mod close_frame_tap;
pub(crate) mod connection;
pub(crate) mod dial;
pub(crate) mod greeting;
pub(crate) mod login;
pub(crate) mod publishing;
pub(crate) mod returned;
pub(crate) mod translate;
