//! Which commands work on a broker with the rights of the account, and what they cannot reach there.
//! Takes an examination; gives a line a command. Never asks.

use crate::report::doctor::facts::{Asked, Examination};

/// Whether a command works on the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandFitness {
    /// As one types it.
    pub command: &'static str,
    /// `None`: it does.
    pub why_not: Option<String>,
    /// What it cannot reach, where it works.
    pub limits: Option<&'static str>,
}

/// The tags that let somebody read by the management API at all.
const READING: [&str; 4] = ["administrator", "policymaker", "management", "monitoring"];

/// What a plan and its like do not see with fewer tags.
const UNREAD: &str = "users, permissions and topic permissions are not read: that takes `administrator`; parameters and global \
     parameters take `policymaker`";

/// As [`UNREAD`], for a policymaker.
const UNREAD_BY_POLICYMAKER: &str = "users, permissions and topic permissions are not read: that takes `administrator`";

/// What an apply and its like cannot write with fewer tags.
const UNWRITTEN: &str = "exchanges, queues and bindings take permissions in their vhost alone; policies and parameters take \
     `policymaker`, users, vhosts, permissions and limits `administrator`";

/// As [`UNWRITTEN`], for a policymaker.
const UNWRITTEN_BY_POLICYMAKER: &str = "users, vhosts, permissions and limits take `administrator`";

/// What a move cannot carry.
const UNMOVED: &str = "messages that name their publisher (user_id) take the tag `impersonator`, all others configure, write and read \
     of the queue and of NAME.rmqplay-move";

/// Returns which commands work there, as far as the answers tell.
pub fn fitness(seen: &Examination) -> Vec<CommandFitness> {
    let amqp = match &seen.login {
        Asked::Told(()) => None,
        _ => Some("AMQP does not let it in".to_owned()),
    };
    let management = match &seen.broker {
        Asked::Told(_) => None,
        _ => Some("the management API does not answer".to_owned()),
    };
    let both = amqp.or_else(|| management.clone());
    let tags = seen.tags.told();
    let has = |tag: &str| tags.is_some_and(|own| own.iter().any(|own| own == tag));
    let takes = |known: &[&str], why: &str| match tags {
        Some(_) if known.iter().any(|tag| has(tag)) => None,
        Some(_) => Some(why.to_owned()),
        None => Some("the user's tags are not known".to_owned()),
    };
    let administrator = |why: &str| takes(&["administrator"], why);
    let reading = || takes(&READING, "it reads by the management API: that takes the tag `management`");
    let (unread, unwritten) = match () {
        () if has("administrator") => (None, None),
        () if has("policymaker") => (Some(UNREAD_BY_POLICYMAKER), Some(UNWRITTEN_BY_POLICYMAKER)),
        () => (Some(UNREAD), Some(UNWRITTEN)),
    };
    let unmoved = (!has("impersonator")).then_some(UNMOVED);
    let by_both = || both.clone().or_else(reading);
    let by_management = || management.clone().or_else(reading);
    let makes_vhosts = administrator("it makes vhosts: that takes `administrator` (or --in-vhost)");
    let reads_users = administrator("it reads users and permissions: that takes `administrator`");
    let deletes_vhosts = administrator("it deletes vhosts and users: that takes `administrator`");
    let list = [
        ("wait", both.clone(), None),
        ("run", both.clone().or(makes_vhosts), None),
        ("run --in-vhost", by_both(), None),
        ("plan", by_management(), unread),
        ("import", by_management(), unread),
        ("export", by_management(), unread),
        ("effective", by_management(), None),
        ("route", by_management(), None),
        ("access", management.clone().or(reads_users), None),
        ("apply", by_both(), unwritten),
        ("destroy", by_both(), unwritten),
        ("apply --replace move", by_both(), unmoved),
        ("clean", management.clone().or(deletes_vhosts), None),
    ];
    let fit = |(command, why_not, limits): (&'static str, Option<String>, Option<&'static str>)| CommandFitness {
        command,
        limits: limits.filter(|_| why_not.is_none()),
        why_not,
    };
    list.into_iter().map(fit).collect()
}
