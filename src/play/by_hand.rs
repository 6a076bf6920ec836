//! What is done by hand: to consumers, in a vhost, to the broker. Done at once while the run is held; what follows from it waits.

use crate::model::{Act, Name, Step};
use crate::play::log::Tone;
use crate::play::session::{BITS_BY_HAND_MAX, PlaySession};
use crate::play::setting::PlayStage;
use crate::source::Span;

impl PlaySession {
    /// Does an act.
    ///
    /// # Errors
    /// Why it makes no sense, or has no place in the run.
    pub(super) fn act(&mut self, act: Act, vhost: Name) -> Result<(), String> {
        if matches!((&act, &self.stage), (Act::RestartBroker, PlayStage::Live(_))) {
            return Err("a live broker is not restarted from here: others may use it".to_owned());
        }
        if let Act::Start(name) | Act::Stop(name) | Act::Crash(name) = &act {
            let meant = self.meant(name)?;
            let wants_start = matches!(act, Act::Start(_));
            if meant.iter().all(|running| *running == wants_start) {
                return Err(format!("{name} {} already", if wants_start { "runs" } else { "is stopped" }));
            }
            if wants_start && meant.iter().any(|running| *running) {
                return Err(format!("some of {name} run: start the others by their own names"));
            }
        }
        let vhosts = self.player.scenario().vhosts();
        let vhost = vhost_of(&act, vhost, &vhosts)?;
        let place = if vhosts.len() > 1 && is_in_vhost(&act) { format!(" in vhost {vhost}") } else { String::new() };
        let said = format!("by hand: {act}{place}");
        let span = Span::in_no_file(0);
        self.player.do_by_hand(vec![Step { span, act, actor: None, vhost, refused: None, pace: None }]);
        self.say(Tone::News, said);
        self.carry_out();
        Ok(())
    }

    /// Returns of each consumer instance that a name means whether it runs.
    fn meant(&self, name: &Name) -> Result<Vec<bool>, String> {
        let actors = self.player.actors();
        let of = format!("{name}.");
        let is_consumer = self.player.scenario().consumers.iter().any(|one| one.name == *name && one.instances > 1);
        let meant = actors.iter().filter(|one| one.name == *name || is_consumer && one.name.starts_with(&of));
        let meant: Vec<bool> = meant.map(|one| one.running).collect();
        if meant.is_empty() { Err(format!("there is no consumer {name}")) } else { Ok(meant) }
    }

    /// While the run is held, what is done by hand is done at once, and what follows from it waits.
    pub(super) fn carry_out(&mut self) {
        for _ in 0..BITS_BY_HAND_MAX {
            if !self.clock.is_held() || !self.player.is_at_work_by_hand() || !self.bit() {
                break;
            }
        }
        self.look();
    }
}

/// Returns whether an act is about something in a vhost, rather than about a consumer or the broker.
fn is_in_vhost(act: &Act) -> bool {
    !matches!(act, Act::Start(_) | Act::Stop(_) | Act::Crash(_) | Act::RestartBroker)
}

/// Finds the vhost of an act: one that the run has; where it has only one, `/` means that.
fn vhost_of(act: &Act, asked: Name, vhosts: &[Name]) -> Result<Name, String> {
    match vhosts {
        _ if vhosts.contains(&asked) => Ok(asked),
        [only] if &*asked == "/" => Ok(only.clone()),
        [first, ..] if !is_in_vhost(act) => Ok(first.clone()),
        [] => Ok(asked),
        _ => {
            let known: Vec<&str> = vhosts.iter().map(|vhost| &**vhost).collect();
            Err(format!("the run has no vhost '{asked}': it has {}", known.join(", ")))
        }
    }
}
