//! What becomes of queues when a node of a cluster dies: each `tests/cluster/NAME.yaml` passes on the cluster of
//! `RMQPLAY_TEST_CLUSTER`, with its snapshot, and is skipped aloud by a simulated broker. Tests `cluster::` stop nodes.
#![expect(clippy::disallowed_methods, reason = "tests read the environment")]

#[path = "support/files.rs"]
mod files;
#[path = "support/harness.rs"]
mod harness;
#[path = "support/program.rs"]
mod program;

use harness::{Checked, stem};
use libtest_mimic::{Completion, Failed, Trial};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let scenarios = files::below("tests/cluster", "yaml", 2);
    let mut tests = harness::per_file("", &scenarios, is_not_simulated);
    tests.extend(scenarios.into_iter().map(|path| {
        let name = format!("cluster::{}", stem(&path));
        Trial::ignorable_test(name, move || plays_on_the_cluster(&path))
    }));
    // Each takes nodes away from all others.
    harness::run(Some(1), tests)
}

fn is_not_simulated(path: &Path) -> Checked {
    let (passed, said) = program::finish(program::rmqplay().arg("run").arg(path));
    let why = "stops nodes of a cluster, and a cluster is not simulated";
    if !passed && said.contains(why) && said.contains("1 skipped") { Ok(()) } else { Err(said) }
}

fn plays_on_the_cluster(path: &PathBuf) -> Result<Completion, Failed> {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (Some(url), Some(node)) = (variable("RMQPLAY_TEST_CLUSTER"), variable("RMQPLAY_NODE")) else {
        let why = "RMQPLAY_TEST_CLUSTER and RMQPLAY_NODE are not set (tests/brokers/cluster run -- … sets them)";
        if variable("RMQPLAY_REQUIRE_CLUSTER").is_some() {
            return Err(Failed::from(format!("RMQPLAY_REQUIRE_CLUSTER is set, and {why}")));
        }
        return Ok(Completion::ignored_with(format!("NOT RUN: {why}")));
    };
    let mut command = program::rmqplay();
    command.arg("run").arg(path).args(["--max-wait", "5m", "--broker", &url]).env("CI", "1").env("RMQPLAY_NODE", node);
    let (passed, said) = program::finish(&mut command);
    if passed && said.contains("1 passed") { Ok(Completion::Completed) } else { Err(Failed::from(said)) }
}
