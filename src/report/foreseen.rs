//! What would happen, in words and as JSON: what is in force, who may do what, where a message goes.
//! Takes what `foresee` found; returns strings. Versions that agree are told together.

use crate::broker::{RouteHop, RoutedBy};
use crate::foresee::{
    EffectiveObject, EffectiveSetting, FateCause, FateEnd, Granted, NotInForce, RouteFate, Routed, RoutedQueue,
    SettingSource, UserAccess,
};
use crate::model::{Millis, Name, Profile, by_number, counted};
use crate::report::Palette;
use crate::rules::{QUEUE_ARGUMENTS, ValueKind};
use serde_json::{Value as Json, json};

/// Puts versions together that come to the same.
pub fn by_versions<T: PartialEq>(results: Vec<(Profile, T)>) -> Vec<(Vec<Profile>, T)> {
    let mut groups: Vec<(Vec<Profile>, T)> = Vec::new();
    for (profile, result) in results {
        match groups.iter_mut().find(|(_, known)| *known == result) {
            Some((profiles, _)) => profiles.push(profile),
            None => groups.push((vec![profile], result)),
        }
    }
    groups
}

/// Names versions: `RabbitMQ 3.10, 4.0 to 4.3`.
pub fn versions_in_words(profiles: &[Profile]) -> String {
    format!("RabbitMQ {}", Profile::listed(profiles, ", "))
}

/// Tells what is in force on objects.
pub fn effective_text(objects: &[EffectiveObject], palette: Palette) -> String {
    objects.iter().map(|object| object_text(object, palette)).collect::<Vec<_>>().join("\n")
}

fn object_text(object: &EffectiveObject, palette: Palette) -> String {
    let noun = if object.is_queue { "queue" } else { "exchange" };
    let kind = match (object.is_queue, &object.kind_from) {
        (true, SettingSource::VhostDefault) => format!("{}, the default type of the vhost", object.kind),
        (true, SettingSource::VersionDefault) => format!("{}, as nothing says otherwise", object.kind),
        _ => object.kind.clone(),
    };
    let mut out =
        format!("{} in vhost '{}' ({kind})\n", palette.strong(&format!("{noun} '{}'", object.name)), object.vhost);
    let width = object.settings.iter().map(|setting| setting.key.len()).max().unwrap_or(0);
    for setting in &object.settings {
        let others: String =
            setting.others.iter().map(|(from, value)| format!("; {}", beaten(setting, from, value))).collect();
        let value = if setting.value.is_null() { "none".to_owned() } else { with_unit(&setting.key, &setting.value) };
        out.push_str(&format!("  {:width$}  {value}  {}{others}\n", setting.key, palette.dim(&source(&setting.from))));
    }
    if object.settings.is_empty() {
        out.push_str("  nothing is set\n");
    }
    for passed in &object.passed {
        let kind = if passed.operator { "operator policy" } else { "policy" };
        let why = match &passed.why {
            NotInForce::Tied { with, by_chance: false } => {
                format!("'{with}' has the same priority and is the first by name (PO-1)")
            }
            NotInForce::Tied { with, by_chance: true } => {
                format!("'{with}' has the same priority, and which of them holds is chance; '{with}' is assumed (PO-1)")
            }
            NotInForce::Loses { to, priority } => format!("'{to}' wins with priority {priority} (PO-1)"),
            NotInForce::ApplyTo => "its apply-to means other objects (PO-2)".to_owned(),
            NotInForce::Key(key) => format!("it sets `{key}`, which {} queues do not know (PO-3)", object.kind),
        };
        let by_chance = matches!(passed.why, NotInForce::Tied { by_chance: true, .. });
        out.push_str(&format!(
            "  {} {kind} '{}', priority {}: {why}\n",
            palette.odd(if by_chance { "perhaps in force:" } else { "not in force:" }),
            passed.name,
            passed.priority
        ));
    }
    out
}

fn source(from: &SettingSource) -> String {
    match from {
        SettingSource::Argument => "its own argument".to_owned(),
        SettingSource::Policy(name) => format!("policy '{name}'"),
        SettingSource::OperatorPolicy(name) => format!("operator policy '{name}'"),
        SettingSource::VhostDefault => "default of the vhost".to_owned(),
        SettingSource::VersionDefault => "default of the version".to_owned(),
    }
}

fn beaten(setting: &EffectiveSetting, from: &SettingSource, value: &Json) -> String {
    let why = match (setting.value.as_i64(), value.as_i64()) {
        (Some(won), Some(lost)) if won < lost => "is larger",
        (Some(won), Some(lost)) if won > lost => "is smaller",
        (Some(_), Some(_)) => "is the same",
        _ => "does not hold",
    };
    format!("{} of {} {why}", with_unit(&setting.key, value), source(from))
}

/// Writes a value with the unit that RabbitMQ counts it in: `60000 ms (1m)`.
fn with_unit(key: &str, value: &Json) -> String {
    let argument = QUEUE_ARGUMENTS.iter().find(|argument| argument.name == key);
    match (argument.map(|argument| argument.kind), value.as_u64()) {
        (Some(ValueKind::Duration), Some(ms)) => {
            let (plain, short) = (format!("{ms}ms"), Millis(ms).to_string());
            if plain == short || ms == 0 { format!("{ms} ms") } else { format!("{ms} ms ({short})") }
        }
        (Some(ValueKind::Size), Some(1)) => "1 byte".to_owned(),
        (Some(ValueKind::Size), Some(bytes)) => format!("{bytes} bytes"),
        _ => value.to_string(),
    }
}

/// Returns what is in force on objects as JSON.
pub fn effective_json(objects: &[EffectiveObject]) -> Json {
    let of_source = |from: &SettingSource| match from {
        SettingSource::Argument => json!({ "source": "argument" }),
        SettingSource::Policy(name) => json!({ "source": "policy", "name": name.as_str() }),
        SettingSource::OperatorPolicy(name) => json!({ "source": "operator_policy", "name": name.as_str() }),
        SettingSource::VhostDefault => json!({ "source": "vhost_default" }),
        SettingSource::VersionDefault => json!({ "source": "version_default" }),
    };
    let of_setting = |setting: &EffectiveSetting| {
        let others: Vec<Json> =
            setting.others.iter().map(|(from, value)| json!({ "from": of_source(from), "value": value })).collect();
        json!({ "key": setting.key, "value": setting.value, "from": of_source(&setting.from), "others": others })
    };
    let of_object = |object: &EffectiveObject| {
        let passed: Vec<Json> = object
            .passed
            .iter()
            .map(|passed| {
                let why = match &passed.why {
                    NotInForce::Loses { to, priority } => json!({ "loses_to": to.as_str(), "priority": priority }),
                    NotInForce::Tied { with, by_chance } => {
                        json!({ "loses_to": with.as_str(), "priority": passed.priority, "by_chance": by_chance })
                    }
                    NotInForce::ApplyTo => json!({ "apply_to": true }),
                    NotInForce::Key(key) => json!({ "key": key }),
                };
                json!({ "name": passed.name.as_str(), "operator": passed.operator, "priority": passed.priority, "why": why })
            })
            .collect();
        json!({
            "object": if object.is_queue { "queue" } else { "exchange" },
            "vhost": object.vhost.as_str(),
            "name": object.name.as_str(),
            "type": object.kind,
            "settings": object.settings.iter().map(of_setting).collect::<Vec<_>>(),
            "not_in_force": passed,
        })
    };
    objects.iter().map(of_object).collect::<Vec<_>>().into()
}

/// Tells who may do what.
pub fn access_text(all: &[UserAccess], without: &[Name], palette: Palette) -> String {
    let mut out = String::new();
    for user in all {
        let tags = if user.tags.is_empty() { String::new() } else { format!(" ({})", user.tags.join(", ")) };
        out.push_str(&format!(
            "{}{tags} in vhost '{}'\n",
            palette.strong(&format!("user '{}'", user.user)),
            user.vhost
        ));
        let width = user.objects.iter().map(|object| object.kind.len() + object.name.len() + 3).max().unwrap_or(0);
        let first = user.objects.first().map(|object| &object.granted);
        let alike = user
            .objects
            .iter()
            .skip(1)
            .all(|object| Some(&object.granted) == user.objects.get(1).map(|it| &it.granted));
        match (user.objects.len(), first) {
            (0, _) if user.patterns.is_empty() => out.push_str("  no right on anything here\n"),
            (0, _) => out.push_str(&format!("  no right on anything here: nothing fits {}\n", granted(&user.patterns))),
            (4.., _) if alike && user.without == 0 => {
                out.push_str(&format!(
                    "  all {} objects: {}\n",
                    user.objects.len() - 1,
                    granted(&user.objects[1].granted)
                ));
            }
            _ => {
                for object in &user.objects {
                    let name = format!("{} '{}'", object.kind, object.name);
                    out.push_str(&format!("  {name:width$}  {}\n", granted(&object.granted)));
                }
            }
        }
        if user.without > 0 && !user.objects.is_empty() {
            out.push_str(&format!(
                "  {}\n",
                palette.dim(&format!("no right on {}", counted(user.without, "other object")))
            ));
        }
        for (exchange, rights) in &user.topics {
            out.push_str(&format!("  topics of '{exchange}': {}\n", granted(rights)));
        }
    }
    if !without.is_empty() {
        let names: Vec<String> = without.iter().map(|name| format!("'{name}'")).collect();
        let noun = by_number(names.len(), "user", "users");
        out.push_str(&format!("no right in any vhost: {noun} {}\n", names.join(", ")));
    }
    out
}

fn granted(granted: &Granted) -> String {
    let mut by_pattern: Vec<(&str, Vec<&str>)> = Vec::new();
    for (access, pattern) in granted {
        match by_pattern.iter_mut().find(|(known, _)| known == pattern) {
            Some((_, words)) => words.push(access.as_str()),
            None => by_pattern.push((pattern, vec![access.as_str()])),
        }
    }
    let parts = by_pattern.iter().map(|(pattern, words)| format!("{} by {pattern}", words.join(" ")));
    parts.collect::<Vec<_>>().join(", ")
}

/// Returns who may do what as JSON.
pub fn access_json(all: &[UserAccess], without: &[Name]) -> Json {
    let rights = |granted: &Granted| -> Json {
        granted
            .iter()
            .map(|(access, pattern)| (access.as_str().to_owned(), Json::from(pattern.as_str())))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let users: Vec<Json> = all
        .iter()
        .map(|user| {
            let objects: Vec<Json> = user
                .objects
                .iter()
                .map(|it| json!({ "object": it.kind, "name": it.name.as_str(), "rights": rights(&it.granted) }))
                .collect();
            let topics: Vec<Json> = user
                .topics
                .iter()
                .map(|(name, granted)| json!({ "exchange": name.as_str(), "rights": rights(granted) }))
                .collect();
            json!({
                "user": user.user.as_str(), "vhost": user.vhost.as_str(), "tags": user.tags,
                "objects": objects, "topics": topics, "without_right": user.without,
            })
        })
        .collect();
    let without: Vec<&str> = without.iter().map(Name::as_str).collect();
    json!({ "access": users, "users_without_rights": without })
}

/// Tells where a message goes.
pub fn route_text(routed: &Routed, palette: Palette) -> String {
    match routed {
        Routed::Refused(why) => format!("{} {why}\n", palette.bad("refused:")),
        Routed::Internal(why, queues) => {
            let refused = format!("{} {why}\n", palette.bad("refused:"));
            match queues.is_empty() {
                true => refused,
                false => format!(
                    "{refused}what comes there by another exchange or as a dead letter goes on:\n{}",
                    queues_text(queues, 0, palette)
                ),
            }
        }
        Routed::To(queues) if queues.is_empty() => {
            format!("{} no queue gets it; a mandatory message is returned (RT-14)\n", palette.odd("dropped:"))
        }
        Routed::To(queues) => queues_text(queues, 0, palette),
    }
}

fn queues_text(queues: &[RoutedQueue], depth: usize, palette: Palette) -> String {
    let indent = "  ".repeat(depth);
    let mut out = String::new();
    for queue in queues {
        let name = palette.strong(&format!("queue '{}'", queue.queue));
        let told = if queue.is_told { "; it goes on as above" } else { "" };
        out.push_str(&format!("{indent}→ {name} ({}){}{told}\n", queue.kind.as_str(), way(queue)));
        for (at, fate) in queue.fates.iter().enumerate() {
            if matches!(fate.end, FateEnd::Same(_)) {
                continue;
            }
            let same = queue.fates[at + 1..].iter().filter(|other| other.end == FateEnd::Same(at));
            let causes: Vec<String> = [fate].into_iter().chain(same).map(|fate| cause(fate.cause)).collect();
            out.push_str(&format!("{indent}    {}: {}\n", causes.join(", "), end(&fate.end)));
            if let FateEnd::DeadLettered(_, _, further) = &fate.end {
                out.push_str(&queues_text(further, depth + 3, palette));
            }
        }
    }
    out
}

fn way(queue: &RoutedQueue) -> String {
    match queue.way.as_slice() {
        [] => ", by its name".to_owned(),
        hops => hops.iter().map(|hop| format!(", from '{}' {}", hop.exchange, hop_in_words(hop, queue))).collect(),
    }
}

/// Tells what makes an exchange send a message on; of a plugin's type, what is known of it.
fn hop_in_words(hop: &RouteHop, queue: &RoutedQueue) -> String {
    let Some((_, kind)) = queue.plugins.iter().find(|(exchange, _)| *exchange == hop.exchange) else {
        return by(&hop.by);
    };
    if hop.by == RoutedBy::Alternate {
        return by(&hop.by);
    }
    match kind.as_str() {
        "x-recent-history" => format!("{}; those bound later get the last ones ({kind})", by(&hop.by)),
        "x-delayed-message" => format!("{}, when its `x-delay` is over ({kind})", by(&hop.by)),
        "x-consistent-hash" if is_hash_certain(&hop.by) => {
            format!("{}, if its bindings were made in this order ({kind})", by(&hop.by))
        }
        "x-modulus-hash" => format!("{}, on this version ({kind})", by(&hop.by)),
        "x-consistent-hash" => format!("perhaps: to one of those bound, {} ({kind})", by(&hop.by)),
        "x-random" | "x-local-random" => format!("perhaps: to one of those bound, by chance ({kind})"),
        _ => format!("perhaps: how the type {kind} of a plugin routes is not known here"),
    }
}

/// Returns whether a hash is of something that is known: a property of a message is not.
fn is_hash_certain(by: &RoutedBy) -> bool {
    matches!(by, RoutedBy::Hash(input) if input.ends_with("key") || input.contains("header"))
}

fn by(by: &RoutedBy) -> String {
    match by {
        RoutedBy::Name => "by its name".to_owned(),
        RoutedBy::Key(key) | RoutedBy::Topic(key) | RoutedBy::FurtherKey(key) => format!("by the binding '{key}'"),
        RoutedBy::Fanout => "to all bound".to_owned(),
        RoutedBy::Headers(arguments) => {
            let arguments = arguments.iter().map(|(name, value)| format!("{name}: {}", value.to_json()));
            format!("by the headers {{{}}}", arguments.collect::<Vec<_>>().join(", "))
        }
        RoutedBy::Hash(input) => format!("by the hash of {input}"),
        RoutedBy::Modulus => "by the hash of its keys".to_owned(),
        RoutedBy::History => "from its history".to_owned(),
        RoutedBy::Random => "by chance".to_owned(),
        RoutedBy::Alternate => "as no binding takes it, to its alternate exchange".to_owned(),
    }
}

fn cause(cause: FateCause) -> String {
    match cause {
        FateCause::Expired(after) => format!("after {after}"),
        FateCause::Rejected => "rejected".to_owned(),
        FateCause::OverLimit => "the oldest, over the limit".to_owned(),
        FateCause::Refused => "new ones, when full".to_owned(),
        FateCause::DeliveryLimit(limit) => format!("over its delivery limit of {limit}"),
    }
}

fn end(end: &FateEnd) -> String {
    match end {
        FateEnd::Same(_) => "the same".to_owned(),
        FateEnd::Dropped => "dropped".to_owned(),
        FateEnd::Nacked => "refused, the publisher gets a nack".to_owned(),
        FateEnd::NoExchange(exchange) => format!("dropped, as there is no exchange '{exchange}' (DL-3)"),
        FateEnd::NoQueue(exchange, key) => format!("dropped, as '{exchange}' has no queue for '{key}' (DL-4)"),
        FateEnd::Round(queue) => format!("back to queue '{queue}'; by expiry alone it is dropped then (DL-25)"),
        FateEnd::DeadLettered(exchange, key, _) if exchange.is_empty() => format!("dead-lettered with '{key}'"),
        FateEnd::DeadLettered(exchange, key, _) => format!("dead-lettered to '{exchange}' with '{key}'"),
    }
}

/// Returns where a message goes as JSON.
pub fn route_json(routed: &Routed) -> Json {
    match routed {
        Routed::Refused(why) => json!({ "refused": why, "queues": [] }),
        Routed::Internal(why, queues) => {
            json!({ "refused": why, "queues": queues.iter().map(queue_json).collect::<Vec<_>>() })
        }
        Routed::To(queues) => json!({ "refused": null, "queues": queues.iter().map(queue_json).collect::<Vec<_>>() }),
    }
}

fn queue_json(queue: &RoutedQueue) -> Json {
    let way: Vec<Json> = queue
        .way
        .iter()
        .map(|hop| json!({ "exchange": hop.exchange.as_str(), "to": hop.to.as_str(), "by": hop_in_words(hop, queue) }))
        .collect();
    let fate_json = |fate: &RouteFate| {
        let (first, own) = match &fate.end {
            FateEnd::Same(first) => (Some(*first), &queue.fates[*first].end),
            own => (None, own),
        };
        let mut shown = json!({ "when": cause(fate.cause), "then": end(own), "queues": [] });
        if let FateEnd::DeadLettered(_, _, further) = own {
            match first {
                Some(first) => shown["same_as"] = first.into(),
                None => shown["queues"] = further.iter().map(queue_json).collect(),
            }
        }
        shown
    };
    let fates: Vec<Json> = queue.fates.iter().map(fate_json).collect();
    let known = ["x-recent-history", "x-delayed-message", "x-modulus-hash"];
    let is_hashed = |exchange: &Name| queue.way.iter().any(|hop| hop.exchange == *exchange && is_hash_certain(&hop.by));
    let is_certain = queue.plugins.iter().all(|(exchange, kind)| known.contains(&kind.as_str()) || is_hashed(exchange));
    let (name, kind) = (queue.queue.as_str(), queue.kind.as_str());
    let mut shown = json!({ "queue": name, "type": kind, "certain": is_certain, "way": way, "fates": fates });
    if queue.is_told {
        shown["as_above"] = true.into();
    }
    shown
}
