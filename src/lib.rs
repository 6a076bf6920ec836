//! # rmqplay rehearses RabbitMQ topologies
//!
//! A *topology* file declares what a broker should hold; a *scenario* file plays publishers and consumers against it,
//! states what must happen, and keeps the outcome as a reviewed *snapshot*. The same files run against a simulated
//! broker under virtual time and against any number of live RabbitMQ versions.
//!
//! ```text
//!   foreign files ──► convert ──► YAML, definitions.json
//!                      │ ▲
//!   files ──► language ──► model ──► player ─┐ commands       ┌─► sim       (simulate steps both, jumping the clock)
//!               │                      plan ─┤  ──────► broker ┤
//!             source                         │  ◄──────  seam  └─► io::live  (lapin, management API)
//!               │                            │ events
//!            problems                     timeline ──► verdicts, outcome ──► report ──► cli
//! ```
//!
//! ## The rooms, in the order that data flows
//!
//! | room | takes → gives | never |
//! |---|---|---|
//! | [`source`] | text with a name → spans and problems | reads a file, draws |
//! | [`model`] | the nouns of topologies and scenarios | decides what a broker does |
//! | [`rules`] | RabbitMQ's pure functions: routing, policies, arguments, permissions; the rule book | holds state |
//! | [`language`] | YAML text → tree with spans → model, all problems at once | stops at the first problem |
//! | [`convert`] | files of other tools → topology → YAML or a definitions file | reads a file, writes an unproven one |
//! | [`broker`] | the seam: commands, events, replies, the [`broker::Client`] trait | acts |
//! | [`wire`] | bytes ↔ frames ↔ methods and tables of AMQP 0-9-1 | reads a socket, trusts a length |
//! | [`sim`] | commands and a moment in, events and the next wake-up out | reads a clock, loses a message silently |
//! | [`plan`] | desired and observed topology → ordered, explained changes → commands | deletes what it was not told to |
//! | [`player`] | a scenario as a state machine → timeline → verdicts, outcome | knows which broker it plays on |
//! | [`simulate`] | steps a client and the sim together, also under other schedules | waits |
//! | [`clock`] | real time and what is under way → the moment of a served broker | reads a clock, steps a broker |
//! | [`foresee`] | topologies and scenarios → findings, ways, tables: what would happen | plays, answers by itself |
//! | [`compare`] | a cell on two brokers → the rules that make it end otherwise | plays on a real broker |
//! | [`report`] | timelines, plans, problems, outcomes → text, JSON, JUnit, snapshots | prints |
//! | [`serve`] | bytes of outside clients → commands, events → bytes: the simulator as a broker | reads a socket or a clock |
//! | [`play`] | requests and real time → a run that somebody holds, as a page shows it | reads a socket, a clock or a file |
//! | [`playground`] | files as texts → problems, completions, runs and comparisons as JSON, for a browser | reads a file, waits for a server |
//! | `io` | the only room with sockets, files, clock, runtime | decides |
//! | `cli` | arguments → exit code; joins the rest | holds logic of another room |
//!
//! Each room uses only rooms above it; all but the last two are pure. `tests/architecture.rs` holds the table that
//! enforces this, and `cargo build --lib --no-default-features` builds the pure rooms alone.

pub mod broker;
#[cfg(feature = "io")]
pub mod cli;
pub mod clock;
pub mod compare;
pub mod convert;
pub mod foresee;
#[cfg(feature = "io")]
pub mod io;
pub mod language;
pub mod model;
pub mod plan;
pub mod play;
pub mod player;
pub mod playground;
pub mod report;
pub mod rules;
pub mod serve;
pub mod sim;
pub mod simulate;
pub mod source;
pub mod wire;
