//! `effective`: what is in force on queues and exchanges, where it comes from, and which policies lost.

use crate::cli::ExitCode;
use crate::cli::foresee::looked_at::{LookedAt, in_vhost, missing_help};
use crate::cli::options::EffectiveOptions;
use crate::cli::terminal::Terminal;
use crate::foresee::{EffectiveObject, TopologyView, effective};
use crate::model::Name;
use crate::report;
use serde_json::json;

/// Shows what is in force on all objects, or on those of a name.
pub fn show(command: &EffectiveOptions, terminal: &Terminal) -> ExitCode {
    let lacking = "name a topology file, or a broker with --broker: rmqplay effective FILE [QUEUE|EXCHANGE]";
    let seen = match LookedAt::read(&command.words, &command.look, lacking, terminal) {
        Ok(seen) => seen,
        Err(code) => return code,
    };
    let name = match seen.words.as_slice() {
        [] => None,
        [name] => Some(name.as_str()),
        _ => return terminal.usage("give one queue or exchange, or none for all"),
    };
    if let Some(code) = seen.lacks_all(command.vhost.as_deref(), terminal) {
        return code;
    }
    if let Some(code) = command.vhost.as_deref().and_then(|named| seen.no_vhost(named, terminal)) {
        return code;
    }
    let versions = seen.versions();
    let mut results: Vec<(crate::model::Profile, Vec<EffectiveObject>)> = Vec::new();
    for (profile, versions) in &versions {
        let Some(view) = TopologyView::new(&seen.topology, &seen.origins, versions) else { continue };
        let mut objects = effective(&view, name);
        objects.retain(|object| command.vhost.as_ref().is_none_or(|vhost| **vhost == *object.vhost));
        results.push((*profile, objects));
    }
    if let Some(name) = name.filter(|_| results.iter().all(|(_, objects)| objects.is_empty())) {
        let queues = seen.topology.queues.iter().map(|it| (&it.vhost, it.name.as_str()));
        let names: Vec<(&Name, &str)> =
            queues.chain(seen.topology.exchanges.iter().map(|it| (&it.vhost, it.name.as_str()))).collect();
        let vhost = command.vhost.as_deref();
        // It may be where the account may not look.
        let lacking = seen.lacks_some(vhost, terminal);
        if lacking != ExitCode::Fine {
            return lacking;
        }
        let near = missing_help(name, vhost, names.into_iter()).unwrap_or_default();
        let help = format!("{} shows all queues and exchanges", seen.command("effective"));
        return seen.missing(&format!("no queue or exchange '{name}'{}{near}", in_vhost(vhost)), &help, terminal);
    }
    let groups = report::by_versions(results);
    for (profiles, objects) in &groups {
        if command.look.json {
            let names: Vec<String> = profiles.iter().map(ToString::to_string).collect();
            let shown = json!({ "versions": names, "objects": report::effective_json(objects) }).to_string();
            terminal.print(&report::mask(&shown));
            continue;
        }
        if groups.len() > 1 || profiles.len() < seen.profiles.len() {
            terminal.print(&terminal.palette.dim(&report::versions_in_words(profiles)));
        }
        let text = report::mask(&report::effective_text(objects, terminal.palette));
        match text.is_empty() {
            true => terminal.status("no queue and no exchange is declared there"),
            false => terminal.print(&text),
        }
    }
    seen.lacks_some(command.vhost.as_deref(), terminal)
}
