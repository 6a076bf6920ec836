//! Which rules of the book two versions follow differently, and how a version would behave with some of them undone.
//! Takes editions; gives rules by number and tables of [`Differences`]. The one list of which fields make up a rule.

use crate::model::Profile;
use crate::rules::versions::Differences;
use crate::rules::{Edition, differences, differences_of};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// A rule of the book that some versions follow differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangedRule(u8);

/// The fields of [`Differences`] that make up a rule.
struct RuleFields {
    rule: &'static str,
    copy: fn(&mut Differences, &Differences),
}

macro_rules! rules {
    ($($rule:literal: $($field:ident $(.$inner:ident)?)+;)+) => {
        &[$(RuleFields { rule: $rule, copy: |to, from| { $(to.$field$(.$inner)? = from.$field$(.$inner)?;)+ } }),+]
    };
}

/// Every field of the table of versions, by its rule.
static RULES: &[RuleFields] = rules! {
    "DL-14": keeps_cc;
    "DL-16": classic_forgets_expiration;
    "DL-17": bcc_hides_likenesses;
    "DL-19": death_order_bug;
    "DL-21": last_death;
    "DL-22": client_x_death;
    "DL-23": sorts_headers;
    "DL-30": own_dead_letters purge_takes_waiting;
    "DL-31": quorum_maxlen_reversed;
    "DL-32": failure_count;
    "EXP-4": quorum_expires_policy_wins;
    "LEN-1": quorum_bytes_with_properties;
    "LEN-9": quorum_unlimited_releases;
    "PRI-1": least_max_priority;
    "PRI-4": quorum_priority;
    "TTL-13": quorum_heads_expire_apart;
    "RT-7": headers_strict;
    "RT-17": unknown_type_closes_connection more_exchange_types;
    "RT-18": delay_header;
    "RT-19": early_topic_check;
    "RT-20": topic_hashes_max;
    "RT-22": volatile_reply_queues;
    "PE-2": passive_access;
    "PE-3": verb_in_403;
    "PE-7": topic_permissions_need_exchange topic_permissions_go_with_exchange;
    "PE-8": topic_check_covers_cc;
    "CO-4": global_qos_ignored;
    "CO-6": quorum_sac_priority returns_elect_nobody quorum_sac_ghosts cancel_wakes_nobody;
    "CO-7": quorum_shown_in_text;
    "CO-10": quorum_returns_by_subscription returns_in_order_max unlimited_returns_to_tail many_returns_lose_order;
    "CO-12": quorum_get_count_0 two_counters;
    "CO-13": quorum_default_limit limit_death_leaks_credit negative_limit_is_none only_failures_count;
    "CO-19": consumer_timeout;
    "QQ-43-1": delayed_retry;
    "PO-1": tie_takes_first;
    "PO-3": classic_skips;
    "PO-4": more_policy_keys;
    "PO-5": more_operator_keys;
    "PO-7": apply_to_types;
    "PO-9": policy_text_escaped long_regex_text;
    "MG-2": put_resets_default_type bad_default_type;
    "MG-6": stores_queue_type;
    "MG-15": default_queue_type;
    "ER-7": queue_mode_checked queue_version_1_refused delivery_mode_checked message_size_max;
    "ER-11": queue_limit_first;
    "ER-12": master_locator_denied transient_queues_denied;
    "ER-13": channel_limit_in_parentheses;
    "TX-7": gone_target;
    "PX-1": hashes_typed_headers hash_weight_max hash_ring_is_kept;
    "PX-2": modulus_order;
    "PX-3": failed_replay_undoes_binding;
    "PX-4": event_facts;
    "ST-1": streams.old_consume_texts streams.refuses_ha_failover;
    "ST-3": streams.interval_faults_crash;
    "ST-4": streams.refuses_returns;
    "ST-5": streams.checks_filter_size streams.old_filter_size_text streams.compares_ages;
    "ST-7": streams.keeps_annotations;
    "ST-8": streams.loses_dead_letters;
    "ST-9": streams.filters;
};

/// Where a rule changed: the last known version that is as before, and the first that is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleChange {
    /// As before.
    pub before: Profile,
    /// As after.
    pub after: Profile,
}

impl ChangedRule {
    /// Returns its number: `DL-22`.
    pub fn id(self) -> &'static str {
        RULES[usize::from(self.0)].rule
    }

    /// Finds a rule by its number, if versions follow it differently.
    pub fn find(id: &str) -> Option<Self> {
        RULES.iter().position(|one| one.rule == id).map(|at| Self(at as u8))
    }

    /// Lists where it changed from one version to another, in the order of the way between them.
    pub fn changes(self, from: Profile, to: Profile) -> Vec<RuleChange> {
        let mut way: Vec<Profile> =
            Profile::ALL.into_iter().filter(|one| from.min(to) <= *one && *one <= from.max(to)).collect();
        if from > to {
            way.reverse();
        }
        let steps = way.windows(2).filter(|step| self.differs(differences(step[0]), differences(step[1])));
        steps.map(|step| RuleChange { before: step[0], after: step[1] }).collect()
    }

    fn differs(self, one: &Differences, other: &Differences) -> bool {
        let mut copied = *one;
        (RULES[usize::from(self.0)].copy)(&mut copied, other);
        copied != *one
    }
}

/// Lists the rules that two editions follow differently, in the order of the table.
pub fn changed_rules(one: Edition, other: Edition) -> Vec<ChangedRule> {
    let (one, other) = (differences_of(one), differences_of(other));
    (0..RULES.len() as u8).map(ChangedRule).filter(|rule| rule.differs(one, other)).collect()
}

/// Editions, the one in force first, with the rules that are as on the other, as bits.
type UndoneKey = ((Profile, u16), u64, (Profile, u16), u64, u64);

/// Returns what an edition would do if it followed some rules as another one does. Each such table is made once and
/// kept, as those of the profiles are: a broker refers to its table as long as it lives.
pub fn with_undone(edition: Edition, other: Edition, undone: &[ChangedRule]) -> &'static Differences {
    static MADE: Mutex<BTreeMap<UndoneKey, &'static Differences>> = Mutex::new(BTreeMap::new());
    if undone.is_empty() {
        return differences_of(edition);
    }
    let bits = undone.iter().fold(0u64, |bits, rule| bits | 1 << rule.0);
    let permits = |edition: Edition| edition.permits.iter().fold(0u64, |bits, feature| bits | 1 << feature as u64);
    let release = |edition: Edition| (edition.profile, edition.patch);
    let key = (release(edition), permits(edition), release(other), permits(other), bits);
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    made.entry(key).or_insert_with(|| {
        let (mut table, other) = (*differences_of(edition), differences_of(other));
        undone.iter().for_each(|rule| (RULES[usize::from(rule.0)].copy)(&mut table, other));
        Box::leak(Box::new(table))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{Permits, rule_chapters};
    use std::collections::BTreeSet;

    fn editions() -> Vec<Edition> {
        let permitting = Edition::permitting(Profile::NEWEST, Permits::ALL);
        Profile::ALL.into_iter().map(Edition::from).chain([permitting]).collect()
    }

    #[test]
    fn every_difference_belongs_to_a_rule() {
        for one in editions() {
            for other in editions() {
                let all = changed_rules(one, other);
                assert_eq!(
                    with_undone(one, other, &all),
                    differences_of(other),
                    "{one:?} {other:?}: a field of Differences is not in RULES"
                );
                assert_eq!(all.is_empty(), differences_of(one) == differences_of(other));
                for rule in all {
                    assert_ne!(with_undone(one, other, &[rule]), differences_of(one), "{}", rule.id());
                }
            }
        }
    }

    #[test]
    fn every_rule_of_the_table_is_in_the_book_with_advice() {
        let book: Vec<_> = rule_chapters().into_iter().flat_map(|chapter| chapter.rules).collect();
        let advised: BTreeSet<&str> =
            book.iter().filter(|rule| rule.upgrade.is_some()).map(|rule| rule.id.as_str()).collect();
        let listed: BTreeSet<&str> = RULES.iter().map(|rule| rule.rule).collect();
        assert_eq!(
            listed, advised,
            "the rules that versions follow differently, and those with `Upgrade:` in the book"
        );
        assert_eq!(listed.len(), RULES.len(), "each rule once");
        assert!(RULES.len() <= 64, "a set of rules is a number of 64 bits");
    }

    #[test]
    fn what_versions_do_is_told_where_the_rule_stands() {
        for section in rule_chapters().into_iter().flat_map(|chapter| chapter.rules) {
            for note in &section.versions {
                let (id, text) = (&section.id, &note.text);
                assert!(!text.starts_with("see "), "{id}, {}: a comparison prints this alone: {text}", note.versions);
            }
        }
    }

    #[test]
    fn a_rule_tells_where_it_changed_on_the_way() {
        let limit = ChangedRule::find("CO-13").expect("a rule that changed");
        let up = limit.changes(Profile::V3_10, Profile::V4_3);
        let down = limit.changes(Profile::V4_3, Profile::V3_10);
        assert!(up.contains(&RuleChange { before: *before(Profile::V4_0), after: Profile::V4_0 }));
        assert_eq!(up.len(), down.len());
        assert_eq!(limit.changes(Profile::V4_0, Profile::V4_0), []);
    }

    fn before(profile: Profile) -> &'static Profile {
        const ALL: &[Profile] = &Profile::ALL;
        let at = ALL.iter().position(|one| *one == profile).expect("a profile");
        &ALL[at - 1]
    }
}
