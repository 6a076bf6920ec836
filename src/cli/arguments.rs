//! The command line, as clap reads it.

use crate::cli::compare::options::CompareOptions;
use crate::cli::convert::options::{ExportOptions, ImportOptions};
use crate::cli::options::{
    AccessOptions, CheckOptions, ClockOptions, EffectiveOptions, FaultOptions, GraphOptions, PlayOptions,
    QueuesOptions, ReplayOptions, RouteOptions, ServeOptions, StoryOptions, SuggestOptions, TimelineOptions,
};
pub use crate::cli::options::{
    ApplyOptions, CleanOptions, DestroyOptions, ExtrasMode, KeepVhost, OneBroker, PlanOptions, ReachOptions,
    RunOptions, Selection, Snapshots, Vars, WaitOptions,
};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Rehearses RabbitMQ topologies: plays scenarios against a simulated or a live broker.
#[derive(Debug, Parser)]
#[command(
    name = "rmqplay",
    version,
    disable_help_subcommand = true,
    max_term_width = 110,
    after_help = "\
Examples:
  rmqplay run scenarios/first.yaml                        on the simulated broker, in milliseconds
  rmqplay run --broker amqp://localhost scenarios/        the same files on a live broker
  rmqplay plan topologies/first.yaml                      what declaring a topology on a broker would change
  rmqplay apply topologies/first.yaml                     declare it
  rmqplay check scenarios/*.yaml topologies/*.yaml        all problems, nothing played
  rmqplay review                                          look at what is new or changed

Exit codes: 0 fine, 1 failed or changed, 2 plan differs, 3 broker or rights, 4 refused as unsafe, 5 nothing to do,
            64 usage, 65 bad file, 70 a bug of rmqplay, 130/143 interrupted."
)]
pub struct CommandLine {
    #[command(subcommand)]
    pub command: CliCommand,
    /// Say less: only what failed.
    #[arg(short, long, global = true, display_order = 900)]
    pub quiet: bool,
    /// Say more: the AMQP library's own log too.
    #[arg(short, long, global = true, display_order = 901)]
    pub verbose: bool,
    /// When to colour; NO_COLOR is obeyed.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", value_parser = ["auto", "always", "never"],
          display_order = 902)]
    pub color: String,
}

#[derive(Debug, Subcommand)]
pub enum CliCommand {
    /// Play scenarios and compare their outcomes with the snapshots.
    #[command(after_help = "\
Examples:
  rmqplay run                                       everything below scenarios/
  rmqplay run scenarios/first.yaml --trace          one scenario, with all that happened
  rmqplay run --broker sim:3.10 --broker sim:4.3    the rules of two versions
  rmqplay run --broker amqp://guest:guest@localhost:5672 --report junit:report.xml
  rmqplay run --filter 'tag(dlx) and not name(retry)' --fail-fast
  rmqplay run --broker env --keep-vhost=on-failure  what failed stays on the broker for a look
  rmqplay run --broker env --in-vhost rehearsal     without the right to create vhosts
  rmqplay run --broker env --retries 2              what passes at the second or third time is flaky
  rmqplay run --coverage --coverage-min 80          what no scenario exercised, and exit 1 below 80 %
  rmqplay run --shard 2/3                           one of three parts of the cells
  rmqplay run --rerun-failed                        what failed last time

With CI set nothing is written (--snapshots check), unless --snapshots says otherwise.")]
    Run(RunOptions),
    /// Play scenarios, and play those again that a change of a file concerns, until Ctrl-C.
    #[command(after_help = "\
Examples:
  rmqplay watch                                     everything below scenarios/
  rmqplay watch scenarios/first.yaml --trace        one scenario, with all that happened
  rmqplay watch --profile quick

A change concerns the scenarios that read the file (a scenario, a topology, what they include), or whose snapshot it is. A file that
is broken or gone is told, and waited for. It takes the flags of run.

Exit codes: 130/143 interrupted, 64 usage, 65 a path that is not there at the beginning.")]
    Watch(RunOptions),
    /// Play a record of a run again, on the simulated broker, and tell what differs now.
    #[command(after_help = "\
Examples:
  rmqplay run --record before.jsonl && git pull && rmqplay replay before.jsonl
  rmqplay run --broker env --record staging.jsonl && rmqplay replay staging.jsonl

It plays the files as they are now, by the rules and with the variables of then, and names the files that changed. What was recorded
on a live broker is played by the rules of its release, and compared by its outcome.

Exit codes: 0 as recorded, 1 something differs or is gone, 65 no whole record of this form, or a bad file, 5 no cell was recorded.")]
    Replay(ReplayOptions),
    /// Play scenarios on two brokers or more, and tell what differs from each to the next, by cause; read and write no
    /// snapshot.
    #[command(after_help = "\
Examples:
  rmqplay compare --broker sim:3.10 --broker sim:4.3          what an upgrade changes for everything below scenarios/
  rmqplay compare scenarios/ --broker sim:3.10,sim:4.0,sim:4.3     step by step
  rmqplay compare scenarios/ --broker env --broker sim:4.3    your broker, and the rules of the version to come
  rmqplay compare definitions.json --broker sim:3.13,sim:4.3  an export alone, by the scenarios of `suggest`
  rmqplay compare --broker amqp://old --broker amqp://new --report markdown:upgrade.md

Each broker is compared with the one before it. A cell that fails alike on both is the same. What differs on a live broker is
played there once more; what then ends in another way is unsteady, and no difference.

Exit codes: 0 the same, 1 something differs, 3 a broker cannot be played on, 5 no cell was compared.")]
    Compare(CompareOptions),
    /// List cells with their tags, time and snapshots; play nothing.
    #[command(after_help = "\
Examples:
  rmqplay list                                      everything below scenarios/
  rmqplay list --tag dlx --json

The time is what a scenario waits for by its own words, at most.")]
    List(ListOptions),
    /// Show what apply would change on a broker, and what the broker holds beside the files; write nothing.
    #[command(
        alias = "diff",
        after_help = "\
Examples:
  rmqplay plan topologies/first.yaml
  rmqplay plan base.yaml team.yaml --broker amqp://admin:secret@broker:5672     the files together
  rmqplay plan orders.yaml --extras fail            a drift watch: what only the broker holds counts too
  rmqplay plan orders.yaml --against definitions.json
  rmqplay plan orders.yaml --json | jq '.changes[].text'

Exit codes: 0 nothing to do, 2 apply with the same flags would write, and else as that apply would end:
            3 the broker, or a right, is lacking, 4 refused as unsafe, or by --deny."
    )]
    Plan(PlanOptions),
    /// Declare topologies on a live broker, then read them back and prove that both are equal.
    #[command(after_help = "\
Examples:
  rmqplay apply topologies/first.yaml
  rmqplay apply topologies/first.yaml --broker amqp://admin:secret@broker:5672/orders
  rmqplay apply definitions.json --dry-run          the output and the exit codes of plan; writes nothing
  rmqplay apply orders.yaml --save-plan orders.plan && rmqplay apply orders.plan --yes
  rmqplay apply orders.yaml --report json:applied.json
  rmqplay apply orders.yaml --replace move          queues that must be made anew keep their messages
  rmqplay apply orders.yaml --prune --dry-run       what deleting all that the file does not name would delete

What only adds is applied. What can lose messages, rights or a login is refused without --yes, before the first write. On a
terminal there is one question; --auto-approve skips it, and consents to no loss. Afterwards the broker is read back. A saved
plan is refused (4) on a broker that has moved since.

Exit codes: 0 equal, 1 not equal when read back, 3 the broker, a right or a plugin is lacking,
            4 refused as unsafe, or by --deny.")]
    Apply(ApplyOptions),
    /// Delete from a live broker what topologies name; users, vhosts and global parameters only when told to.
    #[command(after_help = "\
Examples:
  rmqplay destroy topologies/first.yaml --dry-run
  rmqplay destroy topologies/first.yaml --also users,vhosts --yes

Queues with messages or consumers, rights, logins and more than 20 objects need --yes. On a terminal there is one question;
--auto-approve skips it, and consents to no loss.")]
    Destroy(DestroyOptions),
    /// Convert a broker, a definitions file, Kubernetes resources, rascal or Terraform to a topology.
    #[command(after_help = "\
Examples:
  rmqplay import definitions.json -o topologies/shop.yaml
  rmqplay import --broker amqp://guest:guest@localhost:5672 --vhost shop
  rmqplay import queues.k8s.yaml -o topologies/shop.yaml --secrets shop.env
  terraform show -json | rmqplay import - > topologies/shop.yaml

What is written has been read again and compared with its source. Passwords, hashes and the passwords of URIs become
variables of the environment.")]
    Import(ImportOptions),
    /// Write topologies, or what a broker holds, as a definitions file that RabbitMQ imports.
    #[command(after_help = "\
Examples:
  rmqplay export topologies/shop.yaml -o definitions.json
  rmqplay export topologies/*.yaml --for 3.10       in the form and within the bounds of an older version
  rmqplay export topologies/shop.yaml --vhost shop  one vhost, for POST /api/definitions/VHOST
  rmqplay export --broker amqp://localhost          what a broker holds")]
    Export(ExportOptions),
    /// Report what is wrong with topologies and scenarios, and what you would regret; play nothing.
    #[command(after_help = "\
Examples:
  rmqplay check                                     everything below scenarios/ and topologies/
  rmqplay check scenarios/first.yaml topologies/first.yaml
  rmqplay check definitions.json --for 4.3          an export, as the version to come would take it
  rmqplay check --deny warning --format github      in a workflow: annotations, and exit 1 on warnings
  rmqplay explain yaml::unknown_key                 what a code that it shows means

What is meant to be so is said in the file, on top or in the object, with a reason:
  allow: [{code: lint::ttl_drops, reason: a price is worthless after a minute}]

Exit codes: 0 nothing stops, 65 something does, 1 when --deny finds.")]
    Check(CheckOptions),
    /// Show what is in force on a queue or exchange: arguments, policies, defaults; which won, and why.
    #[command(after_help = "\
Examples:
  rmqplay effective topologies/first.yaml                     of all queues and exchanges of a file
  rmqplay effective definitions.json orders.work --for 4.3    of one queue, on one version
  rmqplay effective --broker amqp://localhost orders.work     of a queue on a broker")]
    Effective(EffectiveOptions),
    /// Show who may do what: user, object and right, with the pattern that grants it.
    #[command(after_help = "\
Examples:
  rmqplay access topologies/least-privilege.yaml
  rmqplay access definitions.json --user alice --json
  rmqplay access --broker amqp://localhost")]
    Access(AccessOptions),
    /// Show which queues get a message, by which bindings, and what becomes of it then.
    #[command(after_help = "\
Examples:
  rmqplay route topologies/first.yaml '' orders                       the default exchange: a queue's name
  rmqplay route topologies/shop.yaml orders order.created             exchange and routing key
  rmqplay route definitions.json files '' --header format=pdf --as alice
  rmqplay route --broker amqp://localhost orders order.created

Nothing is published. What follows is told hop by hop: expiry, rejection, limits, dead letters; versions that differ apart.")]
    Route(RouteOptions),
    /// Draw a topology: exchanges, queues, bindings, dead letters with their reasons, alternates, retries, shovels.
    #[command(after_help = "\
Examples:
  rmqplay graph topologies/first.yaml                         Mermaid, as Markdown pages of many hosts draw it
  rmqplay graph topologies/first.yaml -o first.svg            a picture, with a legend
  rmqplay graph definitions.json -o shop.dot --vhost shop     Graphviz
  rmqplay graph --broker amqp://localhost --for 4.3           what a broker holds, by the rules of 4.3
  rmqplay graph shop.yaml --plan --broker amqp://localhost    what apply would make of it, coloured
  rmqplay graph --scenario scenarios/first.yaml -o used.svg   what a scenario exercises

An edge stands for all bindings between two. Dead letters that end nowhere are red. A queue's retries are one node.")]
    Graph(GraphOptions),
    /// Write scenarios for dead-letter ways, limits, rights, retries and bindings that none exercises; each passes.
    #[command(after_help = "\
Examples:
  rmqplay suggest topologies/first.yaml                       print them
  rmqplay suggest definitions.json --write scenarios/broker   one file each; a file that is there stays
  rmqplay suggest topologies/orders.yaml --scenarios scenarios/orders --for 4.0,4.3

Each is played on the simulated broker of all versions before it is shown; what has none is told, and why.")]
    Suggest(SuggestOptions),
    /// Explain a rule of RabbitMQ, or the code of a problem; without a name, list all.
    #[command(after_help = "\
Examples:
  rmqplay explain TTL-2                             what RabbitMQ does, by version, and how that is known
  rmqplay explain topology::not_simulated           what is wrong, with a wrong and a right example
  rmqplay explain DL                                all rules of a family
  rmqplay explain delivery_limit                    all whose titles speak of it")]
    Explain(ExplainOptions),
    /// Write a first topology and scenario and a CI workflow; overwrites nothing.
    #[command(after_help = "\
Example:
  rmqplay init && rmqplay run")]
    Init(InitOptions),
    /// Lay YAML files out; comments and meaning stay.
    #[command(after_help = "\
Examples:
  rmqplay fmt                                       everything below scenarios/ and topologies/
  rmqplay fmt --check scenarios/first.yaml          exit 1 when it would change")]
    Fmt(FmtOptions),
    /// Write the JSON Schema of topologies, scenarios or rmqplay.yaml, for editors.
    #[command(after_help = "\
Example:
  rmqplay schema scenario > scenario.schema.json

and as the first line of a scenario, for editors with the YAML language server:
  # yaml-language-server: $schema=../scenario.schema.json

`schema config` is that of rmqplay.yaml.")]
    Schema(SchemaOptions),
    /// Write completions for a shell; they know brokers, cells and tags.
    #[command(after_help = "\
Examples:
  rmqplay completions bash > /etc/bash_completion.d/rmqplay
  rmqplay completions zsh > ~/.zfunc/_rmqplay
  rmqplay completions fish > ~/.config/fish/completions/rmqplay.fish")]
    Completions(CompletionsOptions),
    /// Write the manual pages, one for each command.
    #[command(hide = true)]
    Man(ManOptions),
    /// Wait until a broker answers over AMQP and its management API.
    #[command(after_help = "\
Example:
  docker compose up -d && rmqplay wait --broker amqp://localhost:5430 --timeout 60s")]
    Wait(WaitOptions),
    /// Show what works with a broker, and what does not and why: addresses, TLS, rights, alarms, deprecated features.
    #[command(after_help = "\
Examples:
  rmqplay doctor --broker amqps://ci@rabbit:5671?cacertfile=ca.pem
  rmqplay doctor --node staging --json              a node of ~/.rabbitmqadmin.conf

It ends with 3 when AMQP, TLS or the management API does not work, or an alarm keeps messages out.")]
    Doctor(DoctorOptions),
    /// Play a scenario on a page of this machine: its clock in your hand, its consumers, and what you do yourself.
    #[command(after_help = "\
Examples:
  rmqplay play scenarios/first.yaml                 held before the first step; the page lets it go on
  rmqplay play scenarios/retry.yaml --cell queue_type=quorum --broker sim:3.13
  rmqplay play scenarios/quest/game.yaml --with scenarios/quest/player.yaml --with scenarios/quest/wave.yaml
  rmqplay play scenarios/first.yaml --broker amqp://guest:guest@localhost:5672     at the broker's own pace
  rmqplay play --attach http://127.0.0.1:40123/TOKEN      a broker that `rmqplay serve` serves, with its clients

One line on standard output has the page's address with its token; a browser opens it where a desktop has one. Several pages may
follow one run. Nothing is written: no snapshot, no file. Ctrl-C ends it.

Exit codes: 65 bad file, 64 usage, 3 nothing can listen there, 5 no such cell, 130/143 interrupted.")]
    Play(PlayOptions),
    /// Serve the simulated broker at an AMQP port, for your own programs in any language.
    #[command(after_help = "\
Examples:
  rmqplay serve                                     at 127.0.0.1:5672, guest:guest, by the rules of the newest version
  rmqplay serve topologies/orders.yaml --broker sim:3.13 --listen 127.0.0.1:5673
  rmqplay serve topologies/orders.yaml -- pytest     a free port, in RABBITMQ_URL; ends with the tests' exit code
  rmqplay serve --clock manual                      time stands still until `rmqplay clock advance 7d`
  rmqplay serve scenarios/retry.yaml -- pytest      the scenario's consumers and steps beside the tests

A scenario's steps begin at once, and wait for your service by what they expect: `expect: {queue: orders, consumers: 1, within:
30s}`. When COMMAND has ended, what is left of it is played in virtual time, judged as `run` does, and its outcome compared with
the snapshot.

One line on standard output tells where it can be reached, once it can. Ctrl-C closes all connections (320) and ends it.

Exit codes: 65 bad file, 64 usage, 3 nothing can listen there; of COMMAND its own, or 128 + N when signal N ended it;
            1 when COMMAND ends with 0 and the scenario fails or changed; 64 when there is no such command,
            130/143 interrupted.")]
    Serve(ServeOptions),
    /// Show or advance the clock of a served broker (`serve --clock manual`).
    #[command(after_help = "\
Examples:
  rmqplay clock advance 7d                          all that happens within seven days, in milliseconds
  rmqplay clock advance --timers 1                  to the next thing that happens by itself
  rmqplay clock advance --until late --messages 3   until the queue `late` holds three messages
  rmqplay clock advance --until late --message order-7
  rmqplay clock show --control http://127.0.0.1:40001/4f9c…

It ends with 1 when a client keeps a delivery unsettled for longer than --owe-limit, and names it; and
when what --until waits for does not come within 366d, or before nothing more happens.")]
    Clock(ClockOptions),
    /// Tell what became of a message at a served broker, hop by hop, with reasons and rules.
    #[command(after_help = "\
Examples:
  rmqplay story order-7 --control http://127.0.0.1:41234/TOKEN
  rmqplay story m3                                  the third message without an id

Within `rmqplay serve … -- COMMAND` the URL is in RMQPLAY_CONTROL_URL. The latest 10,000 entries are kept.

Exit codes: 3 no broker answers, 5 no message is called that.")]
    Story(StoryOptions),
    /// List the queues of a served broker: counts, and when something next happens by itself.
    Queues(QueuesOptions),
    /// Print what happens at a served broker, as it happens.
    #[command(after_help = "\
Examples:
  rmqplay timeline --control http://127.0.0.1:41234/TOKEN
  rmqplay timeline --no-follow                      what there is so far

Ctrl-C ends it, and the end of the broker. A reader that is too slow is told how many entries it missed.")]
    Timeline(TimelineOptions),
    /// Let something go wrong at a served broker: connections, alarms, nacks, refusals, late deliveries, a restart.
    #[command(after_help = "\
Examples:
  rmqplay fault drop all                            cut every connection
  rmqplay fault alarm memory && rmqplay fault alarm memory --off
  rmqplay fault nack 3                              the next three publishes
  rmqplay fault refuse queue.declare --code 406 --times 2
  rmqplay fault delay 5s --queue orders
  rmqplay fault restart --down-for 10s              durable queues and persistent messages are there again
  rmqplay fault restart --without-disk              as it was started, and empty

Exit codes: 3 no broker answers, or not now, 5 no connection is meant, 64 the fault is none.")]
    Fault(FaultOptions),
    /// Delete throw-away vhosts and users that an ended run left on a broker.
    #[command(after_help = "\
Example:
  rmqplay clean --broker amqp://localhost --older-than 10m

A vhost that somebody is connected to stays, and so do the users of its run: a run may be under way.")]
    Clean(CleanOptions),
    /// Look at pending outcomes one by one, and accept, reject or skip each.
    #[command(after_help = "\
Examples:
  rmqplay review                                    everything pending below scenarios/
  rmqplay review scenarios/first.yaml")]
    Review(ReviewOptions),
    /// Make pending outcomes the snapshots.
    #[command(after_help = "\
Examples:
  rmqplay accept                                    everything pending below scenarios/
  rmqplay accept scenarios/first.yaml
  rmqplay accept 'ttl-dlq [queue_type=quorum]'      one cell, as a run prints it
  rmqplay accept scenarios/snapshots/first.snap.new")]
    Accept(ReviewOptions),
    /// Throw pending outcomes away; the snapshots stay as they are.
    #[command(after_help = "\
Examples:
  rmqplay reject                                    everything pending below scenarios/
  rmqplay reject scenarios/first.yaml")]
    Reject(ReviewOptions),
    /// Print the help of a command, or the reference of the language: `help language`.
    #[command(after_help = "\
Examples:
  rmqplay help run                                  as rmqplay run --help
  rmqplay help language                             every word of topologies and scenarios, with examples
  rmqplay help language prefetch                    what it says of one word
  rmqplay help language consumers                   one part of it")]
    Help(HelpOptions),
}

#[derive(Debug, Args)]
pub struct ListOptions {
    /// Scenario files and folders.
    #[arg(value_name = "PATH", default_value = "scenarios")]
    pub paths: Vec<PathBuf>,
    #[command(flatten)]
    pub vars: Vars,
    #[command(flatten)]
    pub selection: Selection,
    /// Write one JSON object per cell.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct DoctorOptions {
    #[command(flatten)]
    pub broker: OneBroker,
    /// Write the checks as JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ManOptions {
    /// Where to.
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
}

/// Names what waits for a review.
#[derive(Debug, Args)]
pub struct ReviewOptions {
    /// Scenario files, folders, cells as a run prints them, and pending files themselves.
    #[arg(value_name = "PATH", default_value = "scenarios")]
    pub paths: Vec<PathBuf>,
}

/// What help is asked for.
#[derive(Debug, Args)]
pub struct HelpOptions {
    /// A command, or `language` and words of it (default: all commands).
    #[arg(value_name = "TOPIC")]
    pub topic: Vec<String>,
}

#[derive(Debug, Args)]
pub struct InitOptions {
    /// Where to.
    #[arg(value_name = "FOLDER", default_value = ".")]
    pub folder: PathBuf,
}

#[derive(Debug, Args)]
pub struct FmtOptions {
    /// YAML files, and folders of them (default: scenarios and topologies).
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write nothing; exit 1 when a file would change.
    #[arg(long)]
    pub check: bool,
}

/// Names the kind of file that a schema is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SchemaKind {
    Topology,
    Scenario,
    /// rmqplay.yaml, which names brokers.
    Config,
}

#[derive(Debug, Args)]
pub struct SchemaOptions {
    #[arg(value_name = "KIND")]
    pub kind: SchemaKind,
}

#[derive(Debug, Args)]
pub struct ExplainOptions {
    /// Rules (`TTL-2`), codes (`yaml::unknown_key`), or families of them (`DL`, `topology`).
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Write JSON: a list of what was asked for, or of everything.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct CompletionsOptions {
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}
