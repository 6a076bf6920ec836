//! Coverage as JSON: counts, and each thing of each file with its place.

use crate::foresee::{Coverable, CoverableKind, CoverageCount, CoverageItem, CoverageRecord, FileCoverage};
use crate::model::Object;
use crate::report::coverage::words::kind_word;
use crate::rules::TOLD_RULES;
use crate::source::Sources;
use serde_json::{Map, Value as Json, json};

/// Returns all that is known of a run's coverage; `replayed` names simulated brokers that stood in for live ones.
pub fn coverage_json(record: &CoverageRecord, replayed: &[String], sources: &Sources) -> Json {
    let files: Vec<Json> = record.files.iter().map(|(name, file)| file_json(name, file, sources)).collect();
    let at_work: Vec<&&str> = record.rules.iter().collect();
    let idle: Vec<&&str> = TOLD_RULES.iter().filter(|rule| !record.rules.contains(*rule)).collect();
    let mut shown = json!({
        "type": "coverage",
        "kinds": kinds_json(&all_kinds(record)),
        "files": files,
        "rules": { "at_work": at_work, "not_at_work": idle },
        "replayed_on": replayed,
        "cut": record.cut,
    });
    add_counts(&mut shown, record.total());
    shown
}

fn all_kinds(record: &CoverageRecord) -> Vec<(CoverableKind, CoverageCount)> {
    let of = |kind| {
        let counts = record.files.values().flat_map(FileCoverage::by_kind).filter(|(own, _)| *own == kind);
        counts.fold(CoverageCount::default(), |all, (_, count)| all.and(count))
    };
    CoverableKind::ALL.into_iter().map(|kind| (kind, of(kind))).collect()
}

fn kinds_json(kinds: &[(CoverableKind, CoverageCount)]) -> Json {
    let all = kinds
        .iter()
        .map(|(kind, count)| (kind_word(*kind).1.to_owned(), json!({ "exercised": count.exercised, "of": count.of })));
    Json::Object(all.collect())
}

fn add_counts(shown: &mut Json, count: CoverageCount) {
    let percent = (count.percent() * 10.0 + 1e-9).floor() / 10.0;
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("exercised".into(), count.exercised.into());
        shown.insert("of".into(), count.of.into());
        shown.insert("percent".into(), json!(percent));
    }
}

fn file_json(name: &str, file: &FileCoverage, sources: &Sources) -> Json {
    let mut items: Vec<(usize, Json)> =
        file.items.iter().map(|(item, found)| item_json(item, found, sources)).collect();
    items.sort_by_key(|(line, _)| *line);
    let items: Vec<Json> = items.into_iter().map(|(_, item)| item).collect();
    let mut shown = json!({
        "file": name,
        "scenarios": file.scenarios,
        "kinds": kinds_json(&file.by_kind()),
        "items": items,
    });
    add_counts(&mut shown, file.total());
    shown
}

fn item_json(item: &Coverable, found: &CoverageItem, sources: &Sources) -> (usize, Json) {
    let place = sources.position(found.span);
    let mut shown = Map::new();
    shown.insert("kind".into(), kind_of(item).into());
    for (key, value) in fields(item) {
        shown.insert(key.into(), value);
    }
    shown.insert("exercised".into(), found.exercised.into());
    shown.insert("line".into(), place.line.into());
    shown.insert("column".into(), place.column.into());
    (place.line, Json::Object(shown))
}

fn kind_of(item: &Coverable) -> &'static str {
    match item {
        Coverable::Queue(_) => "queue",
        Coverable::Binding(_) => "binding",
        Coverable::Policy { operator: false, .. } => "policy",
        Coverable::Policy { operator: true, .. } => "operator_policy",
        Coverable::Right { exchange: None, .. } => "right",
        Coverable::Right { exchange: Some(_), .. } => "topic_right",
        Coverable::DeadLetter(..) => "dead_letter",
        Coverable::Retry { parks: false, .. } => "retry",
        Coverable::Retry { parks: true, .. } => "parking",
        Coverable::Limit(..) => "limit",
    }
}

fn fields(item: &Coverable) -> Vec<(&'static str, Json)> {
    let json = |name: &crate::model::Name| Json::from(&**name);
    match item {
        Coverable::Queue(queue) => vec![("vhost", json(&queue.vhost)), ("queue", json(&queue.name))],
        Coverable::Binding(Object::Binding { vhost, source, kind, destination, routing_key, arguments }) => {
            let arguments = serde_json::from_str(arguments).unwrap_or_else(|_| json!({}));
            vec![
                ("vhost", json(vhost)),
                ("source", json(source)),
                ("destination", json(destination)),
                ("destination_type", kind.as_str().into()),
                ("routing_key", json(routing_key)),
                ("arguments", arguments),
            ]
        }
        Coverable::Binding(other) => vec![("name", other.to_string().into())],
        Coverable::Policy { vhost, name, .. } => vec![("vhost", json(vhost)), ("name", json(name))],
        Coverable::Right { user, vhost, exchange, right } => {
            let exchange = exchange.iter().map(|exchange| ("exchange", json(exchange)));
            let head = vec![("user", json(user)), ("vhost", json(vhost)), ("right", Json::from(*right))];
            head.into_iter().chain(exchange).collect()
        }
        Coverable::DeadLetter(queue, death) => {
            vec![("vhost", json(&queue.vhost)), ("queue", json(&queue.name)), ("reason", death.as_str().into())]
        }
        Coverable::Retry { queue, by, .. } => {
            vec![("vhost", json(&queue.vhost)), ("queue", json(&queue.name)), ("by", json(by))]
        }
        Coverable::Limit(queue, limit) => {
            vec![("vhost", json(&queue.vhost)), ("queue", json(&queue.name)), ("key", limit.as_str().into())]
        }
    }
}
