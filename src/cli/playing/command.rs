//! `play`: loads a scenario, and serves its page until a signal comes.

use crate::cli::ExitCode;
use crate::cli::brokers::{NoBroker, PlayedOn, permits, plugins};
use crate::cli::options::PlayOptions;
use crate::cli::playing::files;
use crate::cli::runtime::Runtime;
use crate::cli::terminal::Terminal;
use crate::io::random_salt;
use crate::io::serve::{ListenFailure, bind, serve_play};
use crate::play::PlaySession;
use crate::rules::Edition;
use std::io::IsTerminal;
use std::process::{Command, Stdio};

/// Plays until a signal comes.
pub(crate) fn play(command: &PlayOptions, terminal: &Terminal) -> ExitCode {
    let edition = match edition(command, terminal) {
        Ok(edition) => edition,
        Err(none) => return none.emit(terminal),
    };
    let (files, setting) = match files::load(command, edition, terminal) {
        Ok(loaded) => loaded,
        Err(code) => return code,
    };
    let listener = match bind(&command.listen, false) {
        Ok(listener) => listener,
        Err(failure) => return unheard(&failure, terminal),
    };
    let token: String =
        [random_salt(), random_salt(), random_salt()].concat().iter().map(|b| format!("{b:02x}")).collect();
    let place = listener.local_addr().map_or_else(|_| command.listen.to_string(), |place| place.to_string());
    let url = format!("http://{place}/{token}/");
    let mut runtime = Runtime::new();
    let line = format!("playing {} on {} at {url}", setting.name, edition.sim_name());
    runtime.spawn(serve_play(listener, PlaySession::new(setting), Box::new(files), token));
    terminal.print(&line);
    if !command.no_open && std::io::stdout().is_terminal() {
        open(&url);
    }
    runtime.run(async |signals| signals.next().await)
}

/// Reads which version's rules hold.
fn edition(command: &PlayOptions, terminal: &Terminal) -> Result<Edition, NoBroker> {
    match PlayedOn::parse(&command.broker, None, terminal)? {
        PlayedOn::Sim(edition) => {
            let plugins = plugins(&command.plugins)?;
            Ok(Edition { permits: permits(&command.permit)?, plugins, ..edition })
        }
        PlayedOn::Live(_) => {
            Err("play is for the simulated broker: give --broker sim, or sim:VERSION".to_owned().into())
        }
    }
}

/// Tells why nothing listens at an address.
fn unheard(failure: &ListenFailure, terminal: &Terminal) -> ExitCode {
    let help = match failure {
        ListenFailure::Remote(_) => "a page that is played is for this machine alone: --listen 127.0.0.1:0".to_owned(),
        other => other.help(),
    };
    terminal.error(&format!("error: {failure}\n  help: {help}"));
    match failure {
        ListenFailure::Remote(_) => ExitCode::Usage,
        ListenFailure::Taken(..) | ListenFailure::Other(..) => ExitCode::Environment,
    }
}

/// Opens an address in the browser that the desktop uses; where there is none, the printed line is enough.
fn open(url: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let quiet = || Stdio::null();
    let _ = Command::new(opener).arg(url).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn();
}
