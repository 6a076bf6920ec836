//! The arguments of the commands that foresee: what they look at, and what makes them fail.

use crate::cli::options::broker::OneBroker;
use crate::cli::options::reach::ReachOptions;
use crate::cli::options::variables::Vars;
use crate::model::Profile;
use crate::source::{Code, Level, Problem};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct CheckOptions {
    /// Topology and scenario files, and folders of them (default: scenarios and topologies).
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub vars: Vars,
    /// Write the problems as JSON.
    #[arg(long)]
    pub json: bool,
    /// Write the problems as FORMAT: text, json, sarif (for code scanning) or github (annotations of a workflow).
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json", "sarif", "github"],
          hide_possible_values = true, hide_default_value = true, conflicts_with = "json")]
    pub format: String,
    /// Judge for these versions only (3.10, 3.12, 3.13, 4.0, 4.1, 4.2, 4.3); repeats (default: all, or what a scenario `requires`).
    #[arg(long = "for", value_name = "VERSION", value_delimiter = ',')]
    pub versions: Vec<crate::model::Profile>,
    /// Fail (exit 1) on findings that stop nothing, too: on `warning`, on `note` (warnings as well), or on a code; repeats.
    /// An `error` always fails (exit 65).
    #[arg(long, value_name = "LEVEL|CODE", value_delimiter = ',')]
    pub deny: Vec<Denied>,
}

/// What makes a command fail although nothing stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    Level(Level),
    Code(Code),
}

impl Denied {
    /// Returns whether a finding is meant.
    pub fn covers(self, problem: &Problem) -> bool {
        match self {
            Denied::Level(level) => problem.level >= level,
            Denied::Code(code) => problem.code == code,
        }
    }
}

impl std::str::FromStr for Denied {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "note" => Ok(Self::Level(Level::Note)),
            "warning" => Ok(Self::Level(Level::Warning)),
            "error" => Ok(Self::Level(Level::Problem)),
            _ => {
                let names = Code::ALL.iter().map(|code| code.text());
                let near = crate::language::nearest(text, names.chain(["note", "warning", "error"]));
                let known = Code::ALL.iter().find(|code| code.text() == text);
                known.map(|code| Self::Code(*code)).ok_or_else(|| match near {
                    Some(near) => format!("no level or code `{text}`: did you mean `{near}`?"),
                    None => format!(
                        "no level or code `{text}`: there are note, warning, error, and what `rmqplay explain` lists"
                    ),
                })
            }
        }
    }
}

/// What a command looks at: a file, or with `--broker` what a broker holds.
#[derive(Debug, Args)]
pub struct LookOptions {
    #[command(flatten)]
    pub broker: OneBroker,
    #[command(flatten)]
    pub vars: Vars,
    /// Judge for these versions only (3.10, 3.12, 3.13, 4.0, 4.1, 4.2, 4.3); repeats (default: all, or the broker's own).
    #[arg(long = "for", value_name = "VERSION", value_delimiter = ',')]
    pub versions: Vec<Profile>,
    /// Write JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct EffectiveOptions {
    /// Topology file (none with --broker), and the name of a queue or exchange (default: all).
    #[arg(value_name = "FILE NAME", num_args = 0..=2)]
    pub words: Vec<String>,
    /// Of this vhost only.
    #[arg(long, value_name = "VHOST")]
    pub vhost: Option<String>,
    #[command(flatten)]
    pub look: LookOptions,
}

#[derive(Debug, Args)]
pub struct AccessOptions {
    /// Topology file (none with --broker).
    #[arg(value_name = "FILE", num_args = 0..=1)]
    pub words: Vec<String>,
    /// Of this user only.
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    #[command(flatten)]
    pub look: LookOptions,
}

#[derive(Debug, Args)]
pub struct RouteOptions {
    /// Topology file (none with --broker), exchange ("" is the default one) and routing key.
    #[arg(value_name = "FILE EXCHANGE KEY", num_args = 0..=3)]
    pub words: Vec<String>,
    /// A header of the message; repeats.
    #[arg(long = "header", value_name = "NAME=VALUE")]
    pub headers: Vec<String>,
    /// Publish as this user: say whether it may.
    #[arg(long = "as", value_name = "USER")]
    pub user: Option<String>,
    /// The vhost of the exchange (default: the only one that has it).
    #[arg(long, value_name = "VHOST")]
    pub vhost: Option<String>,
    #[command(flatten)]
    pub look: LookOptions,
}

#[derive(Debug, Args)]
pub struct GraphOptions {
    /// Topology file (none with --broker).
    #[arg(value_name = "FILE", num_args = 0..=1)]
    pub words: Vec<String>,
    /// Write mermaid, dot or svg (default: by the ending of --output, else mermaid).
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    pub format: Option<GraphFormat>,
    /// Write to this file (default: standard output).
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Overwrite the file of --output.
    #[arg(long)]
    pub force: bool,
    /// Draw this vhost only.
    #[arg(long, value_name = "VHOST")]
    pub vhost: Option<String>,
    /// Colour what `apply` would create, change, replace and delete on the broker.
    #[arg(long, conflicts_with = "scenarios")]
    pub plan: bool,
    /// With --plan, what stands in the broker's place: a topology, a definitions.json, or another broker.
    #[arg(long, value_name = "FILE|URL", requires = "plan")]
    pub against: Option<String>,
    #[command(flatten)]
    pub reach: ReachOptions,
    /// Play these scenarios on the simulated broker, draw what they used strong and the rest faint; without FILE what they
    /// declare.
    #[arg(long = "scenario", value_name = "SCENARIO", num_args = 1..)]
    pub scenarios: Vec<PathBuf>,
    #[command(flatten)]
    pub look: LookOptions,
}

/// The languages of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum GraphFormat {
    Mermaid,
    Dot,
    Svg,
}

impl GraphFormat {
    /// Returns the format that the ending of a file's name stands for.
    pub fn of(path: &std::path::Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "mmd" | "mermaid" => Some(Self::Mermaid),
            "dot" | "gv" => Some(Self::Dot),
            "svg" => Some(Self::Svg),
            _ => None,
        }
    }
}
