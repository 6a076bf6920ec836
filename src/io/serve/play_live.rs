//! A run on a live broker that somebody plays: set up in throw-away vhosts, stepped beside its page at the broker's pace, and
//! swept when it is over, begins anew, or the program ends.

use crate::broker::{Client, Command, Event, Ids};
use crate::io::live::{Live, LiveLimits, TestVhosts, run_live};
use crate::io::rehearse::needs;
use crate::io::serve::play::PlayHost;
use crate::io::{Address, BrokerFailure};
use crate::model::{Cell, Millis, Moment, Profile, Scale};
use crate::plan::{Applier, Observed, plan};
use crate::player::Scaled;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How soon what is asked of the page is heard by the run, of the broker's time.
const HEARS: Millis = Millis(40);

/// How long a request of a run that was stopped may be under way to the broker.
const UNDER_WAY: Duration = Duration::from_millis(400);

/// How often it is asked whether a run is to begin anew.
const ANEW: Duration = Duration::from_millis(50);

/// Plays on a live broker, run after run, until it is told to stop; nothing is left there then.
///
/// # Errors
/// What the last run made could not be removed.
pub async fn play_live(
    host: Arc<PlayHost>,
    address: Address,
    mut stop: watch::Receiver<bool>,
) -> Result<(), BrokerFailure> {
    loop {
        let (run, cell) = {
            let (session, _) = host.session();
            (session.run_number(), session.cell().clone())
        };
        if let Err(failure) = one_run(&host, run, &cell, &address, &mut stop).await {
            if *stop.borrow() {
                return Err(failure);
            }
            host.session().0.complain(format!("{failure}; {}", failure.hint));
        }
        while host.session().0.run_number() == run {
            if *stop.borrow() {
                return Ok(());
            }
            tokio::select! {
                () = tokio::time::sleep(ANEW) => {}
                _ = stop.changed() => {}
            }
        }
    }
}

async fn one_run(
    host: &Arc<PlayHost>,
    run: u64,
    cell: &Cell,
    address: &Address,
    stop: &mut watch::Receiver<bool>,
) -> Result<(), BrokerFailure> {
    if *stop.borrow() {
        return Ok(());
    }
    let guard = TestVhosts::bare(address)?;
    let played = tokio::select! {
        played = in_vhosts(host, run, cell, address, &guard) => Some(played),
        _ = stop.changed() => None,
    };
    if played.is_none() {
        // A request that was on its way may still arrive after the first sweep, and make what that deleted.
        let _ = guard.sweep().await;
        tokio::time::sleep(UNDER_WAY).await;
    }
    let swept = guard.sweep().await;
    played.unwrap_or(Ok(())).and(swept)
}

async fn in_vhosts(
    host: &Arc<PlayHost>,
    run: u64,
    cell: &Cell,
    address: &Address,
    guard: &TestVhosts,
) -> Result<(), BrokerFailure> {
    let (vhosts, users) = needs(cell);
    guard.make(&vhosts, &users).await?;
    let limits = LiveLimits::default();
    let (version, scale) = host.session().0.live_version().unwrap_or((Profile::NEWEST.version(), Scale::ONE));
    let planned = plan(&cell.scenario.topology, &cell.scenario.origins, &Observed::empty(Profile::nearest(version)));
    let mut applier = Applier::new(planned, Ids::default());
    let mut live = Live::open(address, guard.names(), &limits).await?;
    run_live(&mut Scaled::new(&mut applier, scale), &mut live, &limits).await?;
    let (applied, ids) = applier.finish();
    let is_refused = !applied.refused.is_empty();
    {
        let (mut session, _) = host.session();
        session.begin_live(ids);
        if let Some(player) = session.live_player(run, None).filter(|_| is_refused) {
            player.set_up_refused(&applied.refused);
        }
        session.looked();
    }
    if is_refused {
        return Ok(());
    }
    let mut client = WatchedRun { host: host.clone(), run, last: Moment(0) };
    // What is open is closed by the end of its vhost.
    run_live(&mut client, &mut live, &limits).await?;
    Ok(())
}

/// The player of a session, stepped by the live side while others ask the session.
struct WatchedRun {
    host: Arc<PlayHost>,
    run: u64,
    last: Moment,
}

impl Client for WatchedRun {
    fn poll_command(&mut self, now: Moment) -> Option<Command> {
        self.last = now;
        let (mut session, _) = self.host.session();
        let command = session.live_player(self.run, Some(now))?.poll_command(now);
        if command.is_none() {
            session.looked();
        }
        command
    }

    fn handle_event(&mut self, now: Moment, event: Event) {
        let (mut session, _) = self.host.session();
        if let Some(player) = session.live_player(self.run, Some(now)) {
            player.handle_event(now, event);
        }
    }

    fn wake_at(&self) -> Option<Moment> {
        let (mut session, _) = self.host.session();
        let own = session.live_player(self.run, None).and_then(|player| player.wake_at());
        own.into_iter().chain([self.last + HEARS]).min()
    }

    fn is_done(&self) -> bool {
        let (mut session, _) = self.host.session();
        session.live_player(self.run, None).is_none_or(|player| player.is_done())
    }
}
