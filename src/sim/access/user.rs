//! Users: tags, limits and rights as the management API sets them (MG-3, MG-4, MG-9).

use crate::broker::{Refusal, Reply};
use crate::model;
use crate::model::{Name, Permission, TopicPermission};
use crate::rules::{Pattern, expand_topic_pattern};
use crate::sim::broker::Sim;
use crate::sim::state::permission::{Rights, TopicRights};
use crate::sim::state::refusal::http_error;
use crate::sim::state::user::User;
use std::sync::Arc;

impl Sim {
    /// Adds the user that every broker starts with.
    pub(crate) fn add_guest(&mut self) {
        let mut guest = User { tags: vec!["administrator".into()], ..User::default() };
        if let Ok(all) = Pattern::permission(".*", false) {
            let rights = Rights { configure: all.clone(), write: all.clone(), read: all };
            guest.permissions.insert("/".into(), rights);
        }
        self.users.insert("guest".into(), guest);
    }

    pub(crate) fn put_user(&mut self, user: &model::User) -> Reply {
        let is_new = !self.users.contains_key(&user.name);
        let known = self.users.entry(user.name.clone()).or_default();
        known.tags.clone_from(&user.tags);
        for (name, limit) in &user.limits {
            known.limits.insert(name.clone(), *limit);
        }
        match (is_new, &user.credential) {
            (true, _) => self.emit("user.created", |sim| sim.gone(&user.name, None)),
            (false, Some(_)) => self.emit("user.password.changed", |sim| sim.gone(&user.name, None)),
            (false, None) => {}
        }
        self.emit("user.tags.set", |sim| sim.tags_set(&user.name, &user.tags));
        Reply::Done
    }

    pub(crate) fn delete_user(&mut self, name: &Name) -> Result<Reply, Refusal> {
        if self.users.remove(name).is_none() {
            return Err(http_error(404, "Not Found"));
        }
        self.emit("user.deleted", |sim| sim.gone(name, None));
        self.force_out(&format!("user '{name}' is deleted"), |connection| connection.user.as_ref() == Some(name));
        Ok(Reply::Done)
    }

    pub(crate) fn put_permission(&mut self, permission: &Permission) -> Result<Reply, Refusal> {
        let pattern = |text: &str| self.pattern(text);
        let rights = Rights {
            configure: pattern(&permission.configure)?,
            write: pattern(&permission.write)?,
            read: pattern(&permission.read)?,
        };
        self.check_both(&permission.user, &permission.vhost)?;
        if let Some(user) = self.users.get_mut(&permission.user) {
            user.permissions.insert(permission.vhost.clone(), rights);
        }
        self.emit("permission.created", |sim| sim.permission_created(permission));
        Ok(Reply::Done)
    }

    pub(crate) fn clear_permission(&mut self, user: &Name, vhost: &Name) -> Result<Reply, Refusal> {
        self.check_both(user, vhost)?;
        match self.users.get_mut(user).and_then(|user| user.permissions.remove(vhost)) {
            Some(_) => {
                self.emit("permission.deleted", |sim| sim.permission_deleted(user, vhost));
                Ok(Reply::Done)
            }
            None => Err(http_error(404, "Not Found")),
        }
    }

    pub(crate) fn put_topic_permission(&mut self, permission: &TopicPermission) -> Result<Reply, Refusal> {
        let expanded = |text: &str| expand_topic_pattern(text, &permission.user, &permission.vhost);
        let rights = TopicRights {
            declared: Arc::new(permission.clone()),
            write: self.pattern(&expanded(&permission.write))?,
            read: self.pattern(&expanded(&permission.read))?,
        };
        self.check_both(&permission.user, &permission.vhost)?;
        let vhost = self.vhost_names.get(&permission.vhost).copied();
        let known = vhost.is_some_and(|vhost| self.exchange_id(vhost, &permission.exchange).is_some());
        if self.rules.topic_permissions_need_exchange && !known {
            return Err(http_error(400, format!("no_such_exchange {}", permission.exchange)));
        }
        if let Some(user) = self.users.get_mut(&permission.user) {
            user.topics.insert((permission.vhost.clone(), permission.exchange.clone()), rights);
        }
        self.emit("topic.permission.created", |sim| sim.topic_permission_created(permission));
        Ok(Reply::Done)
    }

    pub(crate) fn clear_topic_permission(
        &mut self,
        user: &Name,
        vhost: &Name,
        exchange: &Name,
    ) -> Result<Reply, Refusal> {
        self.check_both(user, vhost)?;
        let Some(known) = self.users.get_mut(user) else { return Ok(Reply::Done) };
        // MG-4: whether there is one for any exchange is what is looked at.
        if !known.topics.keys().any(|(of, _)| of == vhost) {
            return Err(http_error(404, "Not Found"));
        }
        known.topics.remove(&(vhost.clone(), exchange.clone()));
        self.emit("topic.permission.deleted", |sim| sim.permission_deleted(user, vhost));
        Ok(Reply::Done)
    }

    pub(crate) fn put_user_limit(&mut self, user: &Name, name: &Name, value: i64) -> Result<Reply, Refusal> {
        if !matches!(&**name, "max-connections" | "max-channels") {
            return Err(http_error(
                400,
                format!("Validation failed\n\nUnrecognised terms [{{<<\"{name}\">>,{value}}}] in user-limits\n"),
            ));
        }
        let Some(user) = self.users.get_mut(user) else { return Err(http_error(404, "Not Found")) };
        user.limits.insert(name.to_string(), value);
        Ok(Reply::Done)
    }

    /// Takes a limit away; one that is not there is no error (MG-9).
    pub(crate) fn clear_user_limit(&mut self, user: &Name, name: &Name) -> Result<Reply, Refusal> {
        let Some(user) = self.users.get_mut(user) else { return Err(http_error(404, "Not Found")) };
        user.limits.remove(&**name);
        Ok(Reply::Done)
    }

    fn pattern(&self, text: &str) -> Result<Pattern, Refusal> {
        Pattern::permission(text, self.rules.long_regex_text)
            .map_err(|detail| http_error(400, refused_pattern(text, &detail)))
    }

    fn check_both(&self, user: &Name, vhost: &Name) -> Result<(), Refusal> {
        if self.users.contains_key(user) && self.vhost_names.contains_key(vhost) {
            return Ok(());
        }
        Err(http_error(400, "vhost_or_user_not_found"))
    }
}

/// Writes a bad pattern as the management API's reason, its lists joined: `{"missing )",1}` with its pattern (MG-4).
fn refused_pattern(pattern: &str, detail: &str) -> String {
    let inner = detail.trim_start_matches('{').trim_end_matches('}');
    match inner.rsplit_once(',') {
        Some((words, at)) => format!("invalid_regexp {pattern} {} {at}", words.trim_matches('"')),
        None => detail.to_owned(),
    }
}
