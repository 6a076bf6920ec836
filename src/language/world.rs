//! What loading asks of the outside, and what the command line settles.
//! Implemented in `io`; in tests a map. The one way by which files and environment come into this room.

use crate::model::Profile;
use crate::source::Help;
use std::fmt;

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// There is none of that path.
    NotFound,
    /// The user may not read it.
    NotPermitted,
    /// It is no file.
    IsFolder,
    /// Something before the last part of the path is no folder.
    NotFolder,
    /// The world has no files.
    NoFiles,
    /// In the operating system's words.
    Other(String),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "no such file",
            Self::NotPermitted => "not permitted",
            Self::IsFolder => "it is a folder",
            Self::NotFolder => "it is no folder",
            Self::NoFiles => "no file can be named here",
            Self::Other(why) => why,
        })
    }
}

/// May be asked for files that a file names, and for environment variables.
pub trait World {
    /// Reads a file; a relative path is joined to the folder of the naming file already.
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError>;
    /// Finds the path that a path which leads nowhere was likely meant to be.
    fn near(&self, _path: &str) -> Option<String> {
        None
    }
    /// Returns an environment variable; an empty one is set.
    fn variable(&self, name: &str) -> Option<String>;
}

/// What the command line says about loading.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// `--vars-file` and `--var`; the later wins.
    pub vars: Vec<(String, serde_json::Value)>,
    /// Where an object goes that names no vhost, in a file that names none.
    pub default_vhost: Option<String>,
    /// The versions that files are judged for; empty: all that the project knows.
    pub judged_for: Vec<Profile>,
    /// Secrets of the environment may be unset: a note says which, and what they stand in is passed over.
    pub without_secrets: bool,
}

impl Settings {
    /// Returns the last value of a variable.
    pub fn var(&self, name: &str) -> Option<&serde_json::Value> {
        self.vars.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

/// Joins a path that a file names to the folder of that file.
pub fn beside(file: &str, path: &str) -> String {
    let absolute = path.starts_with('/');
    match file.rfind('/') {
        Some(end) if !absolute => tidy(&format!("{}{path}", &file[..=end])),
        _ => path.to_owned(),
    }
}

/// Returns what to do about a file that cannot be read: the near path, as the file that names it would write it.
pub fn unread_help(world: &dyn World, reason: &ReadError, file: &str, path: &str, otherwise: &str) -> Help {
    let full = beside(file, path);
    let near = Some(reason).filter(|reason| **reason == ReadError::NotFound).and_then(|_| world.near(&full));
    let folder = file.rfind('/').map_or("", |end| &file[..=end]);
    match (near, reason) {
        (Some(near), _) => Help::did_you_mean(near.strip_prefix(folder).map_or(near.clone(), str::to_owned)),
        (None, ReadError::IsFolder) => format!("name a file in it: `{}/NAME.yaml`", path.trim_end_matches('/')).into(),
        _ => otherwise.into(),
    }
}

/// Removes `dir/..` and `./` from a path.
fn tidy(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." if parts.last().is_some_and(|last| !last.is_empty() && *last != "..") => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}
