//! From the process's arguments to its exit code.

use crate::cli::ExitCode;
use crate::cli::arguments::CliCommand;
use crate::cli::commands::{
    access, apply, check, clean, destroy, doctor, effective, explain, export, fmt, graph, help, import, init, list,
    man, plan, review, route, run, schema, wait,
};
use crate::cli::compare;
use crate::cli::completion;
use crate::cli::foresee::suggest;
use crate::cli::playing;
use crate::cli::serving;
use crate::cli::suite::{NotRead, command_line, replay, watch};
use crate::cli::terminal::Terminal;
use crate::cli::unparsed::unparsed;
use clap_complete::CompleteEnv;

/// Runs the program; the code is of the documented ones.
pub fn main() -> std::process::ExitCode {
    // A shell that asks what it may complete gets its answer, and the program ends.
    CompleteEnv::with_factory(completion::command).var(completion::ASKED_BY).complete();
    let arguments = match command_line(std::env::args_os().collect()) {
        Ok(arguments) => arguments,
        Err(NotRead::Profile(arguments, message, code)) => {
            let _ = Terminal::new(&arguments).usage(&message);
            return Terminal::finish(code).into();
        }
        Err(NotRead::Clap(error)) => {
            return Terminal::finish(unparsed(
                *error,
                std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()),
            ))
            .into();
        }
    };
    let terminal = Terminal::new(&arguments);
    terminal.log_if_asked();
    if !arguments.verbose {
        silence_abandoned_connections();
    }
    let ended = std::panic::catch_unwind(|| command(arguments.command, terminal));
    let code = ended.unwrap_or_else(|_| {
        terminal.error("this is a bug of rmqplay: please report the files and the lines above");
        ExitCode::Bug
    });
    Terminal::finish(code).into()
}

/// Keeps quiet about lapin's own thread: it panics when a dial is given up under it (lapin 4.12). Whoever waits for the
/// connection is told of its end; with --verbose the panic is printed too.
fn silence_abandoned_connections() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() != Some("lapin-io-loop") {
            usual(panic);
        }
    }));
}

fn command(command: CliCommand, terminal: Terminal) -> ExitCode {
    let terminal = &terminal;
    match command {
        CliCommand::Run(command) => run::run(&command, terminal),
        CliCommand::Watch(command) => watch(&command, terminal),
        CliCommand::Replay(command) => replay(&command, terminal),
        CliCommand::Compare(command) => compare::compare(command, terminal),
        CliCommand::Plan(command) => plan::plan_of(&command, terminal),
        CliCommand::Apply(command) => apply::apply(&command, terminal),
        CliCommand::Destroy(command) => destroy::destroy_all(&command, terminal),
        CliCommand::Check(command) => check::check(&command, terminal),
        CliCommand::Effective(command) => effective::show(&command, terminal),
        CliCommand::Access(command) => access::show(&command, terminal),
        CliCommand::Route(command) => route::show(&command, terminal),
        CliCommand::Graph(command) => graph::draw(&command, terminal),
        CliCommand::Suggest(command) => suggest::suggest(&command, terminal),
        CliCommand::Import(command) => import::import(&command, terminal),
        CliCommand::Export(command) => export::export(&command, terminal),
        CliCommand::Explain(command) => explain::explain(&command, terminal),
        CliCommand::Init(command) => init::init(&command, terminal),
        CliCommand::Fmt(command) => fmt::fmt(&command, terminal),
        CliCommand::Schema(command) => schema::write_schema(&command, terminal),
        CliCommand::Completions(command) => schema::write_completions(&command, terminal),
        CliCommand::Wait(command) => wait::wait(&command, terminal),
        CliCommand::Doctor(command) => doctor::doctor(&command, terminal),
        CliCommand::Man(command) => man::man(&command, terminal),
        CliCommand::Clock(command) => serving::clock(&command, terminal),
        CliCommand::Play(command) => playing::play(&command, terminal),
        CliCommand::Serve(command) => serving::serve(&command, terminal),
        CliCommand::Story(command) => serving::story(&command, terminal),
        CliCommand::Queues(command) => serving::queues(&command, terminal),
        CliCommand::Timeline(command) => serving::timeline(&command, terminal),
        CliCommand::Fault(command) => serving::fault(&command, terminal),
        CliCommand::Clean(command) => clean::clean(&command, terminal),
        CliCommand::List(command) => list::list(&command, terminal),
        CliCommand::Review(command) => review::review(&command, terminal),
        CliCommand::Accept(command) => review::accept(&command, terminal),
        CliCommand::Reject(command) => review::reject(&command, terminal),
        CliCommand::Help(command) => help::help(&command, terminal),
    }
}
