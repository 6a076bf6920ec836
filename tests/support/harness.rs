//! Programs with `harness = false`: each data file is a test with a name, so that a failure names it and
//! `cargo test --test PROGRAM NAME` picks it.

use libtest_mimic::{Arguments, Failed, Trial};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Why a test fails, or nothing.
pub type Checked = Result<(), String>;

/// Returns a test; a panic fails it too.
pub fn test(name: impl Into<String>, check: impl FnOnce() -> Checked + Send + 'static) -> Trial {
    Trial::test(name, || check().map_err(Failed::from))
}

/// Returns a test per file, named after its path in the folder, without its ending.
pub fn per_file<C>(group: &str, files: &[PathBuf], check: C) -> Vec<Trial>
where
    C: Fn(&Path) -> Checked + Clone + Send + 'static,
{
    let folder = files.iter().min_by_key(|path| path.components().count()).and_then(|path| path.parent());
    let one = |path: &PathBuf| {
        let below = folder.and_then(|folder| path.strip_prefix(folder).ok()).unwrap_or(path).with_file_name(stem(path));
        let (name, path, check) = (format!("{group}{}", below.display()), path.clone(), check.clone());
        test(name, move || check(&path))
    };
    files.iter().map(one).collect()
}

/// Returns a file's name without its ending.
pub fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Runs what the arguments pick; `threads` at once unless they say otherwise.
pub fn run(threads: Option<usize>, tests: Vec<Trial>) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or(threads);
    libtest_mimic::run(&arguments, tests).exit_code()
}
