//! `import`: a topology from a broker or from another tool's file, as YAML that is proven to mean the same.

use crate::cli::arguments::OneBroker;
use crate::cli::brokers::one_broker;
use crate::cli::convert::options::ImportOptions;
use crate::cli::convert::output::{Output, write_output};
use crate::cli::foresee::unread::{Unread, telling_more};
use crate::cli::load::unread_path_help;
use crate::cli::terminal::Terminal;
use crate::cli::{ExitCode, runtime};
use crate::convert::{
    Imported, SecretVariables, Wording, Written, import_texts, of_broker, only_vhost, without_defaults, write_proven,
};
use crate::io::live::TestVhostName;
use crate::io::management::ManagementClient;
use crate::io::observe::observe;
use crate::io::{Address, BrokerFailure, Disk, meet, read_input};
use crate::language::{Settings, TopologyFile};
use crate::model::{Name, Topology, counted};
use crate::source::{Code, Level, Problem, Sources, without_passwords_in_urls};

/// How the source is called that standard input is.
const STANDARD_INPUT: &str = "standard input";

/// Converts, proves, and writes.
pub fn import(command: &ImportOptions, terminal: &Terminal) -> ExitCode {
    for path in command.secrets.iter().chain(command.output.iter().filter(|_| !command.force)) {
        if path.symlink_metadata().is_ok() {
            let hint = if command.secrets.as_ref() == Some(path) {
                "name another file"
            } else {
                "name another file, or give --force"
            };
            terminal
                .error(&format!("error: {} is there already, and nothing was written\n  help: {hint}", path.display()));
            return ExitCode::Unsafe;
        }
    }
    let mut sources = Sources::default();
    let imported = match command.sources.is_empty() {
        false => of_files(command, terminal, &mut sources),
        true => of_live(command, terminal),
    };
    match imported {
        Ok(mut imported) => {
            if let Some(vhost) = &command.vhost {
                only_vhost(&mut imported, vhost);
            }
            without_defaults(&mut imported.topology);
            if imported.topology == Topology::default() {
                let place = command.vhost.as_ref().map_or(String::new(), |vhost| format!(" in a vhost '{vhost}'"));
                terminal.error(&format!("there is nothing{place} to import"));
                return ExitCode::Nothing;
            }
            write(command, &imported, terminal, &mut sources)
        }
        Err(code) => code,
    }
}

/// Reads all sources; their problems are told, their notes too.
fn of_files(command: &ImportOptions, terminal: &Terminal, sources: &mut Sources) -> Result<Imported, ExitCode> {
    let disk = Disk::here();
    let mut texts = Vec::new();
    let mut missing = Vec::new();
    for path in &command.sources {
        let is_input = path.as_os_str() == "-";
        let name = if is_input { STANDARD_INPUT.to_owned() } else { path.to_string_lossy().into_owned() };
        let read = if is_input {
            read_input()
        } else {
            disk.read(&name).map_err(|why| format!("cannot read {}: {why}", without_passwords_in_urls(&name)))
        };
        match read {
            Ok(bytes) => texts.push((name, bytes)),
            Err(error) => missing.push(Problem::new(Code::FileMissing, error).help(unread_path_help(path))),
        }
    }
    let texts: Vec<TopologyFile<'_>> = texts.iter().map(|(name, text)| TopologyFile { name, text }).collect();
    let settings = Settings { default_vhost: command.vhost.clone(), ..Settings::default() };
    let (imported, problems) = import_texts(sources, &texts, &disk, &settings);
    missing.extend(problems);
    let code = terminal.problems(&crate::report::distinct(missing, sources), sources);
    match imported {
        Some(imported) if code == ExitCode::Fine => Ok(imported),
        _ => Err(code.and(ExitCode::BadFile)),
    }
}

/// Reads a broker.
fn of_live(command: &ImportOptions, terminal: &Terminal) -> Result<Imported, ExitCode> {
    let (broker, node, management) = (command.broker.clone(), command.node.clone(), command.management.clone());
    let address = one_broker(&OneBroker { broker, node, management }, terminal).map_err(|none| none.emit(terminal))?;
    match runtime::interruptible(read_broker(&address, command.vhost.as_deref(), terminal)) {
        Ok(Ok(imported)) => Ok(imported),
        Ok(Err(failure)) => Err(terminal.failure(&failure)),
        Err(code) => Err(code),
    }
}

/// Reads what a broker holds, in all vhosts but those that runs made, or in one.
pub(crate) async fn read_broker(
    address: &Address,
    vhost: Option<&str>,
    terminal: &Terminal,
) -> Result<Imported, BrokerFailure> {
    let overview = meet(address).await.map_err(telling_more)?;
    let management = ManagementClient::new(address)?;
    let there = management.vhosts().await?;
    let is_asked = |name: &&String| match vhost {
        Some(vhost) => **name == *vhost,
        None => !is_of_run(name),
    };
    let asked: Vec<Name> = there.iter().filter(is_asked).map(|name| name.as_str().into()).collect();
    let observed = observe(&management, &overview, &asked).await?;
    if let Some(unread) = Unread::of(&observed, &asked, &management) {
        if let Some(failure) = unread.of_vhosts(vhost).filter(|_| unread.is_all(vhost)) {
            return Err(failure);
        }
        unread.warn(terminal);
    }
    let mut topology = observed.topology;
    keep_asked(&mut topology, &asked);
    Ok(of_broker(topology, &overview.full_version, &address.place()))
}

/// Returns whether a run made a vhost or a user for itself.
fn is_of_run(name: &str) -> bool {
    TestVhostName::parse(name).is_some()
}

/// Leaves out rights in vhosts that were not asked for, and users that runs made.
fn keep_asked(topology: &mut Topology, asked: &[Name]) {
    topology.vhosts.retain(|vhost| asked.contains(&vhost.name));
    topology.permissions.retain(|row| asked.contains(&row.vhost));
    topology.topic_permissions.retain(|row| asked.contains(&row.vhost));
    topology.users.retain(|user| !is_of_run(&user.name));
    topology.permissions.retain(|row| !is_of_run(&row.user));
    topology.topic_permissions.retain(|row| !is_of_run(&row.user));
}

/// Proves the text, and writes it where it was asked for.
fn write(command: &ImportOptions, imported: &Imported, terminal: &Terminal, sources: &mut Sources) -> ExitCode {
    let wording = Wording {
        head: vec![format!("Imported from {}.", imported.from)],
        names_no_vhost: imported.names_no_vhost,
        declared: imported.declared.clone(),
        without_retry: false,
    };
    let name =
        command.output.as_ref().map_or_else(|| "the written topology".to_owned(), |path| path.display().to_string());
    let Written { text, secrets, problems } = write_proven(&imported.topology, &wording, sources, &name);
    let faulty: Vec<Problem> = problems.into_iter().filter(|problem| problem.level == Level::Problem).collect();
    let mut code = terminal.problems(&faulty, sources);
    if code != ExitCode::Fine {
        terminal.error("the topology is written as it is; mend these before it is applied");
    }
    if let Some(failed) = write_secrets(command, &secrets, terminal) {
        return failed;
    }
    let output = Output { path: command.output.as_deref(), force: command.force, is_private: false };
    match write_output(&output, &text, terminal) {
        ExitCode::Fine => {}
        failed => code = code.and(failed),
    }
    if let Some(path) = &command.output {
        terminal.status(&format!("wrote {}: {}", path.display(), counts(&imported.topology)));
    }
    tell_secrets(command, &secrets, terminal);
    code
}

/// Writes the secrets, for their owner alone.
fn write_secrets(command: &ImportOptions, secrets: &SecretVariables, terminal: &Terminal) -> Option<ExitCode> {
    let path = command.secrets.as_ref()?;
    let output = Output { path: Some(path), force: false, is_private: true };
    match write_output(&output, &secrets.file(), terminal) {
        ExitCode::Fine => None,
        failed => Some(failed),
    }
}

/// Says which variables the file needs. It goes to standard error: standard output may be the topology.
fn tell_secrets(command: &ImportOptions, secrets: &SecretVariables, terminal: &Terminal) {
    if secrets.is_empty() || terminal.quiet {
        return;
    }
    let count = counted(secrets.names().count(), "secret");
    let listed = |names: Vec<&str>| names.join(", ");
    match &command.secrets {
        Some(path) => {
            terminal.error(&format!(
                "{count} in {}: load it with `set -a; . {}; set +a`",
                path.display(),
                path.display()
            ));
            let unknown: Vec<&str> = secrets.unknown().collect();
            if !unknown.is_empty() {
                terminal.error(&format!("not in the source, to be set by hand: {}", listed(unknown)));
            }
        }
        None => terminal.error(&format!(
            "{count} left out: set {}, or have the values written with --secrets FILE",
            listed(secrets.names().collect())
        )),
    }
}

/// Counts what was imported.
fn counts(topology: &Topology) -> String {
    let lists = [
        (topology.vhosts.len(), "vhost"),
        (topology.users.len(), "user"),
        (topology.exchanges.len(), "exchange"),
        (topology.queues.len(), "queue"),
        (topology.bindings.len(), "binding"),
        (topology.parameters.len() + topology.global_parameters.len(), "parameter"),
    ];
    let policies = topology.policies.len() + topology.operator_policies.len();
    let mut words: Vec<String> = lists.iter().filter(|(n, _)| *n > 0).map(|(n, noun)| counted(*n, noun)).collect();
    match policies {
        0 => {}
        1 => words.push("1 policy".to_owned()),
        n => words.push(format!("{n} policies")),
    }
    if words.is_empty() { "nothing is in it".to_owned() } else { words.join(", ") }
}
