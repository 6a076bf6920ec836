//! The arguments about what scenarios exercise.

use crate::cli::options::Vars;
use crate::model::Profile;
use clap::Args;
use std::path::PathBuf;
use std::str::FromStr;

/// What a run tells of coverage.
#[derive(Debug, Clone, Default, Args)]
pub struct CoverageOptions {
    /// Tell which queues, bindings, policies, rights, dead-letter ways, retry rungs and limits of the topology files no cell
    /// exercised: as text, or json:FILE.
    #[arg(long, value_name = "text|json:FILE", num_args = 0..=1, require_equals = true, default_missing_value = "text")]
    pub coverage: Option<CoverageFormat>,
    /// Fail (exit 1) when less than this share was exercised, of all topology files together; implies --coverage.
    #[arg(long, value_name = "PERCENT")]
    pub coverage_min: Option<Percent>,
}

#[derive(Debug, Args)]
pub struct SuggestOptions {
    /// Topology file, or an exported definitions.json.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The scenarios that are there: what they exercise needs no other; repeats (default: those below scenarios/ that name
    /// FILE).
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub scenarios: Vec<PathBuf>,
    /// Write each scenario as a file of this folder; a file that is there stays.
    #[arg(long, short_alias = 'o', alias = "output", value_name = "FOLDER")]
    pub write: Option<PathBuf>,
    /// Scenarios must pass on these versions, like 3.13; repeats (default: all).
    #[arg(long = "for", value_name = "VERSION", value_delimiter = ',')]
    pub versions: Vec<Profile>,
    #[command(flatten)]
    pub vars: Vars,
}

/// Where coverage goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CoverageFormat {
    Text,
    Json(PathBuf),
}

/// A share in percent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percent(pub f64);

impl CoverageOptions {
    /// Returns whether coverage is asked for.
    pub fn is_asked(&self) -> bool {
        self.coverage.is_some() || self.coverage_min.is_some()
    }
}

impl FromStr for CoverageFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "text" => Ok(Self::Text),
            Some(("json", file)) if !file.is_empty() => Ok(Self::Json(file.into())),
            _ => Err("give text, or json:FILE".to_owned()),
        }
    }
}

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.trim_end_matches('%').trim().parse::<f64>().ok();
        match number.filter(|number| (0.0..=100.0).contains(number)) {
            Some(number) => Ok(Self(number)),
            None => Err("give a number from 0 to 100".to_owned()),
        }
    }
}
