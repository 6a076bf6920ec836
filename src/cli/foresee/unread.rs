//! What an account may not read of a broker: said beside what it may, or in its place.
//! Takes what was observed; gives failures that name account, vhost, tag or right. Never asks a broker.

use crate::cli::terminal::Terminal;
use crate::io::management::ManagementClient;
use crate::io::{BrokerFailure, BrokerFailureKind};
use crate::model::{Name, ObjectKind};
use crate::plan::Observed;
use std::collections::BTreeSet;

/// Which command tells more of an account.
const MORE: &str = "`rmqplay doctor` with the same --broker tells what this account can do";

/// What takes the tag `administrator`.
const OF_USERS: [ObjectKind; 3] = [ObjectKind::User, ObjectKind::Permission, ObjectKind::TopicPermission];

/// What an account was refused while a broker was read.
#[derive(Debug, Clone)]
pub(crate) struct Unread {
    account: String,
    /// The address of the management API.
    place: String,
    kinds: BTreeSet<ObjectKind>,
    /// The vhosts that it saw.
    seen: Vec<Name>,
    /// Those of them that it may not enter.
    closed: BTreeSet<Name>,
}

impl Unread {
    /// Takes what was observed of some vhosts; `None` where all of it could be read.
    pub fn of(observed: &Observed, vhosts: &[Name], management: &ManagementClient) -> Option<Self> {
        (!observed.unread.is_empty()).then(|| Self {
            account: observed.account.to_string(),
            place: management.shown().to_owned(),
            kinds: observed.unread.clone(),
            seen: vhosts.to_vec(),
            closed: observed.closed.clone(),
        })
    }

    /// Warns of what is left out.
    pub fn warn(&self, terminal: &Terminal) {
        let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.plural()).collect();
        terminal.warning(&format!(
            "user '{}' may not read the {} of this broker: they are left out; an account with the tag `administrator` reads \
             all; {MORE}",
            self.account,
            kinds.join(", ")
        ));
    }

    /// Returns the failure of a question about users and their rights.
    pub fn of_users(&self) -> Option<BrokerFailure> {
        let kinds = OF_USERS.into_iter().filter(|kind| self.kinds.contains(kind));
        let kinds: Vec<&str> = kinds.map(ObjectKind::plural).collect();
        if kinds.is_empty() {
            return None;
        }
        let account = &self.account;
        let needed = format!("the tag `administrator` for user '{account}'");
        let hint = format!(
            "`rabbitmqctl set_user_tags {account} administrator` gives it, or name another user in the URL; {MORE}"
        );
        Some(self.failure(needed, format!("read {}", listed(&kinds)), hint))
    }

    /// Returns the failure of a question about queues and exchanges, of a vhost or of all.
    pub fn of_vhosts(&self, vhost: Option<&str>) -> Option<BrokerFailure> {
        let account = &self.account;
        let may = "lets it read there, the tag `administrator` everywhere";
        match vhost {
            Some(vhost) if !self.seen.iter().any(|seen| *seen == *vhost) => {
                let needed = format!("permissions in vhost '{vhost}' for user '{account}', if there is such a vhost");
                let hint = format!("`rabbitmqctl set_permissions -p '{vhost}' {account} '^$' '^$' '^$'` {may}; {MORE}");
                return Some(self.failure(needed, format!("show vhost '{vhost}'"), hint));
            }
            None if self.seen.is_empty() => {
                let needed = format!("permissions in one for user '{account}'");
                let hint = format!("`rabbitmqctl set_permissions -p VHOST {account} '^$' '^$' '^$'` {may}; {MORE}");
                return Some(self.failure(needed, "list any vhost".to_owned(), hint));
            }
            _ => {}
        }
        let closed: Vec<String> = self
            .closed
            .iter()
            .filter(|closed| vhost.is_none_or(|vhost| **closed == *vhost))
            .map(|closed| format!("'{closed}'"))
            .collect();
        let first = closed.first()?;
        let (of, there) = match closed.len() {
            1 => (format!("vhost {first}"), "there"),
            _ => (format!("vhosts {}", listed(&closed)), "in each"),
        };
        let needed = format!("permissions {there} for user '{account}'");
        let hint = format!("`rabbitmqctl set_permissions -p {first} {account} '^$' '^$' '^$'` {may}; {MORE}");
        Some(self.failure(needed, format!("read exchanges, queues, bindings and policies of {of}"), hint))
    }

    /// Returns whether nothing of what is asked about could be read, of a vhost or of all.
    pub fn is_all(&self, vhost: Option<&str>) -> bool {
        let mut asked = self.seen.iter().filter(|seen| vhost.is_none_or(|vhost| **seen == *vhost));
        asked.all(|seen| self.closed.contains(seen))
    }

    /// Says that links between brokers are not seen.
    pub fn warn_of_links(&self, terminal: &Terminal) {
        if self.kinds.contains(&ObjectKind::Parameter) {
            terminal.warning(&format!(
                "shovels and federation are left out: user '{0}' may not read parameters; `rabbitmqctl set_user_tags {0} \
                 policymaker` lets it",
                self.account
            ));
        }
    }

    fn failure(&self, needed: String, to: String, hint: String) -> BrokerFailure {
        BrokerFailure::new(BrokerFailureKind::NoRight { needed, to }, &self.place).hint(hint)
    }
}

fn listed<S: AsRef<str>>(words: &[S]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.as_slice() {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.join(""),
    }
}

/// Adds to the failure of an account that may read nothing which command tells more.
pub(crate) fn telling_more(failure: BrokerFailure) -> BrokerFailure {
    match failure.kind {
        BrokerFailureKind::NoRight { .. } => {
            let hint = format!("{}; {MORE}", failure.hint);
            failure.hint(hint)
        }
        _ => failure,
    }
}
