//! Maps declared names to throw-away ones and back: vhosts, users, what commands carry and what refusals say.
//! `Names::identity()` maps nothing (for `apply`). Shared by clones, so that the guard knows every name handed out.

use crate::broker::{Management, Refusal};
use crate::io::live::vhosts::test_vhost_name::{NUMBERS, TestVhostName, random_password};
use crate::model::{Credential, Message, Name, QueueName, Secret, User};
use crate::rules::as_by_default;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// The mapping of one run.
#[derive(Debug, Clone)]
pub struct NameMapping(Arc<Mutex<Mapping>>);

#[derive(Debug, Default)]
struct Mapping {
    /// `None` maps nothing.
    next: Option<TestVhostName>,
    /// Declared to throw-away.
    vhosts: BTreeMap<Name, Name>,
    users: BTreeMap<Name, Name>,
    /// By declared name.
    passwords: BTreeMap<Name, Secret>,
    /// Throw-away to declared.
    declared: BTreeMap<Name, Name>,
    /// Names that turned out to be taken by somebody else.
    strangers: Vec<Name>,
    /// The one declared vhost and the vhost of somebody else in which it is played.
    lent: Option<(Name, Name)>,
}

impl NameMapping {
    /// Maps nothing: every name is the broker's own.
    pub fn identity() -> Self {
        Self(Arc::default())
    }

    /// Maps every vhost and user, on first mention, to a throw-away one.
    pub fn throw_away() -> Self {
        Self(Arc::new(Mutex::new(Mapping { next: Some(TestVhostName::begin()), ..Mapping::default() })))
    }

    /// Maps one declared vhost to one that is there already, and nothing else.
    pub fn lent(declared: Name, vhost: Name) -> Self {
        let vhosts = BTreeMap::from([(declared.clone(), vhost.clone())]);
        Self(Arc::new(Mutex::new(Mapping { vhosts, lent: Some((declared, vhost)), ..Mapping::default() })))
    }

    /// Returns whether names are mapped.
    pub fn maps(&self) -> bool {
        let mapping = self.lock();
        mapping.next.is_some() || mapping.lent.is_some()
    }

    /// Returns whether the run plays in a vhost of somebody else.
    pub(crate) fn is_lent(&self) -> bool {
        self.lock().lent.is_some()
    }

    /// Returns the broker's name of a declared vhost.
    pub fn vhost(&self, declared: &Name) -> Name {
        let mut mapping = self.lock();
        match mapping.vhosts.get(declared) {
            Some(name) => name.clone(),
            None => mapping.assign(declared, |mapping| &mut mapping.vhosts),
        }
    }

    /// Returns the broker's name of a declared user.
    pub fn user(&self, declared: &Name) -> Name {
        let mut mapping = self.lock();
        match mapping.users.get(declared) {
            Some(name) => name.clone(),
            None => mapping.assign(declared, |mapping| &mut mapping.users),
        }
    }

    /// Returns the password of a declared user: a random one for a throw-away user, else the last one that was put.
    pub fn password(&self, declared: &Name) -> Option<Secret> {
        let mut mapping = self.lock();
        if mapping.next.is_some() && !mapping.passwords.contains_key(declared) {
            mapping.passwords.insert(declared.clone(), Secret::new(random_password()));
        }
        mapping.passwords.get(declared).cloned()
    }

    /// Returns a vhost another throw-away name, since the one it had was taken.
    pub(crate) fn rename_vhost(&self, declared: &Name) {
        let mut mapping = self.lock();
        let taken = mapping.vhosts.remove(declared);
        mapping.strangers.extend(taken);
        mapping.begin_again();
    }

    /// Returns a user another throw-away name, since the one it had was taken.
    pub(crate) fn rename_user(&self, declared: &Name) {
        let mut mapping = self.lock();
        let taken = mapping.users.remove(declared);
        mapping.strangers.extend(taken);
        mapping.begin_again();
    }

    /// Lists the throw-away vhosts and users that were handed out.
    pub(crate) fn handed_out(&self) -> (Vec<Name>, Vec<Name>) {
        let mapping = self.lock();
        if mapping.next.is_none() {
            return (Vec::new(), Vec::new());
        }
        let ours = |names: &BTreeMap<Name, Name>| names.values().cloned().collect();
        (ours(&mapping.vhosts), ours(&mapping.users))
    }

    /// Puts declared names back into a text of the broker.
    ///
    /// Texts are cut at 255 bytes, perhaps inside of a name: what is left of it goes, so that the text stays a prefix
    /// of what the broker would have said (three dots stay at its end).
    pub fn text(&self, text: &str) -> String {
        let mapping = self.lock();
        if let Some((declared, vhost)) = &mapping.lent {
            // Its name may be a word that stands elsewhere too.
            return text.replace(&format!("vhost '{vhost}'"), &format!("vhost '{declared}'"));
        }
        if mapping.declared.is_empty() || !text.contains("rmqpla") && text.len() < 200 {
            return text.to_owned();
        }
        let mut out = text.to_owned();
        for (name, declared) in &mapping.declared {
            if out.contains(&**name) {
                out = out.replace(&**name, declared);
            }
        }
        if text.len() < 250 { out } else { without_partial_name(&out, mapping.declared.keys()) }
    }

    /// Puts declared names back into a refusal.
    pub fn refusal(&self, refusal: Refusal) -> Refusal {
        Refusal { text: as_by_default(self.text(&refusal.text)), ..refusal }
    }

    /// Returns the broker's name of a queue's vhost, with the queue.
    pub fn queue(&self, queue: &QueueName) -> QueueName {
        QueueName { vhost: self.vhost(&queue.vhost), name: queue.name.clone() }
    }

    /// Maps `user_id` on the way out. An undeclared user stays as it is: it may be the runner.
    pub fn outgoing(&self, message: &Arc<Message>) -> Arc<Message> {
        let Some(user) = &message.properties.user_id else { return message.clone() };
        let mapping = self.lock();
        let Some(name) = mapping.users.get(user).cloned() else { return message.clone() };
        drop(mapping);
        let mut mapped = Message::clone(message);
        mapped.properties.user_id = Some(name);
        Arc::new(mapped)
    }

    /// Maps `user_id` on the way in.
    pub fn incoming(&self, message: &mut Message) {
        if let Some(user) = &mut message.properties.user_id
            && let Some(declared) = self.lock().declared.get(user)
        {
            *user = declared.clone();
        }
    }

    /// Maps an act. `{username}` and `{vhost}` are written out with declared names; throw-away users get their random
    /// password and no tags.
    pub fn act(&self, act: &Management) -> Management {
        let mut act = act.clone();
        if !self.maps() {
            if let Management::PutUser(user) = &act
                && let Some(Credential::Password(password)) = &user.credential
            {
                self.lock().passwords.insert(user.name.clone(), password.clone());
            }
            return act;
        }
        match &mut act {
            Management::PutVhost(object) | Management::ReplaceVhost(object) => object.name = self.vhost(&object.name),
            Management::DeleteVhost { vhost } => *vhost = self.vhost(vhost),
            Management::PutUser(user) => **user = self.throw_away_user(user),
            Management::DeleteUser { user }
            | Management::PutUserLimit { user, .. }
            | Management::ClearUserLimit { user, .. } => *user = self.user(user),
            Management::PutPermission(object) => {
                object.vhost = self.vhost(&object.vhost);
                object.user = self.user(&object.user);
            }
            Management::ClearPermission { user, vhost } | Management::ClearTopicPermission { user, vhost, .. } => {
                *vhost = self.vhost(vhost);
                *user = self.user(user);
            }
            Management::PutTopicPermission(object) => {
                for pattern in [&mut object.write, &mut object.read] {
                    *pattern = pattern.replace("{username}", &object.user).replace("{vhost}", &object.vhost);
                }
                object.vhost = self.vhost(&object.vhost);
                object.user = self.user(&object.user);
            }
            Management::PutPolicy { policy, .. } => policy.vhost = self.vhost(&policy.vhost),
            Management::ClearPolicy { vhost, .. }
            | Management::ClearParameter { vhost, .. }
            | Management::PutVhostLimit { vhost, .. }
            | Management::ClearVhostLimit { vhost, .. } => {
                *vhost = self.vhost(vhost);
            }
            Management::PutParameter(parameter) => parameter.vhost = self.vhost(&parameter.vhost),
            Management::PutGlobalParameter { .. } | Management::ClearGlobalParameter { .. } => {}
            Management::StopNode { leader_of: queue } | Management::DescribeQueue { queue } => {
                queue.vhost = self.vhost(&queue.vhost)
            }
            Management::CloseConnection { .. } | Management::Restart { .. } | Management::StartNodes => {}
        }
        act
    }

    pub(crate) fn throw_away_user(&self, user: &User) -> User {
        User {
            name: self.user(&user.name),
            credential: self.password(&user.name).map(Credential::Password),
            tags: Vec::new(),
            limits: user.limits.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Mapping> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Mapping {
    fn assign(&mut self, declared: &Name, of: impl Fn(&mut Self) -> &mut BTreeMap<Name, Name>) -> Name {
        let Some(next) = self.next else { return declared.clone() };
        let name = next.name();
        self.next = Some(TestVhostName { number: next.number + 1, ..next });
        if next.number + 1 == NUMBERS {
            self.begin_again();
        }
        of(self).insert(declared.clone(), name.clone());
        self.declared.insert(name.clone(), declared.clone());
        name
    }

    fn begin_again(&mut self) {
        self.next = self.next.map(|_| TestVhostName::begin());
    }
}

/// Cuts off the beginning of a throw-away name at the end of a text.
fn without_partial_name<'a>(text: &str, names: impl Iterator<Item = &'a Name>) -> String {
    let (body, dots) = text.strip_suffix("...").map_or((text, ""), |body| (body, "..."));
    let partial = names.filter_map(|name| {
        let longest = (1..name.len()).rev().find(|length| body.ends_with(&name[..*length]))?;
        // One or two letters may as well be somebody's word.
        (longest >= 3).then_some(longest)
    });
    let cut = partial.max().unwrap_or(0);
    format!("{}{dots}", &body[..body.len() - cut])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TopicPermission;

    #[test]
    fn texts_get_declared_names_back() {
        let names = NameMapping::throw_away();
        let (vhost, user) = (names.vhost(&"/".into()), names.user(&"alice".into()));
        assert_ne!(vhost, user);
        let text = format!("ACCESS_REFUSED - access to queue 'q' in vhost '{vhost}' refused for user '{user}'");
        assert_eq!(names.text(&text), "ACCESS_REFUSED - access to queue 'q' in vhost '/' refused for user 'alice'");
        let long = format!("{}{}...", "x".repeat(241), &vhost[..11]);
        assert_eq!(names.text(&long), format!("{}...", "x".repeat(241)));
        assert_eq!(names.vhost(&"/".into()), vhost);
        assert_eq!(NameMapping::identity().vhost(&"/".into()), "/");
    }

    #[test]
    fn topic_variables_are_written_out_with_declared_names() {
        let names = NameMapping::throw_away();
        let grant = TopicPermission {
            user: "alice".into(),
            vhost: "game".into(),
            exchange: "e".into(),
            write: "^{vhost}\\.{username}$".into(),
            read: ".*".into(),
        };
        let Management::PutTopicPermission(mapped) = names.act(&Management::PutTopicPermission(Box::new(grant))) else {
            panic!("another act")
        };
        assert_eq!((&*mapped.write, &mapped.user), ("^game\\.alice$", &names.user(&"alice".into())));
    }

    #[test]
    fn many_names_stay_different() {
        let names = NameMapping::throw_away();
        let all: std::collections::BTreeSet<Name> = (0..200).map(|n| names.user(&format!("u{n}").into())).collect();
        assert_eq!(all.len(), 200);
    }
}
