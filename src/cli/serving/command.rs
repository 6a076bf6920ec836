//! `serve`: the simulated broker at an AMQP port, alone or beside a command that is run.

use crate::cli::ExitCode;
use crate::cli::brokers::{NoBroker, PlayedOn, permits, plugins};
use crate::cli::load::Loader;
use crate::cli::options::ServeOptions;
use crate::cli::runtime::Runtime;
use crate::cli::serving::listeners::{listeners, places_of, tls_listeners, unheard};
use crate::cli::serving::scenario::ServedScenario;
use crate::cli::serving::{beside, recorded, scenario};
use crate::cli::terminal::Terminal;
use crate::clock::{ClockMode, ServedClock};
use crate::io::random_salt;
use crate::io::serve::{
    AmqpListener, ListenAddress, ServeHandle, bind, serve_control, serve_management, start_serving,
};
use crate::io::write_atomically;
use crate::language::LoadedTopology;
use crate::model::{Credential, Name, Origins, Topology};
use crate::rules::{Edition, Plugins};
use crate::serve::{ServedBroker, ServedListener};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use std::net::TcpListener;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long clients have to answer when the broker goes.
const FAREWELL: Duration = Duration::from_secs(2);

/// Serves until the command ends, or a signal comes.
pub fn serve(command: &ServeOptions, terminal: &Terminal) -> ExitCode {
    let edition = match edition(command, terminal) {
        Ok(edition) => edition,
        Err(none) => return none.emit(terminal),
    };
    if let Some(Err(code)) = command.write_scenario.as_deref().map(|file| recorded::refuse_existing(file, terminal)) {
        return code;
    }
    let scenario = match scenario::load(command, edition, terminal) {
        Ok(scenario) => scenario,
        Err(code) => return code,
    };
    let held = match &scenario {
        Some(served) => {
            let scenario = &served.one.cell.scenario;
            Ok((scenario.topology.clone(), scenario.origins.clone(), Plugins::named(&scenario.needs.plugins)))
        }
        None => topology(command, terminal),
    };
    let (topology, origins, needed) = match held {
        Ok(held) => held,
        Err(code) => return code,
    };
    let edition = edition.with_plugins(needed);
    let host = match host(command, edition, (&topology, &origins), scenario.as_ref(), terminal) {
        Ok(host) => host,
        Err(code) => return code,
    };
    let listeners = match listeners(command, terminal) {
        Ok(listeners) => listeners,
        Err(code) => return code,
    };
    let tls_listeners = match tls_listeners(command, terminal) {
        Ok(listeners) => listeners,
        Err(code) => return code,
    };
    let control = match control_listener(command, terminal) {
        Ok(control) => control,
        Err(code) => return code,
    };
    let management = match management_listener(command, terminal) {
        Ok(management) => management,
        Err(code) => return code,
    };
    let plain = listeners.iter().map(|listener| ("amqp", listener));
    let tls = tls_listeners.iter().map(|listener| ("amqp/ssl", &listener.socket));
    let http = management.iter().map(|listener| ("http", listener));
    let told = plain.chain(tls).chain(http).filter_map(|(protocol, listener)| told(protocol, listener)).collect();
    let host = host.with_listeners(told);
    let places = places_of(listeners.iter());
    let tls_places = places_of(tls_listeners.iter().map(|listener| &listener.socket));
    let listeners = listeners.into_iter().map(AmqpListener::from).chain(tls_listeners);
    let mut runtime = Runtime::new();
    let (handle, thread) = match start_serving(host, listeners) {
        Ok(served) => served,
        Err(error) => {
            terminal.error(&format!("error: the system gives no thread: {error}"));
            return ExitCode::Environment;
        }
    };
    let mut environment = Vec::new();
    if let Some(place) = places.first() {
        environment.push(("RABBITMQ_URL", url(&topology, "amqp", place)));
    }
    if let Some(place) = tls_places.first() {
        environment.push(("RABBITMQ_TLS_URL", url(&topology, "amqps", place)));
    }
    if let Some(listener) = management {
        let place = listener.local_addr().map_or_else(|_| String::new(), |place| place.to_string());
        runtime.spawn(serve_management(listener, handle.clone()));
        environment.push(("RABBITMQ_MANAGEMENT_URL", format!("http://{place}")));
    }
    if let Some((listener, url, token)) = control {
        runtime.spawn(serve_control(listener, handle.clone(), token));
        environment.push(("RMQPLAY_CONTROL_URL", url));
    }
    if let Err(code) = tell_ready(command, edition, (&places, &tls_places), &environment, terminal) {
        return code;
    }
    runtime.spawn(tell_rest(handle.clone(), *terminal));
    let began = Instant::now();
    let code = runtime.run(async |signals| match command.command.split_first() {
        None => signals.next().await,
        Some((program, words)) => beside::run(program, words, &environment, signals, terminal).await,
    });
    runtime.run(async |_| farewell(&handle).await);
    let code = settle(command, code, scenario, (&handle, edition, began.elapsed()), &mut runtime, terminal);
    // The control port holds a handle too: the thread ends with the program.
    drop((handle, thread));
    code
}

/// Makes the broker with all that plays on it and looks on.
fn host(
    command: &ServeOptions,
    edition: Edition,
    (topology, origins): (&Topology, &Origins),
    scenario: Option<&ServedScenario>,
    terminal: &Terminal,
) -> Result<ServedBroker, ExitCode> {
    let epoch_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let clock = ServedClock::new(command.clock, command.settle, command.owe_limit);
    let mut host = ServedBroker::new(edition, topology, origins, epoch_s).with_clock(clock);
    if !host.refused().is_empty() {
        for (object, refusal) in host.refused() {
            terminal.error(&format!("error: RabbitMQ {} refuses {object}: {refusal}", edition.profile));
        }
        return Err(ExitCode::BadFile);
    }
    let traced = host.with_firehose(command.firehose.iter().map(String::as_str));
    host = traced.map_err(|unknown| terminal.usage(&format!("--firehose: there is no vhost '{unknown}'")))?;
    if command.control != "off" {
        host = host.with_timeline();
    }
    if command.write_scenario.is_some() {
        host = host.with_recording();
    }
    if let Some(served) = scenario {
        host = host.with_scenario(&served.one.cell);
        // Its consumers are there, and its first steps done, before the first client comes.
        host.turn(0);
    }
    Ok(host)
}

/// Writes what was recorded, and judges the scenario, once the clients are gone; joins both with the command's exit code.
fn settle(
    command: &ServeOptions,
    mut code: ExitCode,
    scenario: Option<ServedScenario>,
    (handle, edition, real): (&ServeHandle, Edition, Duration),
    runtime: &mut Runtime,
    terminal: &Terminal,
) -> ExitCode {
    // A command that was cut short has nothing to be judged by; without one a signal is the only end.
    let was_whole = matches!(code, ExitCode::OfCommand(_)) || command.command.is_empty();
    let told = if command.command.is_empty() { *terminal } else { terminal.aside() };
    if let Some(file) = &command.write_scenario {
        let text = runtime.run(async |_| handle.ask(|host, _| host.recorded()).await).flatten();
        code = code.and(recorded::write(file, text.as_deref(), edition, &told));
    }
    if let Some(served) = scenario.filter(|_| was_whole) {
        let played = runtime.run(async |_| handle.ask(|host, now_ms| host.finish_scenario(now_ms)).await).flatten();
        code = code.and(played.map_or(ExitCode::Environment, |played| served.judge(played, real, &told)));
    }
    code
}

/// Reads which version's rules hold.
fn edition(command: &ServeOptions, terminal: &Terminal) -> Result<Edition, NoBroker> {
    match PlayedOn::parse(&command.broker, None, terminal)? {
        PlayedOn::Sim(edition) => {
            let plugins = plugins(&command.plugins)?;
            Ok(Edition { permits: permits(&command.permit)?, plugins, ..edition })
        }
        PlayedOn::Live(_) => {
            Err("serve is for the simulated broker: give --broker sim, or sim:VERSION".to_owned().into())
        }
    }
}

/// Loads what the broker holds from the start, with the plugins that this needs.
fn topology(command: &ServeOptions, terminal: &Terminal) -> Result<(Topology, Origins, Plugins), ExitCode> {
    if command.files.is_empty() {
        return Ok((Topology::default(), Origins::new(), Plugins::NONE));
    }
    let mut loader = Loader::new(&command.vars, None).map_err(|(code, message)| {
        terminal.usage(&message);
        code
    })?;
    let (loaded, problems) = loader.topologies(&command.files);
    let code = terminal.problems(&problems, &loader.sources);
    match loaded {
        Some(LoadedTopology { topology, origins, handling, .. }) if code == ExitCode::Fine => {
            let needed = Plugins::named(handling.plugins.iter().map(|(plugin, _)| plugin));
            Ok((topology, origins, needed))
        }
        _ => Err(code.and(ExitCode::BadFile)),
    }
}

/// Listens for the control port, unless it is off: the socket, the URL with its token, and the token.
fn control_listener(
    command: &ServeOptions,
    terminal: &Terminal,
) -> Result<Option<(TcpListener, String, String)>, ExitCode> {
    if command.control == "off" {
        return Ok(None);
    }
    let address: ListenAddress = command.control.parse().map_err(|why: String| terminal.usage(&why))?;
    let listener = bind(&address, command.allow_remote).map_err(|failure| unheard(&failure, terminal))?;
    let token: String =
        [random_salt(), random_salt(), random_salt()].concat().iter().map(|b| format!("{b:02x}")).collect();
    let place = listener.local_addr().map_or_else(|_| address.to_string(), |place| place.to_string());
    let url = format!("http://{place}/{token}");
    Ok(Some((listener, url, token)))
}

/// Listens for the management API, where that is asked for, or a command may want it.
fn management_listener(command: &ServeOptions, terminal: &Terminal) -> Result<Option<TcpListener>, ExitCode> {
    let usual = if command.command.is_empty() { "off" } else { "127.0.0.1:0" };
    match command.management.as_deref().unwrap_or(usual) {
        "off" => Ok(None),
        address => {
            let address: ListenAddress = address.parse().map_err(|why: String| terminal.usage(&why))?;
            bind(&address, command.allow_remote).map(Some).map_err(|failure| unheard(&failure, terminal))
        }
    }
}

/// Returns a listener as the broker shows it.
fn told(protocol: &'static str, listener: &TcpListener) -> Option<ServedListener> {
    let address = listener.local_addr().ok()?;
    Some(ServedListener { protocol, host: address.ip().to_string(), port: address.port() })
}

/// Says that clients can connect, in one line, and in a file where one is named.
fn tell_ready(
    command: &ServeOptions,
    edition: Edition,
    (places, tls_places): (&[String], &[String]),
    environment: &[(&str, String)],
    terminal: &Terminal,
) -> Result<(), ExitCode> {
    let urls: Vec<String> = places.iter().map(|place| format!("amqp://{place}")).collect();
    let known = |wanted: &str| environment.iter().find(|(name, _)| *name == wanted).map(|(_, url)| url);
    let (control, management) = (known("RMQPLAY_CONTROL_URL"), known("RABBITMQ_MANAGEMENT_URL"));
    let tls_urls: Vec<String> = tls_places.iter().map(|place| format!("amqps://{place}")).collect();
    let all = [urls.as_slice(), tls_urls.as_slice()].concat().join(", ");
    let mut line = format!("serving RabbitMQ {} (simulated) at {all}", edition.profile);
    if let Some(management) = management {
        line += &format!(", management {management}");
    }
    if let Some(control) = control {
        line += &format!(", control {control}");
    }
    if command.clock != ClockMode::Real {
        line += &format!(", {} clock, settled after {}", command.clock, command.settle);
    }
    // With a command, standard output is the command's.
    match command.command.is_empty() {
        true => terminal.print(&line),
        false if terminal.quiet => {}
        false => terminal.error(&line),
    }
    let Some(file) = &command.ready_file else { return Ok(()) };
    let mut ready = json!({"version": edition.profile.to_string(), "amqp": urls, "control": control});
    if !tls_urls.is_empty() {
        ready["amqps"] = json!(tls_urls);
    }
    if let Some(management) = management {
        ready["management"] = json!(management);
    }
    write_atomically(file, &format!("{ready}\n")).map_err(|error| {
        terminal.error(&format!("error: cannot write {}: {error}", file.display()));
        ExitCode::Environment
    })
}

/// Returns the URL that a command gets: the first user whose password is known, and the only vhost where there is one.
fn url(topology: &Topology, scheme: &str, place: &str) -> String {
    let with_password = topology.users.iter().find_map(|user| match &user.credential {
        Some(Credential::Password(password)) => Some((&*user.name, password.expose())),
        _ => None,
    });
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let login = match with_password {
        Some((name, password)) => format!("{}:{}@", encoded(name), encoded(password)),
        None if topology.users.is_empty() => "guest:guest@".to_owned(),
        None => String::new(),
    };
    let vhosts = topology.vhost_names();
    let vhost = match vhosts.as_slice() {
        [only] => only.clone(),
        _ => Name::from("/"),
    };
    format!("{scheme}://{login}{place}/{}", encoded(&vhost))
}

/// Warns once when an automatic clock rests though more would happen.
async fn tell_rest(handle: ServeHandle, terminal: Terminal) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        match handle.ask(|host, _| (host.clock.mode(), host.clock.resting())).await {
            Some((ClockMode::Auto, None)) => {}
            Some((ClockMode::Auto, Some(rest))) => return terminal.warning(&rest.to_string()),
            _ => return,
        }
    }
}

/// Closes all connections, and waits a moment for their clients.
async fn farewell(handle: &ServeHandle) {
    let shut_down = |host: &mut ServedBroker, now_ms: u64| {
        host.server.shut_down("broker forced connection closure with reason 'shutdown'", now_ms);
    };
    handle.ask(shut_down).await;
    let until = tokio::time::Instant::now() + FAREWELL;
    while tokio::time::Instant::now() < until {
        if handle.ask(|host, _| host.server.socket_count()).await.is_none_or(|open| open == 0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
