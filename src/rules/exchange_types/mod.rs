//! What exchange types of plugins know beside their bindings: hashes, weights, lengths of histories, delays (PX-1 to PX-3, RT-18).
//! Never holds an exchange.

mod delayed_exchange;
mod hash_exchange;
mod jump_hash;
mod phash2;

pub use delayed_exchange::{MessageDelay, check_delayed_type, message_delay, with_negated_delay};
pub use hash_exchange::{HashInput, check_local_random_binding, hash_weight, modulus_hash, recent_history_length};
pub use jump_hash::jump_hash;
pub use phash2::{ErlangTerm, phash2};
