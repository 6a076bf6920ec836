//! Plays a cell on a live broker: set-up by the applier, then the player, both on the same throw-away vhosts.
//! The twin of `simulate::rehearse`. Makes and deletes nothing by itself: that is the guard's.

use crate::broker::Ids;
use crate::io::Address;
use crate::io::BrokerFailure;
use crate::io::live::{Live, LiveEnded, LiveLimits, NameMapping, TestVhosts, run_live};
use crate::model::{Cell, Name, Profile};
use crate::plan::{Applied, Applier, Observed, Plan, plan};
use crate::player::{BrokerTraits, Player, RunResult, Scaled};
use crate::source::Code;

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
    let limits = LiveLimits::default();
    let planned =
        plan(&cell.scenario.topology, &cell.scenario.origins, &Observed::empty(Profile::nearest(ground.version)));
    let mut applier = Applier::new(&planned, Ids::default());
    let mut live = match Live::open(address, guard.names(), &limits).await {
        Ok(live) => live,
        Err(failure) => return gone(Player::new(cell, ground, Ids::default()), failure),
    };
    let set_up = run_live(&mut Scaled::new(&mut applier, ground.scale), &mut live, &limits).await;
    let (applied, ids) = applier.finish();
    let mut player = Player::new(cell, ground, ids);
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

/// Carries a plan out on the broker itself, under the names as they are.
pub async fn apply_plan(plan: &Plan, address: &Address) -> Result<Applied, BrokerFailure> {
    let limits = LiveLimits::default();
    let mut live = Live::open(address, NameMapping::identity(), &limits).await?;
    let mut applier = Applier::new(plan, Ids::default());
    run_live(&mut applier, &mut live, &limits).await?;
    live.close().await;
    Ok(applier.outcome())
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
