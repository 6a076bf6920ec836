//! Topic permissions of the account in use, which its own bindings need: found before the first write.
//! Takes the changes of a plan; gives problems.

use crate::model::{Binding, Exchange, Object, TopicPermission};
use crate::plan::Change;
use crate::plan::diff::findings::Findings;
use crate::rules::{Pattern, expand_topic_pattern};
use crate::source::{Code, Problem};

/// The rows of topic permissions that hold for the account in use while it binds.
pub(crate) struct OwnTopics {
    rows: Vec<TopicPermission>,
}

impl OwnTopics {
    /// Rows of the file hold where they take nothing from the account; those that do, and first ones, go last.
    pub fn of(findings: &Findings<'_>, changes: &[Change]) -> Self {
        let (account, observed) = (&findings.observed.account, findings.observed);
        let goes_first = |row: &TopicPermission| {
            changes.iter().any(|change| change.object == row.object() && !change.is_of_account(account))
        };
        let rows = observed.topology.topic_permissions.iter().filter(|row| row.user == *account);
        let holding = rows.map(|old| {
            let is_it = |new: &&TopicPermission| new.object() == old.object() && goes_first(new);
            findings.desired.topic_permissions.iter().find(is_it).unwrap_or(old).clone()
        });
        Self { rows: holding.collect() }
    }

    /// Finds a binding whose key the account may not read from a topic exchange (PE-5, PE-7).
    pub fn refused(&self, findings: &mut Findings<'_>, object: &Object, binding: &Binding) {
        let is_of = |row: &&TopicPermission| row.vhost == binding.vhost && row.exchange == binding.source;
        let Some(row) = self.rows.iter().find(is_of).filter(|_| is_topic(findings, binding)) else { return };
        let pattern = expand_topic_pattern(&row.read, &row.user, &row.vhost);
        if Pattern::permission(&pattern, true).is_ok_and(|pattern| !pattern.matches(&binding.routing_key)) {
            let text = format!(
                "user '{}' may not read the key '{}' of '{}': {object}",
                row.user, binding.routing_key, row.exchange
            );
            let shown = if row.read.is_empty() { "''" } else { &row.read };
            let help = format!("its topic permission to read from '{}' is {shown}", row.exchange);
            findings.problem(object, "routing_key", Problem::new(Code::PlanRights, text).by("PE-7").help(help));
        }
    }
}

/// Returns whether a binding begins at a topic exchange: no other looks at topic permissions.
fn is_topic(findings: &Findings<'_>, binding: &Binding) -> bool {
    let is_it = |exchange: &&Exchange| exchange.vhost == binding.vhost && exchange.name == binding.source;
    let known = findings.observed.topology.exchanges.iter().find(is_it);
    let known = known.or_else(|| findings.desired.exchanges.iter().find(is_it));
    known.map_or(binding.source == "amq.topic", |exchange| exchange.kind == "topic")
}
