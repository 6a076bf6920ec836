//! An export of a broker, read piece by piece: its queues and bindings become ours one at a time, and the text of what may be
//! a hundred thousand objects is never a tree as a whole. The lists that stay short are left as they are.

use crate::model::{Binding, Queue, Topology};
use crate::plan::definitions::export_entry::ExportEntry;
use crate::plan::definitions::read::{Fields, kind_of, plain_table, read_binding, read_definitions, read_queue};
use crate::plan::definitions::shape::{fault, is_read};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};
use std::fmt;

/// What an export holds of some vhosts.
#[derive(Debug, Default)]
pub struct Export {
    pub(crate) queues: Vec<Queue>,
    pub(crate) bindings: Vec<Binding>,
    /// All other lists, of all vhosts.
    pub lists: Map<String, Json>,
}

impl Export {
    /// Reads the lists too.
    ///
    /// # Errors
    /// What in a list is none that RabbitMQ writes, in words.
    pub fn into_topology(self) -> Result<Topology, String> {
        let Export { queues, bindings, lists } = self;
        lists.iter().try_for_each(|(list, entries)| checked(list, entries))?;
        let mut topology = read_definitions(&Json::Object(lists));
        // Without an export they are among the lists.
        topology.queues.extend(queues);
        topology.bindings.extend(bindings);
        Ok(topology)
    }
}

/// Checks a list that is read: it is one, of objects with the fields that RabbitMQ writes.
fn checked(list: &str, entries: &Json) -> Result<(), String> {
    if !is_read(list) {
        return Ok(());
    }
    let entries = entries.as_array().ok_or_else(|| format!("`{list}` is {}, and no list", kind_of(entries)))?;
    let fault_in = |entry: &Json| match entry {
        Json::Object(entry) => fault(list, |key| Fields::kind(entry, key)),
        other => Some(format!("an entry of `{list}` is {}, and no map", kind_of(other))),
    };
    entries.iter().find_map(fault_in).map_or(Ok(()), Err)
}

/// Reads the text of an export; queues and bindings of other vhosts than those that `is_asked` names are passed over.
///
/// # Errors
/// The text is no JSON object, or its queues or bindings are none that RabbitMQ writes.
pub fn read_export(text: &str, is_asked: &dyn Fn(&str) -> bool) -> Result<Export, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let export = (&mut json).deserialize_map(ExportVisitor { is_asked })?;
    json.end()?;
    Ok(export)
}

struct ExportVisitor<'a> {
    is_asked: &'a dyn Fn(&str) -> bool,
}

impl<'de> Visitor<'de> for ExportVisitor<'_> {
    type Value = Export;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of lists")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Export, A::Error> {
        let mut export = Export::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "queues" => {
                    let mut take = |entry: &ExportEntry<'_>| export.queues.extend(read_queue(entry, plain_table));
                    map.next_value_seed(EntryList { list: "queues", is_asked: self.is_asked, take: &mut take })?;
                }
                "bindings" => {
                    let mut take = |entry: &ExportEntry<'_>| export.bindings.extend(read_binding(entry, plain_table));
                    map.next_value_seed(EntryList { list: "bindings", is_asked: self.is_asked, take: &mut take })?;
                }
                _ => {
                    let list = map.next_value()?;
                    export.lists.insert(key, list);
                }
            }
        }
        Ok(export)
    }
}

/// A list whose entries are taken one after another.
struct EntryList<'a> {
    list: &'static str,
    is_asked: &'a dyn Fn(&str) -> bool,
    take: &'a mut dyn FnMut(&ExportEntry<'_>),
}

impl<'de> DeserializeSeed<'de> for EntryList<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for EntryList<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a list of objects at `{}`", self.list)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(entry) = entries.next_element::<ExportEntry<'de>>()? {
            let is_of_another = entry.text("vhost").is_some_and(|vhost| !(self.is_asked)(vhost));
            if is_of_another {
                continue;
            }
            let fault = match entry.is_object {
                true => fault(self.list, |key| entry.kind(key)),
                false => Some(format!("an entry of `{}` is no map", self.list)),
            };
            if let Some(fault) = fault {
                return Err(A::Error::custom(fault));
            }
            (self.take)(&entry);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_is_read_entry_by_entry_and_only_of_the_vhosts_in_question() {
        let text = r#"{"rabbit_version": "4.3.6", "bindings": [
            {"source": "x", "vhost": "v", "destination": "q", "destination_type": "queue", "routing_key": "k", "arguments": {}},
            {"source": "x", "vhost": "w", "destination": "q", "destination_type": "queue", "routing_key": "k", "arguments": {}}],
            "queues": [{"name": "q", "vhost": "v", "durable": true, "arguments": {"x-max-length": 5}}, {"vhost": "w"}],
            "policies": [{"name": "p", "vhost": "w"}]}"#;
        let export = read_export(text, &|vhost| vhost == "v").expect("an export");
        assert_eq!(export.queues.iter().map(|queue| &*queue.name).collect::<Vec<_>>(), ["q"]);
        assert_eq!(export.bindings.iter().map(|binding| &*binding.vhost).collect::<Vec<_>>(), ["v"]);
        assert_eq!(export.lists.keys().collect::<Vec<_>>(), ["rabbit_version", "policies"]);
    }

    #[test]
    fn what_came_as_lists_is_read_too() {
        let lists = serde_json::json!({"queues": [{"name": "q", "vhost": "v", "durable": true, "arguments": {}}]});
        let lists = lists.as_object().expect("lists").clone();
        let topology = Export { lists, ..Export::default() }.into_topology().expect("lists of objects");
        assert_eq!(topology.queues.iter().map(|queue| &*queue.name).collect::<Vec<_>>(), ["q"]);
    }

    #[test]
    fn what_rabbitmq_never_writes_is_refused_and_where_it_stands_is_told() {
        let read = |text: &str| match read_export(text, &|vhost| vhost == "v") {
            Ok(export) => export.into_topology().err().unwrap_or_default(),
            Err(error) => error.to_string(),
        };
        for broken in ["", "[]", "<html>", "{\"queues\": [}", "{} {}"] {
            assert!(read_export(broken, &|_| true).is_err(), "{broken}");
        }
        for strange in ["null", "1", "-1", "1.5", "true", "\"text\"", "{\"a\": [1]}"] {
            assert!(read(&format!("{{\"queues\": {strange}}}")).contains("a list of objects at `queues`"), "{strange}");
            assert!(read(&format!("{{\"policies\": {strange}}}")).starts_with("`policies` is "), "{strange}");
            let is_map = strange.starts_with('{');
            assert_eq!(read(&format!("{{\"bindings\": [{strange}]}}")).is_empty(), is_map, "{strange}");
            assert_eq!(read(&format!("{{\"users\": [{strange}]}}")).contains("no map"), !is_map, "{strange}");
        }
        assert_eq!(
            read(r#"{"queues": [{"name": "q", "vhost": "v", "durable": 1}]}"#),
            "`durable` in an entry of `queues` is a number, and RabbitMQ writes true or false there at line 1 column 54"
        );
        assert_eq!(read(r#"{"queues": [{"name": 7, "vhost": "w"}], "unknown": 7}"#), "", "another vhost, another list");
        let vanishing = r#"{"permissions": [{"user": "u"}], "queues": [{"vhost": "v"}], "vhosts": [{"error": "x"}]}"#;
        assert_eq!(read(vanishing), "", "left out");
    }
}
