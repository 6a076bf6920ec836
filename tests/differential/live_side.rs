//! Plays sequences on a live broker, each in a throw-away vhost, and compares as it goes.
//! Never judges: gives what was seen and where it left the expected.

use super::player::{Player, Stop};
use super::rehearsal::Unfit;
use super::seen::Seen;
use super::sequence::Op;
use rmqplay::io::live::{Live, LiveEnded, LiveLimits, TestVhosts, run_live};
use rmqplay::io::{Address, BrokerFailure};
use rmqplay::model::{Millis, Profile};
use rmqplay::rules::{Differences, Edition, Permits, differences_of};
use std::time::Duration;

/// One live broker.
#[derive(Clone)]
pub struct Version {
    pub address: Address,
    pub full: String,
    /// Its minor version by its own patch.
    pub edition: Edition,
}

/// How a sequence went.
#[derive(Debug, Clone)]
pub enum Played {
    Same,
    /// What this operation should show is not certain, for a reason of time; and what it did show.
    Unclear(usize, Unfit, Vec<String>),
    Different {
        at: usize,
        wanted: Box<Seen>,
        seen: Box<Seen>,
    },
    /// The environment failed.
    Failed(String),
}

impl Version {
    /// Asks a broker who it is.
    ///
    /// # Errors
    /// It is not there, or refuses the login.
    pub async fn ask(address: Address) -> Result<Self, BrokerFailure> {
        let guard = TestVhosts::bare(&address)?;
        let live = Live::open(&address, guard.names(), &limits()).await?;
        let full = live.overview().full_version.clone();
        let edition = edition_of(&full);
        Ok(Self { address, full, edition })
    }

    /// Returns the rules that it is compared with.
    pub fn rules(&self) -> &'static Differences {
        differences_of(self.edition)
    }

    /// Plays operations and compares with what must be seen; what differs for so long is a difference.
    pub async fn play(&self, ops: &[Op], linger: Millis) -> Played {
        self.try_play(ops, linger).await.unwrap_or_else(|failure| Played::Failed(failure.to_string()))
    }

    async fn try_play(&self, ops: &[Op], linger: Millis) -> Result<Played, BrokerFailure> {
        let guard = TestVhosts::set_up(&self.address, &["/".into()], &[]).await?;
        let played = self.play_guarded(&guard, ops, linger).await;
        let swept = guard.sweep().await;
        let played = played?;
        swept?;
        Ok(played)
    }

    async fn play_guarded(&self, guard: &TestVhosts, ops: &[Op], linger: Millis) -> Result<Played, BrokerFailure> {
        let mut live = Live::open(&self.address, guard.names(), &limits()).await?;
        let mut player = Player::comparing(ops, self.rules(), linger);
        live.restart_clock();
        let (_, ended) = run_live(&mut player, &mut live, &limits()).await?;
        Ok(match player.stopped {
            Some(Stop::Unclear(at, why)) => {
                let (seen, wanted) = player.last_seen();
                Played::Unclear(at, why, wanted.differences(&seen))
            }
            Some(Stop::Different(at)) => {
                let (seen, wanted) = player.last_seen();
                Played::Different { at, wanted: Box::new(wanted), seen: Box::new(seen) }
            }
            None if ended == LiveEnded::Stuck => Played::Failed("stuck: an answer never came".into()),
            None => Played::Same,
        })
    }
}

/// Returns the rules of a release that a broker names, as it is shipped: those of its minor version, by its own patch.
pub fn edition_of(release: &str) -> Edition {
    let version = release.parse().unwrap_or(Profile::NEWEST.version());
    Edition::of_release(Profile::nearest(version), release, Permits::NONE)
}

/// A short rest: the player lingers where the expected is not there yet.
fn limits() -> LiveLimits {
    LiveLimits { rest: Duration::from_millis(10), ..LiveLimits::default() }
}
