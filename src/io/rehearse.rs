//! Plays a cell on a live broker: set-up by the applier, then the player, both on the same throw-away vhosts.
//! The twin of `simulate::rehearse`. Makes and deletes nothing by itself: that is the guard's.

use crate::broker::{Client, Command, Event, Ids, Method, Reply};
use crate::io::Address;
use crate::io::BrokerFailure;
use crate::io::live::{Live, LiveEnded, LiveLimits, NameMapping, TestVhosts, run_live};
use crate::io::management::Overview;
use crate::model::{Cell, Moment, Name, Profile, QueueName};
use crate::plan::{Applied, Applier, Change, MethodSequence, Observed, Plan, Stepwise, plan};
use crate::player::{BrokerTraits, Player, RunResult, Scaled};
use crate::source::Code;
use std::collections::BTreeSet;

/// Lists the vhosts and users that a cell needs.
pub fn needs(cell: &Cell) -> (Vec<Name>, Vec<Name>) {
    let scenario = &cell.scenario;
    let users = scenario.topology.users.iter().map(|user| user.name.clone()).collect();
    (scenario.vhosts(), users)
}

/// Plays a cell in the vhosts that the guard made.
///
/// # Errors
/// The broker went away or could not be used; what was played until then is given along.
pub async fn rehearse_live(
    cell: &Cell,
    address: &Address,
    guard: &TestVhosts,
    ground: BrokerTraits,
) -> (RunResult, Option<BrokerFailure>) {
    let limits = match cell.scenario.needs.nodes {
        Some(_) => LiveLimits::beside_dead_nodes(),
        None => LiveLimits::default(),
    };
    let planned =
        plan(&cell.scenario.topology, &cell.scenario.origins, &Observed::empty(Profile::nearest(ground.version)));
    let mut applier = Applier::new(planned, Ids::default());
    let mut live = match Live::open(address, guard.names(), &limits).await {
        Ok(live) => live,
        Err(failure) => return gone(Player::new(cell, ground, Ids::default()), failure),
    };
    let set_up = run_live(&mut Scaled::new(&mut applier, ground.scale), &mut live, &limits).await;
    let (applied, ids) = applier.finish();
    let mut player = Player::new(cell, ground, ids).counting();
    match set_up {
        Err(failure) => return gone(player, failure),
        Ok(_) if !applied.refused.is_empty() => {
            player.set_up_refused(&applied.refused);
            return ended(player, address, live.not_policymaker());
        }
        Ok(_) => {}
    }
    let played = run_live(&mut Scaled::new(&mut player, ground.scale), &mut live, &limits).await;
    match played {
        Err(failure) => gone(player, failure),
        Ok((_, LiveEnded::Done)) => ended(player, address, live.not_policymaker()),
        Ok((_, LiveEnded::Stuck)) => {
            player.fail(
                Code::RunNoEnd,
                "the broker said nothing more, and the scenario is not at its end".to_owned(),
                None,
            );
            (player.finish(), None)
        }
    }
}

/// Carries a plan out on the broker itself, of which `overview` was read before, under the names as they are; `on_settled`
/// hears how many objects are settled.
///
/// # Errors
/// The broker went away; what was settled until then is given along.
pub async fn apply_plan(
    plan: Plan,
    address: &Address,
    overview: &Overview,
    on_settled: &(dyn Fn(usize) + Sync),
) -> Result<Applied, (Applied, BrokerFailure)> {
    let limits = LiveLimits::default();
    let unopened = |failure| (Applied::default(), failure);
    let mut live = Live::of_known(address, NameMapping::identity(), &limits, overview.clone()).map_err(unopened)?;
    let mut counted = CountedApplier { applier: Applier::new(plan, Ids::default()), on_settled };
    let ended = run_live(&mut counted, &mut live, &limits).await;
    let applied = counted.applier.outcome();
    match ended {
        Ok(_) => {
            live.close().await;
            Ok(applied)
        }
        Err(failure) => Err((applied, failure)),
    }
}

/// An applier that tells how far it is.
struct CountedApplier<'a> {
    applier: Applier,
    on_settled: &'a (dyn Fn(usize) + Sync),
}

impl Client for CountedApplier<'_> {
    fn poll_command(&mut self, now: Moment) -> Option<Command> {
        self.applier.poll_command(now)
    }

    fn handle_event(&mut self, now: Moment, event: Event) {
        self.applier.handle_event(now, event);
        (self.on_settled)(self.applier.settled());
    }

    fn wake_at(&self) -> Option<Moment> {
        self.applier.wake_at()
    }

    fn is_done(&self) -> bool {
        self.applier.is_done()
    }
}

/// Carries changes out one after another, under the names as they are: deletions and replacements.
pub async fn carry_out_stepwise(changes: &[Change], address: &Address) -> Result<Applied, BrokerFailure> {
    let limits = LiveLimits::default();
    let mut live = Live::open(address, NameMapping::identity(), &limits).await?;
    let mut stepwise = Stepwise::new(changes, Ids::default());
    run_live(&mut stepwise, &mut live, &limits).await?;
    live.close().await;
    Ok(stepwise.outcome())
}

/// Counts the consumers of queues, as exactly as a passive declare does; a queue that is gone is passed over.
pub async fn count_consumers(
    observed: &mut Observed,
    queues: &[QueueName],
    address: &Address,
) -> Result<(), BrokerFailure> {
    let limits = LiveLimits::default();
    let mut live = Live::open(address, NameMapping::identity(), &limits).await?;
    let mut ids = Ids::default();
    let vhosts: BTreeSet<&Name> = queues.iter().map(|queue| &queue.vhost).collect();
    for vhost in vhosts {
        let of_vhost: Vec<&QueueName> = queues.iter().filter(|queue| queue.vhost == *vhost).collect();
        // All at once; a refusal ends the row, and then each is asked by itself.
        if !count_row(observed, &of_vhost, &mut live, &mut ids).await? {
            for queue in of_vhost {
                count_row(observed, &[queue], &mut live, &mut ids).await?;
            }
        }
    }
    live.close().await;
    Ok(())
}

/// Asks for some queues of one vhost; returns whether all answered.
async fn count_row(
    observed: &mut Observed,
    queues: &[&QueueName],
    live: &mut Live,
    ids: &mut Ids,
) -> Result<bool, BrokerFailure> {
    let Some(first) = queues.first() else { return Ok(true) };
    let checks = queues.iter().map(|queue| Method::CheckQueue { queue: queue.name.clone() }).collect();
    let mut sequence = MethodSequence::new(first.vhost.clone(), checks, std::mem::take(ids));
    run_live(&mut sequence, live, &LiveLimits::default()).await?;
    let (replies, left) = sequence.finish();
    *ids = left;
    let Ok(replies) = replies else { return Ok(false) };
    for (queue, reply) in queues.iter().zip(replies) {
        if let Reply::Declared { ready, consumers, .. } = reply {
            let facts = observed.queues.entry((*queue).clone()).or_default();
            facts.consumers = Some(consumers);
            facts.messages = facts.messages.max(ready);
        }
    }
    Ok(true)
}

/// Ends a run that came to its end; a right that the runner lacks is a failure of the environment, unless the step
/// itself expects to be refused.
fn ended(player: Player, address: &Address, not_policymaker: Option<&str>) -> (RunResult, Option<BrokerFailure>) {
    let played = player.finish();
    let is_refused = played.failures.iter().any(|one| matches!(one.code, Code::StepRefused | Code::TopologyRefused));
    let what = not_policymaker.filter(|_| is_refused);
    let failure = what.map(|what| BrokerFailure::no_tag("policymaker", &address.user, what.to_owned(), address));
    (played, failure)
}

/// Ends a run whose broker went away.
fn gone(mut player: Player, failure: BrokerFailure) -> (RunResult, Option<BrokerFailure>) {
    player.fail(Code::RunBroker, failure.to_string(), Some(failure.hint.clone()));
    (player.finish(), Some(failure))
}
