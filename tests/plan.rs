//! Plans and their applier: what is found missing or different, what would be lost, and in which order it is written.
//! `plan/` holds the topologies that the tests share and a broker that answers as it is told.

#[path = "plan/applying.rs"]
mod applying;
#[path = "plan/differing.rs"]
mod differing;
#[path = "plan/extras.rs"]
mod extras;
#[path = "plan/fake_broker.rs"]
mod fake_broker;
#[path = "plan/half_made.rs"]
mod half_made;
#[path = "plan/lacking.rs"]
mod lacking;
#[path = "plan/losing.rs"]
mod losing;
#[path = "plan/lost_ways.rs"]
mod lost_ways;
#[path = "plan/moving.rs"]
mod moving;
#[path = "plan/pruning.rs"]
mod pruning;
#[path = "plan/samples.rs"]
mod samples;
#[path = "plan/saving.rs"]
mod saving;
