//! The arguments that set variables of files.

use clap::Args;
use std::path::PathBuf;

/// Sets variables of files.
#[derive(Debug, Clone, Args)]
pub struct Vars {
    /// Set a variable of the files; repeats. On a matrix axis it picks that cell.
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub vars: Vec<String>,
    /// Read variables from a YAML map; repeats, later ones win.
    #[arg(long = "vars-file", value_name = "FILE")]
    pub vars_files: Vec<PathBuf>,
}
