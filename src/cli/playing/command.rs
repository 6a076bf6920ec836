//! `play`: loads a scenario, and serves its page until a signal comes.

use crate::cli::ExitCode;
use crate::cli::brokers::{LiveTarget, NoBroker, PlayedOn, permits, plugins};
use crate::cli::live_settings;
use crate::cli::options::{ControlOptions, PlayOptions};
use crate::cli::playing::broker::PlayedOnBroker;
use crate::cli::playing::files;
use crate::cli::runtime::Runtime;
use crate::cli::serving::with_control_port;
use crate::cli::terminal::Terminal;
use crate::io::serve::{ListenFailure, PlayHost, bind, play_live, serve_play};
use crate::io::{meet, random_salt};
use crate::play::PlaySession;
use crate::rules::Edition;
use reqwest::Method;
use std::io::IsTerminal;
use std::process::{Command, Stdio};
use tokio::sync::watch;

/// Plays until a signal comes.
pub(crate) fn play(command: &PlayOptions, terminal: &Terminal) -> ExitCode {
    if let Some(url) = &command.attach {
        return attach(url, command, terminal);
    }
    let Some(file) = &command.file else { return terminal.usage("play takes a scenario") };
    let broker = match PlayedOn::parse(&command.broker, command.management.as_deref(), terminal) {
        Ok(broker) => broker,
        Err(none) => return none.emit(terminal),
    };
    let mut runtime = Runtime::new();
    let (on, address) = match broker {
        PlayedOn::Sim(edition) => match with_features(edition, command) {
            Ok(edition) => (PlayedOnBroker::Simulated(edition), None),
            Err(none) => return none.emit(terminal),
        },
        PlayedOn::Live(target) => match met(&target, &mut runtime, terminal) {
            Ok(on) => (on, Some(target.address)),
            Err(code) => return code,
        },
    };
    let (files, setting) = match files::load(command, file, on, terminal) {
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
    let broker = setting.live.as_ref().map_or_else(|| setting.edition.sim_name(), |live| live.shown.clone());
    let line = format!("playing {} on {broker} at {url}", setting.name);
    let host = PlayHost::new(PlaySession::new(setting), Box::new(files));
    runtime.spawn(serve_play(listener, host.clone(), token));
    terminal.print(&line);
    if !command.no_open && std::io::stdout().is_terminal() {
        open(&url);
    }
    runtime.run(async |signals| {
        let Some(address) = address else { return signals.next().await };
        let (stop, stopped) = watch::channel(false);
        let live = tokio::spawn(play_live(host, address, stopped));
        let code = signals.next().await;
        terminal.status("stopping, and removing the throw-away vhosts");
        // It may have ended by itself.
        let _ = stop.send(true);
        match live.await {
            Ok(Err(failure)) => terminal.failure(&failure).and(code),
            Ok(Ok(())) => code,
            Err(_) => ExitCode::Bug,
        }
    })
}

/// Shows a broker that `serve` serves: its control port has the page.
fn attach(url: &str, command: &PlayOptions, terminal: &Terminal) -> ExitCode {
    let options = ControlOptions { control: Some(url.to_owned()) };
    with_control_port(&options, terminal, async |port| {
        port.ask(Method::GET, "/clock", None).await?;
        let page = format!("{}/play/", url.trim_end_matches('/'));
        terminal.print(&format!("the served broker is at {page}"));
        if !command.no_open && std::io::stdout().is_terminal() {
            open(&page);
        }
        Ok(ExitCode::Fine)
    })
}

/// Reads which features of the simulated broker are on.
fn with_features(edition: Edition, command: &PlayOptions) -> Result<Edition, NoBroker> {
    Ok(Edition { permits: permits(&command.permit)?, plugins: plugins(&command.plugins)?, ..edition })
}

/// Meets a live broker.
fn met(target: &LiveTarget, runtime: &mut Runtime, terminal: &Terminal) -> Result<PlayedOnBroker, ExitCode> {
    let asked = runtime.run(async |signals| signals.interrupt(meet(&target.address)).await)?;
    let overview = asked.map_err(|failure| terminal.failure(&failure.or_simulated()))?;
    let shown = format!("RabbitMQ {} at {}", overview.full_version, target.address.place());
    Ok(PlayedOnBroker::Live {
        edition: live_settings::edition_of(&overview),
        version: overview.version,
        address: Box::new(target.address.clone()),
        shown,
    })
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
