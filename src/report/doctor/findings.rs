//! What the answers mean: each check with its verdict, and which commands work there.
//! Takes an examination, gives findings; the first that failed decides nothing about the rest.

use crate::model::{Profile, Version, counted};
use crate::report::doctor::facts::{Asked, CertificateFacts, Examination, NodeHealth, TlsSession, Unanswered};
use std::collections::BTreeSet;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckVerdict {
    /// As it should be.
    Fine,
    /// It works, and somebody should know.
    Warning,
    /// What rmqplay needs is not there.
    Failed,
    /// It was not told.
    Unknown,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoctorCheck {
    /// The name of the check.
    pub check: &'static str,
    /// How it came out.
    pub verdict: CheckVerdict,
    /// What was found.
    pub says: String,
    /// What to try, or where to look.
    pub help: Option<String>,
}

/// A certificate that ends sooner is worth a warning.
const SOON_DAYS: i64 = 30;

/// Judges all that was asked.
pub fn findings(seen: &Examination) -> Vec<DoctorCheck> {
    let mut found = Vec::new();
    found.extend(seen.tls.as_ref().map(|tls| of_tls(tls, seen)));
    found.push(of_login(seen));
    found.push(judged("management", &seen.broker, |_| {
        (CheckVerdict::Fine, format!("{} answers", seen.management), None)
    }));
    found.push(judged("version", &seen.broker, |broker| of_version(&broker.full_version, broker.version)));
    found.push(judged("nodes", &seen.nodes, |nodes| of_nodes(nodes)));
    // Where nodes are not told, nor are these: the reason stands there once.
    if let Asked::Told(nodes) = &seen.nodes {
        let told = Asked::Told(());
        found.push(judged("alarms", &told, |()| of_alarms(nodes)));
        found.push(judged("plugins", &told, |()| of_plugins(nodes)));
    }
    found.push(judged("tags", &seen.tags, |tags| of_tags(tags, seen)));
    found.push(judged("permissions", &seen.permission, |permission| of_permission(permission.as_ref(), seen)));
    found.push(judged("deprecated", &seen.deprecated, |used| of_deprecated(used)));
    found.push(judged("feature flags", &seen.flags_disabled, |flags| of_flags(flags)));
    // What was not asked, since management does not answer, is told once.
    found.retain(|finding| finding.verdict != CheckVerdict::Unknown || !finding.says.is_empty());
    let mut failed_before = BTreeSet::new();
    found.retain(|finding| {
        finding.verdict != CheckVerdict::Failed || failed_before.insert((finding.says.clone(), finding.help.clone()))
    });
    found
}

type Judgement = (CheckVerdict, String, Option<String>);

fn judged<T>(check: &'static str, answer: &Asked<T>, judge: impl FnOnce(&T) -> Judgement) -> DoctorCheck {
    let (verdict, says, help) = match answer {
        Asked::Told(answer) => judge(answer),
        Asked::Not(Unanswered { why, help }) => {
            let needed = matches!(check, "management" | "version");
            let verdict = if needed { CheckVerdict::Failed } else { CheckVerdict::Unknown };
            (verdict, why.clone(), Some(help.clone()))
        }
        Asked::NotAsked => (CheckVerdict::Unknown, String::new(), None),
    };
    DoctorCheck { check, verdict, says, help }
}

fn fine(says: String) -> Judgement {
    (CheckVerdict::Fine, says, None)
}

fn warning(says: String, help: impl Into<String>) -> Judgement {
    (CheckVerdict::Warning, says, Some(help.into()))
}

fn of_tls(tls: &Asked<TlsSession>, seen: &Examination) -> DoctorCheck {
    let (verdict, says, help) = match tls {
        Asked::Not(Unanswered { why, help }) => (CheckVerdict::Failed, why.clone(), Some(help.clone())),
        Asked::NotAsked => (CheckVerdict::Unknown, String::new(), None),
        Asked::Told(session) => {
            let with = format!("{} with {}", session.protocol, session.cipher);
            let certificate = session.certificate.as_ref();
            let says = match certificate {
                None => with,
                Some(certificate) => format!("{with}; {}", certificate_in_words(certificate)),
            };
            let left = certificate.map(|certificate| (certificate.not_after - seen.now).div_euclid(86_400));
            match left {
                _ if seen.unchecked => warning(
                    says,
                    "verify=verify_none: nobody checks whose certificate that is; give cacertfile= instead",
                ),
                Some(left) if left < SOON_DAYS => {
                    let days = counted(usize::try_from(left).unwrap_or(0), "day");
                    warning(format!("{says}: {days} left"), "give the broker a new certificate before that")
                }
                _ => fine(says),
            }
        }
    };
    DoctorCheck { check: "tls", verdict, says, help }
}

fn certificate_in_words(certificate: &CertificateFacts) -> String {
    let names = if certificate.names.is_empty() { "no name".to_owned() } else { certificate.names.join(", ") };
    let CertificateFacts { subject, issuer, last_day, .. } = certificate;
    format!("certificate {subject} for {names}, signed by {issuer}, until {last_day}")
}

fn of_login(seen: &Examination) -> DoctorCheck {
    let (verdict, says, help) = match &seen.login {
        Asked::Not(Unanswered { why, help }) => (CheckVerdict::Failed, why.clone(), Some(help.clone())),
        Asked::NotAsked => (CheckVerdict::Unknown, String::new(), None),
        Asked::Told(()) => match &seen.client_name {
            Some(name) if seen.by_certificate && *name != seen.user => warning(
                format!("{} lets the certificate of '{name}' into vhost '{}'", seen.address, seen.vhost),
                format!(
                    "the URL names user '{}': `run` gives that one the rights in its vhosts, and not the certificate's; name the same user in both",
                    seen.user
                ),
            ),
            _ => {
                let by = if seen.by_certificate { ", by certificate" } else { "" };
                fine(format!("{} lets '{}' into vhost '{}'{by}", seen.address, seen.user, seen.vhost))
            }
        },
    };
    DoctorCheck { check: "amqp", verdict, says, help }
}

fn of_version(full: &str, version: Version) -> Judgement {
    let nearest = Profile::nearest(version);
    let says = format!("RabbitMQ {full}");
    if version < Profile::ALL[0].version() || version > Profile::NEWEST.version() {
        return warning(
            format!("{says}: its rules are not simulated"),
            format!("`sim` and what `plan` says of arguments follow {}, the nearest of 3.10 to 4.3", nearest.version()),
        );
    }
    fine(format!("{says}, simulated as {}", nearest.version()))
}

fn of_nodes(nodes: &[NodeHealth]) -> Judgement {
    let down: Vec<&str> = nodes.iter().filter(|node| !node.running).map(|node| &*node.name).collect();
    let parted: Vec<&str> = nodes.iter().filter(|node| node.partitioned).map(|node| &*node.name).collect();
    if !down.is_empty() {
        return warning(
            format!("not running: {}", down.join(", ")),
            "queues without a member elsewhere are not to be had",
        );
    }
    if !parted.is_empty() {
        return warning(
            format!("a network partition, seen by {}", parted.join(", ")),
            "the broker's log says since when",
        );
    }
    fine(format!("{} running", counted(nodes.len(), "node")))
}

fn of_alarms(nodes: &[NodeHealth]) -> Judgement {
    let alarm = |of: fn(&NodeHealth) -> bool, what: &str| {
        let names: Vec<&str> = nodes.iter().filter(|node| of(node)).map(|node| &*node.name).collect();
        (!names.is_empty()).then(|| format!("{what} on {}", names.join(", ")))
    };
    let alarms = [
        alarm(|node| node.memory_alarm, "too much memory is used"),
        alarm(|node| node.disk_alarm, "too little disk is free"),
    ];
    let alarms: Vec<String> = alarms.into_iter().flatten().collect();
    match alarms.is_empty() {
        true => fine("none".to_owned()),
        false => (
            CheckVerdict::Failed,
            format!("{}: the broker takes no messages", alarms.join(", ")),
            Some("free some, or raise vm_memory_high_watermark or lower disk_free_limit".to_owned()),
        ),
    }
}

fn of_plugins(nodes: &[NodeHealth]) -> Judgement {
    let all: BTreeSet<&str> = nodes.iter().flat_map(|node| &node.plugins).map(String::as_str).collect();
    let some_only: Vec<&str> = all
        .iter()
        .copied()
        .filter(|plugin| nodes.iter().any(|node| node.running && !node.plugins.iter().any(|own| own == plugin)))
        .collect();
    if !some_only.is_empty() {
        return warning(format!("not on every node: {}", some_only.join(", ")), "enable them on each node");
    }
    fine(if all.is_empty() { "none".to_owned() } else { Vec::from_iter(all).join(", ") })
}

fn of_tags(tags: &[String], seen: &Examination) -> Judgement {
    let says = match tags {
        [] => format!("user '{}' has none", seen.user),
        tags => format!("user '{}' has {}", seen.user, tags.join(", ")),
    };
    if tags.iter().any(|tag| tag == "administrator") {
        return fine(says);
    }
    let help = format!("`rabbitmqctl set_user_tags {} administrator` lets every command work", seen.user);
    warning(says, help)
}

fn of_permission(permission: Option<&[String; 3]>, seen: &Examination) -> Judgement {
    let (user, vhost) = (&seen.user, &seen.vhost);
    let Some([configure, write, read]) = permission else {
        let help = format!("`rabbitmqctl set_permissions -p '{vhost}' {user} '.*' '.*' '.*'` gives all of them");
        return warning(format!("user '{user}' has none in vhost '{vhost}'"), help);
    };
    fine(format!("in vhost '{vhost}': configure `{configure}`, write `{write}`, read `{read}`"))
}

fn of_deprecated(used: &[String]) -> Judgement {
    match used {
        [] => fine("no deprecated feature is in use".to_owned()),
        used => warning(
            format!("in use: {}", used.join(", ")),
            "a later version refuses them: `rabbitmqctl list_deprecated_features --used` shows what each stands for",
        ),
    }
}

fn of_flags(disabled: &[String]) -> Judgement {
    match disabled {
        [] => fine("all stable ones are enabled".to_owned()),
        disabled => warning(
            format!("not enabled: {}", disabled.join(", ")),
            "the next upgrade may demand them: `rabbitmqctl enable_feature_flag all`",
        ),
    }
}
