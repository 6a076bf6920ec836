//! Which cells play, and how fast and how many at once they do on a live broker.

use clap::Args;

/// Chooses among cells; all that is given must hold.
#[derive(Debug, Clone, Args, Default)]
pub struct Selection {
    /// Only cells whose name, file or sentence holds this text, or that fit an expression of name(…), file(…), title(…),
    /// tag(…) with and, or, not.
    #[arg(long, value_name = "EXPRESSION")]
    pub filter: Option<String>,
    /// Only cells with this tag; repeats: with any of them.
    #[arg(long = "tag", value_name = "TAG", value_delimiter = ',')]
    pub tags: Vec<String>,
    /// Only the cell of this name, as `list` shows it, or cells of this choice: AXIS=VALUE; repeats.
    #[arg(long = "cell", value_name = "NAME")]
    pub cells: Vec<String>,
}

/// How long a cell may take on a live broker unless --max-wait says otherwise.
pub(crate) const USUAL_WAIT: crate::model::Millis = crate::model::Millis(30_000);

/// How fast time runs on live brokers.
#[derive(Debug, Clone, Args)]
pub struct PaceOptions {
    /// Multiply every duration on a live broker: 0.1 plays ten times as fast; `fit` takes for each cell the largest
    /// scale up to 1 that fits into --max-wait.
    #[arg(long, value_name = "N|fit")]
    pub time_scale: Option<crate::player::TimeScale>,
    /// Skip a cell that would take longer than this on a live broker.
    #[arg(long, value_name = "DURATION", default_value_t = USUAL_WAIT)]
    pub max_wait: crate::model::Millis,
}

/// Reads a number of cells that can play at once.
pub(crate) fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("no cell would ever play: give 1 or more".to_owned()),
        Ok(n) => Ok(n),
        Err(_) => Err("give a whole number, 1 or more".to_owned()),
    }
}
