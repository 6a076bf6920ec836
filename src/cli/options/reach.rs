//! The flags that say how far an apply reaches beyond adding and changing, as clap reads them.

use crate::model::Replacement;
use crate::plan::DeletionScope;
use crate::source::{Help, nearest_name};
use clap::Args;

/// How far an apply reaches beyond adding and changing.
#[derive(Debug, Args)]
pub struct ReachOptions {
    /// How a queue is replaced that differs in what RabbitMQ never changes: refuse, if-empty (where it holds no message),
    /// drop (its messages are lost), or move (they are kept); `replace:` of a queue in the file comes first.
    #[arg(long, value_name = "HOW", default_value = "refuse", value_parser = replacement)]
    pub replace: Replacement,
    /// Move queues although they have consumers; what reaches them by the default exchange or as a dead letter while they
    /// are replaced is lost.
    #[arg(long)]
    pub while_publishing: bool,
    /// Delete what the files do not name in the vhosts that they declare or set; with =users,vhosts,global-parameters
    /// those, too.
    #[arg(long, value_name = "MORE", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub prune: Option<DeletionScope>,
}

/// Reads a way to replace queues.
fn replacement(text: &str) -> Result<Replacement, String> {
    Replacement::named(text).ok_or_else(|| {
        let near = nearest_name(text, Replacement::WORDS).map(|near| format!("; {}", Help::did_you_mean(near)));
        format!("give one of {}{}", Replacement::WORDS.join(", "), near.unwrap_or_default())
    })
}
