//! YAML text → tree with places → templates rendered → model, with all problems at once.
//! Files and environment are handed in by a [`World`]. Never stops at the first problem, never quotes a secret.
//!
//! Stages, each a file: `intake` (bytes to text), `parse` and `grow` (text to tree), `scope` and `render` (templates and
//! `for_each`), the decoders (`topology` and `scenario`, over `fields` and `read`), `legal` and `names` (what cannot be).

mod access;
mod actions;
mod arguments;
mod broken;
mod call;
mod cast;
mod collect;
mod consumers;
mod contents;
mod expectations;
mod expressions;
mod fields;
mod grow;
mod host;
mod intake;
mod legal;
mod matchers;
mod matrix;
mod message_names;
mod names;
mod near;
mod objects;
mod open_ends;
mod parse;
mod policies;
mod policy_keys;
mod publish;
mod read;
mod render;
mod retry;
mod scalar;
mod scenario;
mod scope;
mod secrets;
mod sense;
mod stage_names;
mod steps;
mod tally;
mod topology;
mod tree;
mod variables;
mod world;
mod wrong_kind;

pub use parse::plain_value;
pub use scenario::{LoadedScenario, load_scenario};
pub use secrets::is_secret;
pub use topology::{LoadedTopology, load_topology};
pub use variables::unknown_variable;
pub use world::{Settings, World};
pub use wrong_kind::{Kind, kind_of};
