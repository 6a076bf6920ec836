//! A vhost of somebody else, lent for a run by people who may not create one: it must be empty, is held alone by an
//! exclusive queue that the broker itself takes away, and is empty again after each cell.

use crate::broker::code;
use crate::io::address::Address;
use crate::io::failure::{BrokerFailure, BrokerFailureKind};
use crate::io::live::amqp::dial::{Dialed, Target, dial, failure_of};
use crate::io::live::amqp::translate::{Cause, cause_of};
use crate::io::live::limits::LiveLimits;
use crate::io::management::{Inventory, ManagementClient};
use crate::model::Name;
use lapin::Channel;
use lapin::options::{QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::FieldTable;
use tokio::time::timeout;

/// Says in the vhost that a run is under way.
const HELD_BY: &str = "rmqplay.run";

/// A vhost that one run has for itself, until it is given back, or dropped.
pub struct ExistingVhost {
    // Dropping it closes the connection, and with it goes the queue.
    dialed: Dialed,
    channel: Channel,
}

impl ExistingVhost {
    /// Returns the vhost back as it was: what held it is gone when this returns.
    pub async fn give_back(self) {
        let given_back = async {
            let _ = self.channel.queue_delete(HELD_BY.into(), QueueDeleteOptions::default()).await;
            let _ = self.dialed.connection.close(200, "OK".into()).await;
        };
        // On a broker that does not answer, the end of the connection takes the queue away.
        let _ = timeout(LiveLimits::default().answer, given_back).await;
    }
}

/// Why a vhost is not lent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VhostNotUsable {
    /// It is in use, or holds what is not ours: nothing was touched.
    Unsafe(String),
    /// The broker could not be asked.
    Failed(BrokerFailure),
}

/// Takes a vhost for one run.
///
/// # Errors
/// Another run has it, it is not empty, or the broker is not to be had.
pub async fn lend(address: &Address, vhost: &str) -> Result<ExistingVhost, VhostNotUsable> {
    let limits = LiveLimits::default();
    let target = Target {
        address: address.clone(),
        user: address.user.clone(),
        password: address.password.clone(),
        mechanisms: address.mechanisms.clone(),
        vhost: vhost.to_owned(),
        label: format!("rmqplay holds {vhost}"),
        frame_max: limits.frame_max,
        heartbeat: None,
        limit: limits.answer,
    };
    let dialed = dial(target).await.map_err(|error| VhostNotUsable::Failed(failure_of(error, address, vhost)))?;
    let broken = |why: String| {
        let doing = format!("taking vhost '{vhost}'");
        VhostNotUsable::Failed(BrokerFailure::new(BrokerFailureKind::Broken { doing, why }, address))
    };
    let declared = async {
        let channel = dialed.connection.create_channel().await?;
        let options = QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(HELD_BY.into(), options, FieldTable::default()).await?;
        Ok::<_, lapin::Error>(channel)
    };
    let channel = match timeout(limits.answer, declared).await {
        Err(_) => return Err(broken("no answer".to_owned())),
        Ok(Ok(channel)) => channel,
        Ok(Err(error)) => match cause_of(&error) {
            Cause::Channel(refusal) if refusal.code == code::RESOURCE_LOCKED => {
                return Err(VhostNotUsable::Unsafe(format!(
                    "another run plays in vhost '{vhost}' at this moment: wait for its end"
                )));
            }
            _ => return Err(broken(error.to_string())),
        },
    };
    let management = ManagementClient::new(address).map_err(VhostNotUsable::Failed)?;
    let found = management.inventory(vhost).await.map_err(VhostNotUsable::Failed)?;
    match contents(&found) {
        None => Ok(ExistingVhost { dialed, channel }),
        Some(words) => Err(VhostNotUsable::Unsafe(format!(
            "vhost '{vhost}' is not empty ({words}), and all that is in it would be deleted: give one that is"
        ))),
    }
}

/// Returns what is in a vhost; nothing when it is empty.
fn contents(found: &Inventory) -> Option<String> {
    let kinds = [
        ("queue", ours_left_out(&found.queues)),
        ("exchange", found.exchanges.iter().collect()),
        ("policy", found.policies.iter().collect()),
        ("operator policy", found.operator_policies.iter().collect()),
    ];
    let words: Vec<String> = kinds
        .iter()
        .filter_map(|(kind, names)| {
            names.first().map(|name| match names.len() {
                1 => format!("{kind} '{name}'"),
                n => format!("{kind} '{name}' and {} more", n - 1),
            })
        })
        .collect();
    (!words.is_empty()).then(|| words.join(", "))
}

fn ours_left_out(queues: &[String]) -> Vec<&String> {
    queues.iter().filter(|name| *name != HELD_BY).collect()
}

/// Deletes all that is in the vhost but what holds it.
pub(crate) async fn empty(management: &ManagementClient, vhost: &Name) -> Result<(), BrokerFailure> {
    let found = management.inventory(vhost).await?;
    for (kind, names) in [
        ("policies", found.policies.iter().collect()),
        ("operator-policies", found.operator_policies.iter().collect()),
        ("queues", ours_left_out(&found.queues)),
        ("exchanges", found.exchanges.iter().collect::<Vec<_>>()),
    ] {
        for name in names {
            match management.delete_in(kind, vhost, name).await {
                Err(failure) if !failure.is_gone() => return Err(failure),
                _ => {}
            }
        }
    }
    Ok(())
}
