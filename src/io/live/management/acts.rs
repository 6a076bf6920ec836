//! Acts of the management side: one after another, in the order of the commands.
//! A refusal is an answer; a management API that does not answer is a failure.

use crate::broker::{ConnectionId, Management, Refusal, Reply, RequestId, Scope, code};
use crate::io::failure::{BrokerFailure, BrokerFailureKind};
use crate::io::live::adapter::Live;
use crate::io::live::job::Done;
use crate::io::live::management::nodes::{start_nodes, stop_leader};
use crate::io::live::management::restart::restart;
use crate::io::management::{ManagementClient, RefusalReason, reason_of_refusal};
use crate::model::QueueKind;
use std::time::Duration;
use tokio::time::sleep;

/// How often a connection is looked for that the statistics do not know yet, and the pause between.
const LOOKS: u32 = 40;
const LOOK_PAUSE: Duration = Duration::from_millis(250);

impl Live {
    /// Starts the next act if none is under way.
    pub(crate) fn start_act(&mut self) {
        while !self.acting {
            let Some((request, act)) = self.acts.pop_front() else { return };
            let management = self.management.clone();
            match act {
                Management::Restart { .. } => {
                    let Some(command) = self.address.restart.clone() else {
                        let text = "nobody said how this broker may be restarted".to_owned();
                        self.reply(request, Err(Refusal::new(Scope::Management, 0, text)));
                        continue;
                    };
                    let address = self.address.clone();
                    (self.acting, self.restarting) = (true, true);
                    self.start(Box::pin(async move {
                        let result = restart(&address, command).await;
                        Done::Restarted { request, result }
                    }));
                }
                Management::StopNode { leader_of } => {
                    let (address, vhost) = (self.address.clone(), self.names.vhost(&leader_of.vhost));
                    self.acting = true;
                    self.start(Box::pin(async move {
                        let result = stop_leader(&address, &vhost, &leader_of.name).await.map(|()| Reply::Done);
                        Done::Acted { request, result }
                    }));
                }
                Management::StartNodes => {
                    let address = self.address.clone();
                    self.acting = true;
                    self.start(Box::pin(async move {
                        let result = start_nodes(&address).await.map(|()| Reply::Done);
                        Done::Acted { request, result }
                    }));
                }
                // It is there already, and who plays in it may not even look at it.
                Management::PutVhost(_) | Management::ReplaceVhost(_) if self.names.is_lent() => {
                    self.reply(request, Ok(Reply::Done))
                }
                Management::CloseConnection { connection } => {
                    let Some((name, label)) = self.links.get(&connection).map(|link| link.handles()) else {
                        let text = "no such connection is open".to_owned();
                        self.reply(request, Err(Refusal::new(Scope::Management, 404, text)));
                        continue;
                    };
                    self.acting = true;
                    self.start(Box::pin(async move {
                        let result = close_connection(&management, name, &label).await.map(|()| Reply::Done);
                        Done::Acted { request, result }
                    }));
                }
                Management::DescribeQueue { queue } => {
                    let vhost = self.names.vhost(&queue.vhost);
                    self.acting = true;
                    self.start(Box::pin(async move {
                        let told = management.described(&vhost, &queue.name).await;
                        let result = told.map(|(kind, dead_lettering)| Reply::Described {
                            kind: QueueKind::named(&kind),
                            dead_lettering,
                        });
                        Done::Acted { request, result }
                    }));
                }
                act => {
                    let mapped = self.names.act(&act);
                    self.act = describe(&act);
                    let throw_away = self.names.maps();
                    self.acting = true;
                    self.start(Box::pin(async move {
                        let result = perform(&management, &mapped, throw_away).await.map(|()| Reply::Done);
                        Done::Acted { request, result }
                    }));
                }
            }
        }
    }

    /// The broker is up again; what it had forgotten to close is closed.
    pub(crate) fn restarted(&mut self, request: RequestId, result: Result<(), BrokerFailure>) {
        self.restarting = false;
        let open: Vec<ConnectionId> = self.links.iter().filter(|(_, link)| link.is_up()).map(|(id, _)| *id).collect();
        for connection in open {
            let text = "CONNECTION_FORCED - the broker was restarted".to_owned();
            self.drop_link(connection, Refusal::new(Scope::Connection, code::CONNECTION_FORCED, text));
        }
        match result {
            Ok(()) => self.acted(request, Ok(Reply::Done)),
            Err(failure) => self.fail(failure),
        }
    }

    pub(crate) fn acted(&mut self, request: RequestId, result: Result<Reply, BrokerFailure>) {
        self.acting = false;
        match result {
            Ok(reply) => self.reply(request, Ok(reply)),
            Err(failure) => match failure.refusal() {
                Some(refusal) => {
                    if reason_of_refusal(refusal.code, &refusal.text) == RefusalReason::NotPolicymaker {
                        self.not_policymaker.get_or_insert_with(|| self.act.clone());
                    }
                    self.reply(request, Err(refusal));
                }
                None => self.fail(failure),
            },
        }
        self.start_act();
    }
}

/// Returns in words what needs the tag `policymaker`; other acts need not be told apart.
fn describe(act: &Management) -> String {
    match act {
        Management::PutPolicy { policy, .. } => format!("put policy '{}'", policy.name),
        Management::ClearPolicy { name, .. } => format!("delete policy '{name}'"),
        Management::PutParameter(parameter) => format!("put parameter '{}'", parameter.name),
        _ => "do that".to_owned(),
    }
}

async fn perform(management: &ManagementClient, act: &Management, throw_away: bool) -> Result<(), BrokerFailure> {
    management.perform(act).await?;
    match act {
        // The runner plays in it, also when the scenario made it anew.
        Management::PutVhost(vhost) | Management::ReplaceVhost(vhost) if throw_away => {
            management.grant_all(management.user(), &vhost.name).await
        }
        Management::PutVhost(vhost) | Management::ReplaceVhost(vhost) => management.await_own_rights(&vhost.name).await,
        _ => Ok(()),
    }
}

/// Closes by the likely name; if the broker knows none such, by the connection's label, as soon as it is listed.
async fn close_connection(
    management: &ManagementClient,
    name: Option<String>,
    label: &str,
) -> Result<(), BrokerFailure> {
    // The management plugin's own words for no reason given (CO-27).
    const REASON: &str = "Closed via management plugin";
    for look in 0..LOOKS {
        let labelled = if name.is_none() || look > 0 { management.connection_labelled(label).await? } else { None };
        for name in name.iter().chain(&labelled) {
            match management.close_connection(name, REASON).await {
                Err(BrokerFailure { kind: BrokerFailureKind::Refused { status: 404, .. }, .. }) => {}
                other => return other,
            }
        }
        sleep(LOOK_PAUSE).await;
    }
    let what = format!("the broker lists no connection '{label}'");
    Err(BrokerFailure::new(BrokerFailureKind::NotFound { what }, management.shown()))
}
