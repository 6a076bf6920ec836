//! What a shell completes when Tab is pressed: brokers, profiles, cells, tags and names of `explain`, from the files at hand.
//! Takes what is typed so far; returns candidates, none where a file cannot be read.

use crate::cli::arguments::{CommandLine, Vars};
use crate::cli::load::Loader;
use crate::io::{Disk, KnownBrokers, nodes, snapshots};
use crate::model::{Cell, Profile};
use crate::report::cell_name;
use clap::{Command, CommandFactory};
use clap_complete::{ArgValueCandidates, CompletionCandidate};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The variable by which a shell asks.
pub(crate) const ASKED_BY: &str = "RMQPLAY_COMPLETE";

/// More files than this are not read for one press of a key.
const FILES_MAX: usize = 500;

/// Returns the command line, with what its options may be.
pub(crate) fn command() -> Command {
    CommandLine::command().mut_subcommands(|command| {
        let simulates = matches!(command.get_name(), "run" | "watch" | "compare" | "play");
        command.mut_args(|option| match option.get_id().as_str() {
            "broker" if simulates => option.add(ArgValueCandidates::new(brokers)),
            "broker" | "against" => option.add(ArgValueCandidates::new(live_brokers)),
            "node" => option.add(ArgValueCandidates::new(node_names)),
            "cells" => option.add(ArgValueCandidates::new(cells)),
            "tags" => option.add(ArgValueCandidates::new(tags)),
            "profile" => option.add(ArgValueCandidates::new(profiles)),
            _ => option,
        })
    })
}

/// Lists the live brokers that have a name.
fn live_brokers() -> Vec<CompletionCandidate> {
    let disk = Disk::here();
    let known = KnownBrokers::read(&disk).unwrap_or_default();
    let mut names: Vec<String> = known.names().map(str::to_owned).collect();
    names.push("env".to_owned());
    names.extend(nodes(&disk).into_iter().map(|node| format!("node:{node}")));
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// Lists the brokers that have a name, simulated ones first.
fn brokers() -> Vec<CompletionCandidate> {
    let versions = Profile::ALL.iter().map(|profile| format!("sim:{}", profile.version()));
    let simulated = ["sim".to_owned()].into_iter().chain(versions).map(CompletionCandidate::new);
    simulated.chain(live_brokers()).collect()
}

/// Lists the profiles of `run`.
fn profiles() -> Vec<CompletionCandidate> {
    let known = KnownBrokers::read(&Disk::here()).unwrap_or_default();
    known.profiles().names().map(CompletionCandidate::new).collect()
}

/// Lists the nodes of rabbitmqadmin's file.
fn node_names() -> Vec<CompletionCandidate> {
    nodes(&Disk::here()).into_iter().map(CompletionCandidate::new).collect()
}

/// Lists the names of the cells below scenarios/.
fn cells() -> Vec<CompletionCandidate> {
    let cells = loaded();
    let candidate = |cell: &Cell| {
        let name = cell_name(&cell.scenario, &cell.axes);
        CompletionCandidate::new(name).help(Some(cell.scenario.title.clone().into()))
    };
    cells.iter().map(candidate).collect()
}

/// Lists the tags of the scenarios below scenarios/.
fn tags() -> Vec<CompletionCandidate> {
    let tags: BTreeSet<String> = loaded().into_iter().flat_map(|cell| cell.scenario.tags.clone()).collect();
    tags.into_iter().map(CompletionCandidate::new).collect()
}

fn loaded() -> Vec<Cell> {
    let none = Vars { vars: Vec::new(), vars_files: Vec::new() };
    let (Ok(mut found), Ok(mut loader)) =
        (snapshots::yaml_files(&[PathBuf::from("scenarios")]), Loader::new(&none, None))
    else {
        return Vec::new();
    };
    found.truncate(FILES_MAX);
    let loaded = loader.each(&found, Loader::scenario);
    loaded.into_iter().filter_map(|(loaded, _)| loaded).flat_map(|loaded| loaded.cells).collect()
}
