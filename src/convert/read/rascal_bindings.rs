//! Bindings of rascal: `source[key, key] -> destination`, or maps that name the parts.
//! Takes a binding with its name; gives one binding a key. Never declares what a binding leads to.

use crate::convert::read::Imported;
use crate::convert::read::foreign_map::left_out;
use crate::convert::read::rascal_layers::{Layers, RascalVhost};
use crate::language::{Node, NodeKind};
use crate::model::{Binding, DestinationKind, Name};
use crate::source::{Code, Problem, Span};

/// The key of a binding that names none.
const USUAL_KEY: &str = "#";

/// Reads one binding.
pub fn binding(
    vhost: &RascalVhost<'_>,
    name: &str,
    layers: &Layers<'_>,
    span: Span,
    imported: &mut Imported,
    problems: &mut Vec<Problem>,
) {
    let (mut source, mut destination, mut keys) = parsed(name);
    source = layers.text(&["source"]).map(str::to_owned).or(source);
    destination = layers.text(&["destination"]).map(str::to_owned).or(destination);
    // Keys of the map and of the name are all meant; a default counts only where there is none.
    let own = Layers(layers.0.first().copied().into_iter().collect());
    let mut named = [texts(own.get(&["bindingKeys"])), texts(own.get(&["bindingKey"]))].concat();
    named.append(&mut keys);
    if named.is_empty() {
        named.push(layers.text(&["bindingKey"]).unwrap_or(USUAL_KEY).to_owned());
    }
    let (Some(source), Some(destination)) = (source, destination) else {
        let message = format!("the binding '{name}' names no source and destination");
        let help = "rascal takes `SOURCE[KEY, KEY] -> DESTINATION`, or a map with `source` and `destination`";
        return problems.push(Problem::new(Code::ValueBad, message).at(span, "cannot be read").help(help));
    };
    let is_exchange = layers.text(&["destinationType"]) == Some("exchange");
    let (kind, names) = match is_exchange {
        true => (DestinationKind::Exchange, &vhost.exchanges),
        false => (DestinationKind::Queue, &vhost.queues),
    };
    let known = |names: &std::collections::BTreeMap<String, Name>, name: &str| names.get(name).cloned();
    let from = known(&vhost.exchanges, &source).or_else(|| source.is_empty().then(Name::default));
    let (Some(from), Some(to)) = (from, known(names, &destination)) else {
        let message = format!("the binding of '{source}' to '{destination}' leads to or from what is not declared");
        return problems.push(left_out(message, span));
    };
    let arguments = layers.arguments(&["options"]);
    let is_qualified = layers.flag(&["qualifyBindingKeys"], false);
    let mut seen = Vec::new();
    for key in named {
        if seen.contains(&key) {
            continue;
        }
        let routing_key = if is_qualified { vhost.qualified(&key) } else { key.as_str().into() };
        seen.push(key);
        imported.topology.bindings.push(Binding {
            vhost: vhost.name.clone(),
            source: from.clone(),
            destination: to.clone(),
            destination_kind: kind,
            routing_key,
            arguments: arguments.clone(),
        });
    }
}

/// Reads `source[key, key] -> destination`; a part that is not there is absent.
fn parsed(name: &str) -> (Option<String>, Option<String>, Vec<String>) {
    let Some((from, to)) = name.rsplit_once("->") else { return (None, None, Vec::new()) };
    let (source, keys) = match from.trim().split_once('[') {
        Some((source, keys)) => (source, keys.trim_end().trim_end_matches(']')),
        None => (from, ""),
    };
    let keys = keys.split([',', ' ', '\t', '\n']).filter(|key| !key.is_empty()).map(str::to_owned).collect();
    let part = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    (part(source), part(to), keys)
}

fn texts(node: Option<&Node>) -> Vec<String> {
    match node.map(|node| &node.kind) {
        Some(NodeKind::Text(text)) => vec![text.to_string()],
        Some(NodeKind::List(entries)) => entries.iter().filter_map(Node::as_text).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_bindings_are_taken_apart() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(parsed("a[k1, k2] -> b"), (text("a"), text("b"), vec!["k1".to_owned(), "k2".to_owned()]));
        assert_eq!(parsed("a->b:c.d"), (text("a"), text("b:c.d"), vec![]));
        assert_eq!(parsed("a[x.#] ->"), (text("a"), None, vec!["x.#".to_owned()]));
        assert_eq!(parsed("b1"), (None, None, vec![]));
    }
}
