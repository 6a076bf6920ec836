//! Shovels to queues that refuse: what is refused goes back to where it came from, and is taken again at once (CO-13).
//! Takes a topology's view; gives findings, where both ends are queues of the file.

use crate::foresee::lint::findings::LintFindings;
use crate::foresee::topology_view::{QueueView, TopologyView};
use crate::foresee::uri_place::{UriPlace, first_text};
use crate::model::{Parameter, Profile, QueueKind};
use crate::rules::Overflow;
use crate::source::{Code, Problem};

/// Looks at each shovel.
pub fn check(view: &TopologyView<'_>, found: &mut LintFindings) {
    for shovel in view.topology.parameters.iter().filter(|it| it.component == "shovel") {
        let text = |key: &str| shovel.value.get(key).and_then(serde_json::Value::as_str);
        // In the other modes nothing goes back.
        if text("ack-mode").is_some_and(|mode| mode != "on-confirm") {
            continue;
        }
        let (Some(source), Some(target)) = (end(shovel, "src", view), end(shovel, "dest", view)) else { continue };
        if refuses(target) {
            let place = view.field(&shovel.object(), &["value", "name"]);
            found.add(finding(shovel, source, target, view), place, "again and again");
        }
    }
}

/// Returns the queue of one end, where it is one of this broker's.
fn end<'v, 't>(shovel: &Parameter, side: &str, view: &'v TopologyView<'t>) -> Option<&'v QueueView<'t>> {
    let of = |key: &str| shovel.value.get(format!("{side}-{key}"));
    let name = of("queue").or_else(|| of("address"))?.as_str()?;
    let place = UriPlace::of(first_text(of("uri")?)?);
    let is_exchange = of("exchange").is_some();
    view.queue(&place.vhost, name).filter(|_| place.host.is_none() && !is_exchange)
}

fn refuses(queue: &QueueView<'_>) -> bool {
    let settings = &queue.settings;
    let is_limited = settings.max_length.is_some() || settings.max_length_bytes.is_some();
    is_limited && settings.overflow != Overflow::DropHead
}

fn finding(shovel: &Parameter, source: &QueueView<'_>, target: &QueueView<'_>, view: &TopologyView<'_>) -> Problem {
    let message = format!(
        "shovel '{}' takes again at once what full queue '{}' refuses, without a pause",
        shovel.name,
        target.name()
    );
    let Some((limit, first, last)) = spending(source, view) else {
        let help = "the target drops its head instead, or has no limit; else the shovel goes round until there is room";
        return Problem::note(Code::LintShovelToRefusing, message).by("CO-13").help(help);
    };
    let when = if first == last { first.to_string() } else { format!("{first} to {last}") };
    let end = match source.settings.dead_letter_exchange {
        Some(_) => "dead-lettered",
        None => "dropped",
    };
    let message = format!(
        "{message}: on RabbitMQ {when} each time counts to the delivery limit of '{}', and after {limit} times the message is \
         {end}",
        source.name()
    );
    let help = format!(
        "let '{}' drop its head or have no limit, or give '{}' the delivery limit -1 while it is emptied",
        target.name(),
        source.name()
    );
    Problem::warning(Code::LintShovelToRefusing, message).by("CO-13").help(help)
}

/// Returns the limit that returned messages of a queue come to, and the first and the last version on which they do.
fn spending(source: &QueueView<'_>, view: &TopologyView<'_>) -> Option<(i64, Profile, Profile)> {
    let counting = view.versions.iter().filter(|version| !version.rules.only_failures_count);
    let limits = counting.filter_map(|version| {
        let there = version.queue(source.queue, Some(source.kind));
        let limit = there.settings.delivery_limit.filter(|limit| *limit >= 0 && there.kind == QueueKind::Quorum)?;
        Some((limit, version.profile))
    });
    let limits: Vec<(i64, Profile)> = limits.collect();
    let ((limit, first), (_, last)) = (limits.first()?, limits.last()?);
    Some((*limit, *first, *last))
}
