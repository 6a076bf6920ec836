//! Reads what was written, and compares it with what it was written from.
//! Takes a topology; gives a YAML text that is proven to mean the same, or the objects that do not. Never writes a file.

use crate::convert::defaults::objects_that_differ;
use crate::convert::secrets::SecretVariables;
use crate::convert::write::{Wording, write_yaml};
use crate::language::{ReadError, Settings, World, load_topology};
use crate::model::{Object, Topology};
use crate::source::{Code, Level, Problem, Sources};

/// How many objects a failed proof names.
const NAMED_MAX: usize = 5;

/// A topology as YAML, with what reading it again came to.
#[derive(Debug, Clone)]
pub struct Written {
    /// The YAML.
    pub text: String,
    /// What its templates stand for.
    pub secrets: SecretVariables,
    /// What `check` says of the text, which `sources` holds under the name it was given.
    pub problems: Vec<Problem>,
}

/// The environment that holds the secrets.
struct HeldSecrets<'s>(&'s SecretVariables);

impl World for HeldSecrets<'_> {
    fn read(&self, _path: &str) -> Result<Vec<u8>, ReadError> {
        Err(ReadError::NoFiles)
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.0.value(name).map(str::to_owned)
    }
}

/// Writes a topology and proves the text: read again, it declares the same objects.
///
/// What looks like `retry:` is written as such only where that is proven too. A difference that stays is a problem.
pub fn write_proven(topology: &Topology, wording: &Wording, sources: &mut Sources, name: &str) -> Written {
    let (written, differing) = attempt(topology, wording, sources, name);
    if differing.is_empty() {
        return written;
    }
    let plain = Wording { without_retry: true, ..wording.clone() };
    let (mut written, differing) = attempt(topology, &plain, sources, name);
    if let Some(problem) = not_equal(&differing) {
        written.problems.push(problem);
    }
    written
}

fn attempt(topology: &Topology, wording: &Wording, sources: &mut Sources, name: &str) -> (Written, Vec<Object>) {
    let (text, secrets) = write_yaml(topology, wording);
    let (loaded, problems) =
        load_topology(sources, name, text.as_bytes(), &HeldSecrets(&secrets), &Settings::default());
    let differing = match &loaded {
        Some(loaded) => objects_that_differ(topology, &loaded.topology),
        None => Vec::new(),
    };
    (Written { text, secrets, problems }, differing)
}

fn not_equal(differing: &[Object]) -> Option<Problem> {
    let named: Vec<String> = differing.iter().take(NAMED_MAX).map(Object::to_string).collect();
    let more =
        if differing.len() > NAMED_MAX { format!(", and {} more", differing.len() - NAMED_MAX) } else { String::new() };
    let message = format!("the language has no words for all of it: {}{more}", named.join(", "));
    let help = "read again, the file that was written declares these objects otherwise: compare them by hand";
    let problem = Problem { level: Level::Problem, ..Problem::new(Code::ConvertNotEqual, message) };
    (!differing.is_empty()).then(|| problem.help(help))
}
