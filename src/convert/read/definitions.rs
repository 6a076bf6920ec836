//! Definitions files of RabbitMQ, of a cluster or of one vhost; topology files of rmqplay too.
//! Takes a text; gives its topology by the loader of the language. What belongs to the cluster alone is left out.

use crate::convert::read::{Imported, without_cluster_own};
use crate::language::{Settings, World, load_topology, plain_value};
use crate::model::Object;
use crate::source::{Code, Level, Problem, Sources};

/// Reads a definitions file.
pub fn read(
    sources: &mut Sources,
    name: &str,
    text: &[u8],
    world: &dyn World,
    settings: &Settings,
) -> (Option<Imported>, Vec<Problem>) {
    let (loaded, mut problems) = load_topology(sources, name, text, world, settings);
    let Some(loaded) = loaded else { return (None, problems) };
    let declared = loaded.topology.vhosts.iter().filter(|vhost| loaded.origins.contains_key(&vhost.object()));
    let declared = declared.map(|vhost| vhost.name.clone()).collect();
    let names_vhost = |(object, origin): (&Object, &crate::model::Origin)| {
        object.vhost().is_some() && !matches!(object, Object::Vhost { .. }) && origin.field("vhost").is_some()
    };
    let names_no_vhost =
        loaded.file_vhost.is_none() && settings.default_vhost.is_none() && !loaded.origins.iter().any(names_vhost);
    let mut topology = loaded.topology;
    for name in without_cluster_own(&mut topology) {
        let object = Object::GlobalParameter { name: name.as_str().into() };
        let note = Problem::note(Code::ConvertLeftOut, format!("`{name}` is left out: each cluster has its own"));
        let place = loaded.origins.get(&object).map(|origin| origin.whole);
        problems.push(match place {
            Some(span) => note.at(span, "left out"),
            None => note,
        });
    }
    let from = match std::str::from_utf8(text).ok().and_then(version_of) {
        Some(version) => format!("definitions of RabbitMQ {version}"),
        None => "a definitions file".to_owned(),
    };
    let stops = problems.iter().any(|problem| problem.level == Level::Problem);
    ((!stops).then_some(Imported { topology, declared, names_no_vhost, from }), problems)
}

/// Returns the version that wrote an export.
fn version_of(text: &str) -> Option<String> {
    let whole = plain_value(text)?;
    let version =
        ["rabbitmq_version", "rabbit_version"].iter().find_map(|key| whole.get(*key)?.as_str().map(str::to_owned));
    version.filter(|version| !version.is_empty() && version.len() < 40)
}
