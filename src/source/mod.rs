//! Text with a name, places in it, and what can be wrong with it.
//! Takes file texts that somebody else read; gives spans and problems as data. Never reads a file, never draws.

mod problem;
mod text;

pub use problem::{Label, Level, Problem};
pub use text::{FileId, Position, Source, Sources, Span};
