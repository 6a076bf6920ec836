//! Text with a name, places in it, and what can be wrong with it.
//! Takes file texts that somebody else read; gives spans and problems as data. Never reads a file, never draws.

mod code;
mod guide;
mod problem;
mod secret;
mod sections;
mod spelling;
mod text;

pub use code::{Code, CodeFamily};
pub use guide::{CodeChapter, CodeSection, ExampleFile, code_chapters};
pub use problem::{Help, Label, Level, Problem};
pub use secret::{is_secret, passwords_in_urls, without_passwords_in_urls};
pub use sections::{Block, Chapter, Section};
pub use spelling::{nearest_name, plain_spelling, squeezed_spelling};
pub use text::{FileId, Position, Source, Sources, Span};
