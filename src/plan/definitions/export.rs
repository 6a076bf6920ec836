//! An export of a broker, read piece by piece: its queues and bindings become ours one at a time, and the text of what may be
//! a hundred thousand objects is never a tree as a whole. The lists that stay short are left as they are.

use crate::model::{Binding, Queue, Topology};
use crate::plan::definitions::export_entry::ExportEntry;
use crate::plan::definitions::read::{Fields, plain_table, read_binding, read_definitions, read_queue};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
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
    pub fn into_topology(self) -> Topology {
        let Export { queues, bindings, lists } = self;
        let mut topology = read_definitions(&Json::Object(lists));
        // Without an export they are among the lists.
        topology.queues.extend(queues);
        topology.bindings.extend(bindings);
        topology
    }
}

/// Reads the text of an export; queues and bindings of other vhosts than those that `is_asked` names are passed over.
///
/// # Errors
/// The text is no JSON object.
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
                    map.next_value_seed(EntryList { is_asked: self.is_asked, take: &mut take })?;
                }
                "bindings" => {
                    let mut take = |entry: &ExportEntry<'_>| export.bindings.extend(read_binding(entry, plain_table));
                    map.next_value_seed(EntryList { is_asked: self.is_asked, take: &mut take })?;
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
        formatter.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(entry) = entries.next_element::<ExportEntry<'de>>()? {
            if entry.text("vhost").is_some_and(self.is_asked) {
                (self.take)(&entry);
            }
        }
        Ok(())
    }

    // What is no list holds no entry; a broker that speaks strangely is read as far as it is understood.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
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
            "queues": [{"name": "q", "vhost": "v", "durable": true, "arguments": {"x-max-length": 5}}, 7, {"vhost": "v"}],
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
        let topology = Export { lists, ..Export::default() }.into_topology();
        assert_eq!(topology.queues.iter().map(|queue| &*queue.name).collect::<Vec<_>>(), ["q"]);
    }

    #[test]
    fn what_is_no_list_holds_nothing_and_what_is_no_object_is_refused() {
        for strange in ["null", "1", "-1", "1.5", "true", "\"text\"", "{\"a\": [1]}"] {
            let export = read_export(&format!("{{\"queues\": {strange}, \"users\": []}}"), &|_| true).expect("read");
            assert!(export.queues.is_empty() && export.lists.len() == 1, "{strange}");
        }
        for broken in ["", "[]", "<html>", "{\"queues\": [}", "{} {}"] {
            assert!(read_export(broken, &|_| true).is_err(), "{broken}");
        }
    }
}
