//! Stops and starts nodes of a cluster by the command that its owner gave, and waits until the cluster agrees.
//! Which nodes are down the broker knows: nothing is kept here, so whoever comes later can start them.

use crate::io::address::Address;
use crate::io::failure::{BrokerFailure, BrokerFailureKind};
use crate::io::live::management::shell::run;
use crate::io::management::ManagementClient;
use crate::model::Name;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// How long the cluster may take to agree that a node is down, or runs.
const AGREED: Duration = Duration::from_secs(120);

/// The pause between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// Stops the node that leads a queue.
///
/// # Errors
/// The queue is not there; its leader is the node that is spoken to, which must go on; the command failed; the
/// cluster still lists the node as running after two minutes.
pub(crate) async fn stop_leader(address: &Address, vhost: &str, queue: &Name) -> Result<(), BrokerFailure> {
    let management = ManagementClient::new(address)?;
    let leader = management.leader(vhost, queue).await?;
    if leader == management.overview().await?.node {
        let reason = format!(
            "queue '{queue}' is led by {leader}, the node that is spoken to, which cannot be stopped; declare others \
             before it, and give it `x-queue-leader-locator: balanced`"
        );
        return Err(BrokerFailure::new(BrokerFailureKind::Refused { status: 0, reason }, address));
    }
    command(address, "stop", &leader).await?;
    agreed(&management, address, &leader, false).await
}

/// Starts all nodes that are down.
///
/// # Errors
/// The command failed, or the cluster does not list a node as running after two minutes.
pub async fn start_nodes(address: &Address) -> Result<(), BrokerFailure> {
    let management = ManagementClient::new(address)?;
    let nodes = management.nodes().await?;
    for node in nodes.iter().filter(|node| !node.running) {
        command(address, "start", &node.name).await?;
        agreed(&management, address, &node.name, true).await?;
    }
    Ok(())
}

async fn command(address: &Address, verb: &str, node: &str) -> Result<(), BrokerFailure> {
    let failed = |doing: String, why: String| {
        let kind = BrokerFailureKind::Broken { doing, why };
        Err(BrokerFailure::new(kind, address)
            .hint("try the command by hand: it gets `stop NODE` and `start NODE` added"))
    };
    let Some(command) = &address.node else {
        return failed(format!("{verb} {node}"), "nobody said how nodes of this broker are stopped".to_owned());
    };
    // They become words of a shell's command line, on Windows without quotes.
    if !node.chars().all(|letter| letter.is_ascii_alphanumeric() || "@._-".contains(letter)) {
        return failed(format!("{verb} {node}"), "this is not the name of a node".to_owned());
    }
    match run(command, &[verb, node]).await {
        Ok(()) => Ok(()),
        Err(why) => failed(format!("`{command} {verb} {node}`"), why),
    }
}

async fn agreed(management: &ManagementClient, address: &Address, node: &str, runs: bool) -> Result<(), BrokerFailure> {
    let until = Instant::now() + AGREED;
    loop {
        let listed = management.nodes().await?;
        if listed.iter().any(|known| known.name == node && known.running == runs) {
            return Ok(());
        }
        if Instant::now() > until {
            let doing = format!("waiting until the cluster lists {node} as {}", if runs { "running" } else { "down" });
            let why = format!("it did not within {} s", AGREED.as_secs());
            return Err(BrokerFailure::new(BrokerFailureKind::Broken { doing, why }, address));
        }
        sleep(LOOK).await;
    }
}
