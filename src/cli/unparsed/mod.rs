//! What is said of arguments that are none: clap's sentence, and what to write instead.
//! Takes clap's error and the words of the command line; writes, and returns the exit code.

mod flags;
mod values;
mod words;

use crate::cli::ExitCode;
use crate::cli::arguments::CommandLine;
use crate::cli::terminal::note_unwritten;
use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::io::Write;

/// Writes what clap has to say: help, version, or what is wrong with the arguments.
pub(crate) fn unparsed(mut error: clap::Error, arguments: impl IntoIterator<Item = String>) -> ExitCode {
    let own = CommandLine::command();
    let names = |word: &String| own.find_subcommand(word).map(|command| command.get_name().to_owned());
    let command = arguments.into_iter().find_map(|word| names(&word));
    let help = advice(&error, command.as_deref(), &own);
    // clap finds near words by other means, and advises to pass what is no flag as a value.
    let tips = [ContextKind::Suggested, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    for tip in tips.into_iter().chain([ContextKind::SuggestedSubcommand]) {
        error.remove(tip);
    }
    // clap draws help and version as errors too: only those are fine.
    if !error.use_stderr() {
        note_unwritten(error.print());
        return ExitCode::Fine;
    }
    hide_passwords(&mut error);
    if let (ErrorKind::UnknownArgument, Some(command)) = (error.kind(), &command) {
        // The usage around a flag that clap finds near is no usage of what was meant.
        let mut own = own;
        own.build();
        let usage = own.find_subcommand_mut(command).map(clap::Command::render_usage);
        usage.and_then(|usage| error.insert(ContextKind::Usage, ContextValue::StyledStr(usage)));
    }
    let written = error.render().ansi().to_string();
    let written = match help {
        Some(help) => with_help(&written, &help),
        None => written,
    };
    // An error that cannot be written is told by its exit code.
    let _ = write!(anstream::stderr(), "{written}");
    ExitCode::Usage
}

/// Puts advice below the sentence that says what is wrong.
fn with_help(written: &str, help: &str) -> String {
    match written.split_once("\n\n") {
        Some((what, rest)) => format!("{what}\n  help: {help}\n\n{rest}"),
        None => format!("{}\n  help: {help}\n", written.trim_end()),
    }
}

/// A broker's URL where none belongs must not show its password.
fn hide_passwords(error: &mut clap::Error) {
    for kind in [ContextKind::InvalidArg, ContextKind::InvalidValue, ContextKind::InvalidSubcommand] {
        if let Some(word) = text(error, kind) {
            let hidden = words::without_password(word);
            error.insert(kind, ContextValue::String(hidden));
        }
    }
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text),
        _ => None,
    }
}

/// Returns what to write instead, where that is known.
fn advice(error: &clap::Error, command: Option<&str>, own: &clap::Command) -> Option<String> {
    let wrong = text(error, ContextKind::InvalidArg);
    match error.kind() {
        ErrorKind::InvalidSubcommand => words::of_command(text(error, ContextKind::InvalidSubcommand)?, own),
        ErrorKind::UnknownArgument if wrong?.starts_with('-') => flags::advice(wrong?, command, own),
        ErrorKind::UnknownArgument => words::of_further(wrong?, command),
        ErrorKind::MissingRequiredArgument => words::of_missing(command?),
        ErrorKind::TooManyValues if !wrong?.starts_with('-') => words::of_further("", command),
        ErrorKind::TooManyValues => Some(format!("write `{}` alone: it takes no value", wrong?.split(' ').next()?)),
        ErrorKind::InvalidValue => {
            let Some(ContextValue::Strings(valid)) = error.get(ContextKind::ValidValue) else { return None };
            values::advice(wrong?, text(error, ContextKind::InvalidValue)?, valid)
        }
        _ => None,
    }
}
