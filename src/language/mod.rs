//! YAML text → tree with places → templates rendered → model, with all problems at once.
//! Files and environment are handed in by a [`World`]. Never stops at the first problem, never quotes a secret.
//!
//! Stages, each a folder: `syntax` (bytes to text to tree), `expand` (templates, `for_each`, matrix), `decode` (tree to
//! model), `check` (what cannot be). The face ([`load_topology`], [`load_scenario`]) calls them in this order.

mod check;
mod complete;
mod decode;
mod expand;
mod layout;
mod reference;
mod scenario;
mod syntax;
mod topology;
mod variables;
mod words;
mod world;

pub use complete::{Completion, CompletionWord, complete};
pub use decode::suggestions::{nearest, suggest, suggest_name};
pub use expand::merge_topologies::SharedTopology;
pub use layout::format_yaml;
pub use reference::{reference, reference_of};
pub use scenario::{LoadedScenario, judged_profiles, load_scenario, load_scenario_on, share_topology};
pub use syntax::encoding::take as take_text;
pub use syntax::foreign::{ForeignKind, foreign_kind};
pub use syntax::parse::{parse_documents, plain_value};
pub use syntax::tree::{Entry, Node, NodeKind};
pub use syntax::wrong_kind::{FileKind, kind_of};
pub use topology::{LoadedTopology, TopologyFile, load_topologies, load_topology};
pub use variables::unknown_variable;
pub use words::examples::{
    Shape as ValueShape, alternatives, kind_of_argument, of_group as example_of_group, of_key as example_of_key,
};
pub use words::{OF_CONFIG, OF_SCENARIOS, OF_STEPS, OF_TOPOLOGIES, Word, WordGroup, queue_field};
pub use world::{ReadError, Settings, World};
