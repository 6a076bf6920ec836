//! `export`: topologies as a definitions file that RabbitMQ's own import takes.

use crate::cli::arguments::{OneBroker, Vars};
use crate::cli::brokers::one_broker;
use crate::cli::commands::import::read_broker;
use crate::cli::convert::options::ExportOptions;
use crate::cli::convert::output::{Output, write_output};
use crate::cli::desired::objects_at;
use crate::cli::load::Loader;
use crate::cli::terminal::Terminal;
use crate::cli::{ExitCode, runtime};
use crate::convert::{DefinitionsForm, Imported, definitions, only_vhost, without_objects};
use crate::io::random_salt;
use crate::model::{Topology, by_number, counted};
use crate::plan::named;
use crate::source::{Code, Level};

/// Loads, joins, and writes.
pub fn export(command: &ExportOptions, terminal: &Terminal) -> ExitCode {
    let topology = match command.files.is_empty() {
        true => of_broker(command, terminal),
        false => of_files(command, terminal),
    };
    let mut topology = match topology {
        Ok(topology) => topology,
        Err(code) => return code,
    };
    let form = match &command.vhost {
        None => DefinitionsForm::Cluster,
        Some(vhost) => {
            let mut imported = Imported { topology, ..Imported::default() };
            only_vhost(&mut imported, vhost);
            topology = imported.topology;
            if topology == Topology::default() {
                terminal.error(&format!("there is nothing in a vhost '{vhost}' to export"));
                return ExitCode::Nothing;
            }
            DefinitionsForm::Vhost(vhost.clone())
        }
    };
    let text = format!("{:#}\n", definitions(&topology, command.target, &form, &mut random_salt));
    // Hashes of passwords are no secret to read aloud.
    let output = Output { path: command.output.as_deref(), force: command.force, is_private: true };
    let code = write_output(&output, &text, terminal);
    if let (ExitCode::Fine, Some(path)) = (code, &command.output) {
        let how = match &command.vhost {
            None => format!("rabbitmqctl import_definitions {}", path.display()),
            Some(_) => "POST it to /api/definitions/VHOST".to_owned(),
        };
        terminal.status(&format!("wrote {} for RabbitMQ {}: {how}", path.display(), command.target));
    }
    if code == ExitCode::Fine && command.vhost.is_none() {
        terminal.error_unless_empty(&without_password(&topology));
    }
    code
}

/// Says which users the import makes without a password.
fn without_password(topology: &Topology) -> String {
    let users = topology.users.iter().filter(|user| user.credential.is_none());
    let names: Vec<&str> = users.map(|user| user.name.as_str()).collect();
    let them = by_number(names.len(), "it", "them");
    match names.len() {
        0 => String::new(),
        n => format!(
            "note: {} {} no password ({}): nobody can log in as {them} with one",
            counted(n, "user"),
            by_number(n, "has", "have"),
            names.join(", ")
        ),
    }
}

/// Loads all files, judged by the version that shall import them.
fn of_files(command: &ExportOptions, terminal: &Terminal) -> Result<Topology, ExitCode> {
    let vars = Vars { vars: command.vars.clone(), vars_files: command.vars_files.clone() };
    let loader = Loader::new(&vars, command.vhost.clone());
    let loader = loader.map_err(|(code, message)| {
        terminal.usage(&message);
        code
    })?;
    let mut loader = loader.judging_for(&[command.target]);
    if command.skip_unset {
        loader = loader.without_secrets();
    }
    let (loaded, problems) = loader.topologies(&command.files);
    if let Some(unknown) = loader.unknown_variable() {
        return Err(terminal.usage(&format!("--var: {unknown}")));
    }
    let problems = crate::report::distinct(problems, &loader.sources);
    match (terminal.problems_of_files(&problems, &loader.sources), loaded) {
        (ExitCode::Fine, Some(loaded)) => {
            let mut topology = loaded.topology;
            let left_out = without_objects(&mut topology, objects_at(&problems, &loaded.origins));
            if !left_out.is_empty() {
                let names: Vec<String> = left_out.iter().map(named).collect();
                terminal.error(&format!("note: left out, since a secret is not set: {}", names.join(", ")));
            }
            Ok(topology)
        }
        (code, _) => {
            let is_unset =
                |one: &&crate::source::Problem| one.code == Code::TemplateUndefined && one.level == Level::Problem;
            if problems.iter().any(|one| is_unset(&one)) {
                terminal.error("help: --skip-unset leaves out the users and parameters that need what is not set");
            }
            Err(code.and(ExitCode::BadFile))
        }
    }
}

fn of_broker(command: &ExportOptions, terminal: &Terminal) -> Result<Topology, ExitCode> {
    let (broker, node, management) = (command.broker.clone(), command.node.clone(), command.management.clone());
    let address = one_broker(&OneBroker { broker, node, management }, terminal).map_err(|none| none.emit(terminal))?;
    match runtime::interruptible(read_broker(&address, command.vhost.as_deref(), terminal)) {
        Ok(Ok(imported)) => Ok(imported.topology),
        Ok(Err(failure)) => Err(terminal.failure(&failure)),
        Err(code) => Err(code),
    }
}
