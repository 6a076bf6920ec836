//! Where words go: results to standard output, problems and progress to standard error.

use crate::cli::ExitCode;
use crate::cli::arguments::CommandLine;
use crate::io::BrokerFailure;
use crate::report;
use crate::report::Palette;
use crate::source::{Code, Level, Problem, Sources};
use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

/// Why standard output could not be written, once that happened: every command ends with it.
static UNWRITTEN: Mutex<Option<String>> = Mutex::new(None);

/// The width without a terminal.
const WIDTH_WITHOUT_TERMINAL: usize = 100;

/// Returns whether `CI` is set, as all services of that kind do.
pub(crate) fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0")
}

/// Knows how to speak to whoever started the program.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    pub quiet: bool,
    pub verbose: bool,
    /// Of standard output.
    pub palette: Palette,
    error_palette: Palette,
    pub width: usize,
    /// Results go to standard error: standard output is another program's.
    aside: bool,
}

impl Terminal {
    /// Reads the flags and the environment.
    pub fn new(arguments: &CommandLine) -> Self {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colour = |is_terminal: bool| match arguments.color.as_str() {
            "always" => true,
            "never" => false,
            _ => is_terminal && !no_colour,
        };
        // The streams strip colours where nobody seems to see them: who says `always` or `never` knows better.
        match arguments.color.as_str() {
            "always" => anstream::ColorChoice::AlwaysAnsi.write_global(),
            "never" => anstream::ColorChoice::Never.write_global(),
            _ => {}
        }
        let set = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse::<usize>().ok());
        let columns = set.or_else(|| Some(terminal_size::terminal_size()?.0.0.into()));
        Self {
            quiet: arguments.quiet,
            verbose: arguments.verbose,
            palette: Palette { colour: colour(std::io::stdout().is_terminal()) },
            error_palette: Palette { colour: colour(std::io::stderr().is_terminal()) },
            width: columns.unwrap_or(WIDTH_WITHOUT_TERMINAL).clamp(60, 160),
            aside: false,
        }
    }

    /// Returns one whose results go to standard error, where standard output is another program's.
    pub fn aside(self) -> Self {
        Self { aside: true, palette: self.error_palette, ..self }
    }

    /// With `-v` the AMQP and HTTP libraries write their log to standard error; without, they are silent.
    pub fn log_if_asked(&self) {
        if self.verbose {
            let filter = tracing_subscriber::EnvFilter::new("warn,lapin=debug,reqwest=debug");
            let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(self.error_palette.colour);
            log.with_writer(std::io::stderr).init();
        }
    }

    /// Writes a result. A closed pipe is no error: whoever reads has read enough. Any other that cannot be written to
    /// is told at the end.
    pub fn print(&self, text: &str) {
        if self.aside {
            return self.error(text);
        }
        note_unwritten(writeln!(anstream::stdout(), "{}", text.trim_end_matches('\n')));
    }

    /// Asks for an answer, on the line on which it will be given.
    pub fn ask(&self, question: &str) {
        let mut output = anstream::stdout();
        note_unwritten(write!(output, "{question}").and_then(|()| output.flush()));
    }

    /// Ends the program: an output that could not be written is an error, whatever the command came to.
    pub fn finish(code: ExitCode) -> ExitCode {
        note_unwritten(std::io::stdout().flush());
        match UNWRITTEN.lock().unwrap_or_else(PoisonError::into_inner).take() {
            None => code,
            Some(why) => {
                let _ = writeln!(anstream::stderr(), "error: the output could not be written: {why}");
                code.and(ExitCode::Environment)
            }
        }
    }

    /// Writes a result unless `-q`.
    pub fn status(&self, text: &str) {
        if !self.quiet {
            self.print(text);
        }
    }

    /// Writes a result unless -q or there is none.
    pub fn status_unless_empty(&self, text: &str) {
        if !text.is_empty() {
            self.status(text);
        }
    }

    /// Writes a result if there is any.
    pub fn print_unless_empty(&self, text: &str) {
        if !text.is_empty() {
            self.print(text);
        }
    }

    /// Writes to standard error.
    pub fn error(&self, text: &str) {
        let _ = writeln!(anstream::stderr(), "{}", text.trim_end_matches('\n'));
    }

    /// Warns, also with -q.
    pub fn warning(&self, text: &str) {
        self.error(&format!("{} {text}", self.error_palette.odd("warning:")));
    }

    /// Writes to standard error if there is anything to say.
    pub fn error_unless_empty(&self, text: &str) {
        if !text.is_empty() {
            self.error(text);
        }
    }

    /// Complains about the arguments.
    pub fn usage(&self, message: &str) -> ExitCode {
        self.error(&format!("{} {message}", self.error_palette.bad("error:")));
        ExitCode::Usage
    }

    /// Complains about the world: where, why, and what to try.
    pub fn failure(&self, failure: &BrokerFailure) -> ExitCode {
        self.error(&self.failure_text(failure));
        ExitCode::Environment
    }

    /// Writes out a complaint about the world.
    pub fn failure_text(&self, failure: &BrokerFailure) -> String {
        format!("{} {failure}\n  help: {}", self.error_palette.bad("error:"), failure.hint)
    }

    /// Draws problems, and gives the exit code that they ask for.
    pub fn problems(&self, problems: &[Problem], sources: &Sources) -> ExitCode {
        self.problems_with(problems, sources, |_| false)
    }

    /// Draws what is wrong with files that a command only works with: what stops it, and the warnings. The notes are counted, since
    /// `check` tells them; one of a secret that is not set is shown, as it says what the command leaves open.
    pub fn problems_of_files(&self, problems: &[Problem], sources: &Sources) -> ExitCode {
        let is_counted = |problem: &Problem| problem.level == Level::Note && problem.code != Code::TemplateUndefined;
        let (notes, shown): (Vec<Problem>, Vec<Problem>) = problems.iter().cloned().partition(is_counted);
        let code = self.problems(&shown, sources);
        if !notes.is_empty() && !self.quiet {
            self.error(&self.error_palette.dim(&report::notes_of_check(&notes, sources)));
        }
        code
    }

    /// Draws problems, with `-q` those that stop and those that matter otherwise; gives the exit code of the former.
    pub fn problems_with(
        &self,
        problems: &[Problem],
        sources: &Sources,
        matters: impl Fn(&Problem) -> bool,
    ) -> ExitCode {
        let is_shown = |problem: &&Problem| !self.quiet || problem.level == Level::Problem || matters(problem);
        let shown: Vec<Problem> = problems.iter().filter(is_shown).cloned().collect();
        if !shown.is_empty() {
            self.error(&report::draw(&shown, sources, self.width, self.error_palette.colour));
        }
        let stops = problems.iter().any(|problem| problem.level == Level::Problem);
        if stops { ExitCode::BadFile } else { ExitCode::Fine }
    }
}

/// Keeps the first reason why the output could not be written.
pub(crate) fn note_unwritten(written: std::io::Result<()>) {
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        UNWRITTEN.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.to_string());
    }
}
