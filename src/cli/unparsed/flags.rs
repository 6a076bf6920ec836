//! Flags that a command does not have: those of other tools, misspelt ones, those of other commands.

use crate::source::{Help, nearest_name};

/// The commands that a line is about (none: all), flags of other tools, and what to write here.
const OF_OTHER_TOOLS: &[(&[&str], &[&str], &str)] = &[
    (
        &["run"],
        &[
            "update",
            "update-snapshots",
            "update-snapshot",
            "accept",
            "bless",
            "overwrite",
            "u",
            "snapshot-update",
            "approve",
        ],
        "`--snapshots accept` makes snapshots of what is new or changed; `rmqplay accept` of what is pending",
    ),
    (
        &["run"],
        &["check", "ci", "frozen", "no-update", "locked"],
        "`--snapshots check` writes nothing, and a missing snapshot fails; `rmqplay check` plays nothing",
    ),
    (
        &["run"],
        &["strict"],
        "a run fails where an outcome differs; `--snapshots check` fails without a snapshot, too; `rmqplay check --deny warning` fails on findings",
    ),
    (
        &["check"],
        &["strict", "werror", "fail-on", "deny-warnings", "max-warnings", "fail"],
        "`--deny warning` fails on warnings, `--deny note` on notes, too",
    ),
    (
        &["plan", "apply"],
        &["strict"],
        "`rmqplay check --deny warning` fails on findings, `rmqplay plan --extras fail` on what only the broker holds",
    ),
    (
        &["run"],
        &["version", "rabbitmq", "rabbitmq-version", "sim", "for"],
        "`--broker sim:VERSION` plays by the rules of a version",
    ),
    (
        &["run"],
        &["live", "url", "uri", "host", "hostname", "H", "port", "P", "username", "user", "password", "p"],
        "`--broker amqp://USER:PASSWORD@HOST:PORT` plays on a live broker",
    ),
    (
        &["check", "effective", "access", "route", "export"],
        &["version", "profile", "rabbitmq", "rabbitmq-version", "target"],
        "`--for VERSION` judges for a version of RabbitMQ",
    ),
    (
        &["apply", "plan", "destroy"],
        &["version", "profile", "for"],
        "the broker's own version counts; `rmqplay check --for VERSION` judges files for another one",
    ),
    (
        &["apply", "destroy"],
        &["force", "y", "assumeyes", "confirm"],
        "`--yes` goes on although messages, rights or logins can be lost",
    ),
    (
        &["apply"],
        &["approve", "auto", "no-input", "non-interactive", "batch"],
        "`--auto-approve` skips the question; losses need `--yes`",
    ),
    (
        &["apply", "destroy"],
        &["check", "dry", "preview", "noop", "n", "whatif", "simulate"],
        "`--dry-run` shows what would change, and writes nothing",
    ),
    (
        &["plan"],
        &["dry", "dry-run", "check", "n", "preview"],
        "`plan` writes nothing at all; it ends with 2 where `apply` would write",
    ),
    (&["plan"], &["out"], "`--save-plan FILE` keeps the plan for `rmqplay apply FILE`"),
    (&["plan"], &["auto-approve", "force"], "`plan` asks and writes nothing; `--yes` plans as `apply --yes` would"),
    (
        &["apply"],
        &["delete", "remove", "delete-extra", "remove-extra", "mirror", "exact", "destroy"],
        "`--prune` deletes what the files do not name; `rmqplay destroy` what they name",
    ),
    (
        &["apply"],
        &["recreate", "force-replace", "replace-all"],
        "`--replace drop` makes queues anew, `--replace move` with their messages",
    ),
    (&["init"], &["force", "overwrite", "f"], "`init` overwrites nothing: remove a file that is to be written anew"),
    (
        &["run", "check", "list", "fmt", "review", "accept", "reject"],
        &["yes", "y", "auto-approve", "force"],
        "it asks nothing and needs no consent: leave it out",
    ),
    (
        &["run"],
        &["vhost", "v-host"],
        "`--in-vhost VHOST` plays in a vhost of a live broker; in the simulator the topology's `vhost:` counts",
    ),
    (&["check", "list", "fmt", "access"], &["vhost"], "a topology says `vhost: NAME` for all its objects"),
    (&["wait", "clean", "doctor"], &["vhost"], "the vhost stands in the URL: `--broker amqp://HOST/VHOST`"),
    (
        &["run", "check", "list"],
        &["dry", "dry-run", "n", "collect-only", "no-run"],
        "`rmqplay list` lists the cells, `rmqplay check` checks the files: neither plays",
    ),
    (&["run"], &["list"], "`rmqplay list` lists the cells"),
    (&["run"], &["watch", "w", "watchAll", "watch-all", "poll"], "`rmqplay watch` plays what changes until Ctrl-C"),
    (
        &["run"],
        &[
            "lf",
            "last-failed",
            "ff",
            "failed-first",
            "failed",
            "only-failures",
            "onlyFailures",
            "rerun",
            "rerun-failures",
        ],
        "`--rerun-failed` plays only what failed last time",
    ),
    (
        &["run"],
        &["partition", "split", "splits", "group", "total-shards", "shard-index", "shard-count"],
        "`--shard 2/3` plays the second of three parts of the cells",
    ),
    (
        &["run"],
        &["timeout", "max-time"],
        "`--max-wait DURATION` skips what would take longer on a live broker; a scenario's own is its key `timeout`",
    ),
    (
        &["run"],
        &["parallel", "threads", "workers", "concurrency", "n", "maxWorkers", "max-workers"],
        "`--jobs N` plays N cells at once on each broker",
    ),
    (
        &["run", "list"],
        &["grep", "k", "t", "only", "name", "test", "g", "match", "filter-name", "pattern"],
        "`--filter TEXT` chooses by name, file or sentence, `--cell NAME` one cell, `--tag TAG` by tag",
    ),
    (
        &["run"],
        &["bail", "x", "maxfail", "exitfirst", "stop-on-failure"],
        "`--fail-fast` plays no further cell once one has failed",
    ),
    (
        &["run"],
        &["junit", "junitxml", "junit-xml", "reporter", "junit-report"],
        "`--report junit:FILE` writes a JUnit report",
    ),
    (&["run"], &["output", "out", "o", "format"], "`--json` prints JSON, `--report junit:FILE` writes a report"),
    (&["run"], &["speed", "time", "scale", "fast"], "`--time-scale 0.1` plays ten times as fast on a live broker"),
    (&["run"], &["keep", "no-cleanup", "keep-alive"], "`--keep-vhost` leaves the vhosts on a live broker"),
    (
        &["run"],
        &["debug", "log", "log-level", "d"],
        "`--trace` tells what happened, `--verbose` shows the AMQP library's log",
    ),
    (
        &["check", "suggest"],
        &["broker", "url", "uri", "host"],
        "it reads files: `rmqplay import --broker URL -o topologies/broker.yaml` writes what a broker holds as one",
    ),
    (&["check"], &["fix", "write"], "`rmqplay fmt` lays files out; what is wrong in them is mended by hand"),
    (
        &["check"],
        &["output", "out", "o", "report", "reporter", "sarif", "github"],
        "`--format json|sarif|github` writes to standard output: `rmqplay check --format sarif > FILE`",
    ),
    (&["fmt"], &["write", "w", "i", "in-place", "fix"], "`fmt` writes the files; `--check` only looks"),
    (
        &["fmt"],
        &["diff", "l", "list", "dry-run", "dry"],
        "`--check` writes nothing and names the files that would change",
    ),
    (&["import", "export"], &["out", "file", "to"], "`--output FILE` writes to a file; sources stand without a flag"),
    (&["import"], &["from", "format", "type"], "the form of a source is read from it: `rmqplay import FILE`"),
    (&["export"], &["format", "type"], "it writes RabbitMQ's definitions, as JSON"),
    (
        &["apply", "plan", "destroy"],
        &["out", "output", "o", "format"],
        "`--json` (plan) prints the plan, `--report json:FILE` (apply) writes what became of each object",
    ),
    (
        &["wait", "apply", "plan", "destroy"],
        &["retries", "retry", "wait"],
        "`rmqplay wait --timeout 60s` waits until a broker answers",
    ),
    (&["accept", "review", "reject"], &["all", "a"], "without a path everything pending below scenarios/ is meant"),
    (
        &["clean"],
        &["all", "yes", "y", "age"],
        "`--older-than 0s` deletes younger ones, too, `--force` those with open connections",
    ),
    (
        &[],
        &["host", "hostname", "H", "port", "P", "username", "u", "user", "password", "p", "url", "uri", "U"],
        "`--broker amqp://USER:PASSWORD@HOST:PORT/VHOST` names the broker",
    ),
    (&[], &["f", "file", "files", "path", "input", "i"], "files stand without a flag: `rmqplay COMMAND FILE`"),
    (
        &[],
        &["e", "env", "set", "D", "define", "vars", "variable", "extra-vars", "values"],
        "`--var NAME=VALUE` sets a variable of the files, `--vars-file FILE` several",
    ),
    (&[], &["no-color", "no-colour", "no-ansi", "nocolor"], "`--color never`, or NO_COLOR=1"),
    (&[], &["silent", "s"], "`--quiet` says less"),
    (&[], &["debug", "vv", "loud", "log-level"], "`--verbose` says more"),
    (
        &[],
        &["config", "c"],
        "brokers and profiles of `run` stand in `rmqplay.yaml` of the folder you are in; there is no other configuration",
    ),
    (
        &[],
        &["insecure", "k", "tls", "ssl", "cacert", "cert", "key"],
        "TLS is set in the URL: `amqps://HOST?cacertfile=ca.pem` (`&verify=verify_none` checks nothing)",
    ),
];

/// How many commands are named that have a flag.
const COMMANDS_MAX: usize = 6;

/// Returns what to write in the place of a flag.
pub(crate) fn advice(flag: &str, command: Option<&str>, own: &clap::Command) -> Option<String> {
    let given = flag.trim_start_matches('-');
    let given = given.split('=').next().unwrap_or(given);
    // `watch` takes the flags of `run`.
    let Some(name) = command.map(|name| if name == "watch" { "run" } else { name }) else { return above(given, own) };
    let is_of = |(commands, ..): &&(&[&str], &[&str], &str)| commands.contains(&name);
    let has = |(_, flags, _): &&(&[&str], &[&str], &str)| flags.contains(&given);
    let of_this = OF_OTHER_TOOLS.iter().filter(is_of).find(has);
    let of_all = || OF_OTHER_TOOLS.iter().filter(|(commands, ..)| commands.is_empty()).find(has);
    let command = own.find_subcommand(name)?;
    let longs: Vec<&str> = command.get_arguments().chain(own.get_arguments()).filter_map(clap::Arg::get_long).collect();
    if let Some((.., help)) = of_this {
        return Some((*help).to_owned());
    }
    if let Some(near) = nearest_name(given, longs.iter().copied()).filter(|_| given.len() > 1) {
        return Some(Help::did_you_mean(format!("--{near}")).to_string());
    }
    if let Some(elsewhere) = elsewhere(given, name, own) {
        return Some(elsewhere);
    }
    of_all().map(|(.., help)| (*help).replace("COMMAND", name))
}

/// Flags before any command.
fn above(given: &str, own: &clap::Command) -> Option<String> {
    let longs = own.get_arguments().filter_map(clap::Arg::get_long);
    let near = nearest_name(given, longs).map(|near| Help::did_you_mean(format!("--{near}")).to_string());
    near.or_else(|| Some(format!("a command comes first, and its flags behind it: {}", of_commands(given, "", own)?)))
}

fn of_commands(flag: &str, but: &str, own: &clap::Command) -> Option<String> {
    let has = |command: &&clap::Command| command.get_arguments().any(|arg| arg.get_long() == Some(flag));
    let commands = own.get_subcommands().filter(|command| command.get_name() != but && !command.is_hide_set());
    let names: Vec<String> = commands.filter(has).map(|command| format!("`{}`", command.get_name())).collect();
    match names.as_slice() {
        [] => None,
        [only] => Some(format!("`--{flag}` is a flag of {only}")),
        [few @ .., last] if names.len() <= COMMANDS_MAX => {
            Some(format!("`--{flag}` is a flag of {} and {last}", few.join(", ")))
        }
        many => Some(format!("`--{flag}` is a flag of {} and others", many[..COMMANDS_MAX].join(", "))),
    }
}

fn elsewhere(flag: &str, command: &str, own: &clap::Command) -> Option<String> {
    Some(format!("{}, not of `{command}`", of_commands(flag, command, own)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::CommandLine;
    use clap::CommandFactory;

    #[test]
    fn the_table_names_commands_and_none_of_their_own_flags() {
        let own = CommandLine::command();
        for (commands, flags, help) in OF_OTHER_TOOLS {
            for name in *commands {
                let command = own.find_subcommand(name).unwrap_or_else(|| panic!("no command {name}"));
                let has = |flag: &&&str| command.get_arguments().any(|arg| arg.get_long() == Some(**flag));
                assert_eq!(flags.iter().find(has), None, "{name}: {help}");
            }
        }
    }
}
