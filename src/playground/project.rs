//! The files of a request, and what they are played on.

use crate::language::{ReadError, Settings, World, nearest};
use crate::model::Profile;
use crate::rules::Edition;
use serde::Deserialize;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// How wide texts are at most, and at least, in columns.
const COLUMNS: usize = 100;
const COLUMNS_MIN: usize = 36;

/// A request as it was read; each kind of request uses what it needs.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Request {
    /// Texts by their paths.
    pub files: BTreeMap<String, String>,
    /// What stands for the environment.
    pub variables: BTreeMap<String, String>,
    /// The path of the scenario that is played.
    pub play: String,
    /// On which profiles: `4.3`.
    pub profiles: Vec<String>,
    /// The path of the file that is written, and the place in it.
    pub file: String,
    pub at: usize,
    /// What is to be explained.
    pub name: String,
    /// How wide texts may be, in columns; 0: as in a terminal.
    pub width: usize,
    /// The files that were asked for while others were loaded.
    #[serde(skip)]
    pub named: RefCell<BTreeSet<String>>,
}

impl Request {
    pub fn read(request: &str) -> Result<Self, String> {
        serde_json::from_str(request).map_err(|error| format!("the request cannot be read: {error}"))
    }

    /// Returns the text of a file.
    pub fn text(&self, path: &str) -> Result<&str, String> {
        self.files.get(path).map(String::as_str).ok_or_else(|| format!("there is no file `{path}`"))
    }

    /// Returns the rules by which it is played.
    pub fn editions(&self) -> Result<Vec<Edition>, String> {
        if self.profiles.is_empty() {
            return Err("no profile is named".to_owned());
        }
        self.profiles.iter().map(|profile| profile.parse::<Profile>().map(Edition::from)).collect()
    }

    /// Returns how wide a text is made.
    pub fn columns(&self) -> usize {
        if self.width == 0 { COLUMNS } else { self.width.clamp(COLUMNS_MIN, COLUMNS) }
    }

    /// Returns how files are loaded.
    pub fn settings(&self) -> Settings {
        Settings::default()
    }
}

impl World for Request {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        let path = path.trim_start_matches("./");
        let text = self.files.get(path);
        self.named.borrow_mut().insert(path.to_owned());
        text.map(|text| text.clone().into_bytes()).ok_or(ReadError::NotFound)
    }

    fn near(&self, path: &str) -> Option<String> {
        nearest(path, self.files.keys().map(String::as_str)).map(str::to_owned)
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }
}
