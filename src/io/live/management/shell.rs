//! Runs the shell commands that the owner of a broker gave. Never shows what they print but for the last line of an error.

use std::process::{Command, Output, Stdio};

/// Runs a command with words added, each as it is.
///
/// # Errors
/// It could not be run, or failed: how it ended and the last line of its standard error.
pub(crate) async fn run(command: &str, words: &[&str]) -> Result<(), String> {
    let command = command.to_owned();
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let ended = tokio::task::spawn_blocking(move || shell(&command, &words)).await;
    match ended {
        Ok(Ok(output)) if output.status.success() => Ok(()),
        Ok(Ok(output)) => Err(last_words(&output)),
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(not(windows))]
fn shell(command: &str, words: &[String]) -> std::io::Result<Output> {
    let command = if words.is_empty() { command.to_owned() } else { format!("{command} \"$@\"") };
    Command::new("sh").args(["-c", &command, "sh"]).args(words).stdin(Stdio::null()).output()
}

#[cfg(windows)]
fn shell(command: &str, words: &[String]) -> std::io::Result<Output> {
    let command = [&[command.to_owned()][..], words].concat().join(" ");
    Command::new("cmd").args(["/C", &command]).stdin(Stdio::null()).output()
}

fn last_words(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    format!("{}: {said}", output.status)
}
