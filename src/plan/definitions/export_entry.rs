//! One object of an export as it stands in the text: names and flags are borrowed from it, and only lists and maps are trees.
//! Takes any JSON; what is no object has no fields. Never judges what a field says.

use crate::plan::definitions::read::{Fields, kind_of};
use crate::plan::definitions::shape::FieldKind;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;
use std::borrow::Cow;
use std::fmt;

/// How many fields an object of an export has at most, but for those of newer brokers.
const FIELDS: usize = 8;

/// The fields of one object, in the order of the text; of a key that stands there twice the last one counts.
#[derive(Debug, Default)]
pub(crate) struct ExportEntry<'j> {
    fields: Vec<(Cow<'j, str>, ExportField<'j>)>,
    /// It is a JSON object.
    pub is_object: bool,
}

/// What one field says.
#[derive(Debug)]
enum ExportField<'j> {
    Text(Cow<'j, str>),
    Flag(bool),
    Nested(Json),
    /// No object has one that we read.
    Number,
    Null,
}

impl ExportEntry<'_> {
    fn get(&self, key: &str) -> Option<&ExportField<'_>> {
        self.fields.iter().rev().find(|(known, _)| *known == key).map(|(_, field)| field)
    }
}

impl Fields for ExportEntry<'_> {
    fn text(&self, key: &str) -> Option<&str> {
        if let ExportField::Text(text) = self.get(key)? { Some(text) } else { None }
    }

    fn flag(&self, key: &str) -> Option<bool> {
        if let ExportField::Flag(yes) = self.get(key)? { Some(*yes) } else { None }
    }

    fn nested(&self, key: &str) -> Option<&Json> {
        if let ExportField::Nested(json) = self.get(key)? { Some(json) } else { None }
    }

    fn kind(&self, key: &str) -> Option<FieldKind> {
        Some(match self.get(key)? {
            ExportField::Text(_) => FieldKind::Text,
            ExportField::Flag(_) => FieldKind::Flag,
            ExportField::Nested(json) => kind_of(json),
            ExportField::Number => FieldKind::Number,
            ExportField::Null => FieldKind::Null,
        })
    }
}

impl<'de> Deserialize<'de> for ExportEntry<'de> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(EntryVisitor)
    }
}

impl<'de> Deserialize<'de> for ExportField<'de> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(FieldVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = ExportEntry<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::with_capacity(FIELDS);
        // A key is a text.
        while let Some((key, field)) = map.next_entry::<ExportField<'de>, ExportField<'de>>()? {
            if let ExportField::Text(key) = key {
                fields.push((key, field));
            }
        }
        Ok(ExportEntry { fields, is_object: true })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        while entries.next_element::<IgnoredAny>()?.is_some() {}
        Ok(ExportEntry::default())
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(ExportEntry::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(ExportEntry::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(ExportEntry::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(ExportEntry::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(ExportEntry::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(ExportEntry::default())
    }
}

struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = ExportField<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<ExportField<'de>, E> {
        Ok(ExportField::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<ExportField<'de>, E> {
        Ok(ExportField::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, yes: bool) -> Result<ExportField<'de>, E> {
        Ok(ExportField::Flag(yes))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ExportField<'de>, A::Error> {
        Json::deserialize(MapAccessDeserializer::new(map)).map(ExportField::Nested)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, entries: A) -> Result<ExportField<'de>, A::Error> {
        Json::deserialize(SeqAccessDeserializer::new(entries)).map(ExportField::Nested)
    }

    fn visit_unit<E>(self) -> Result<ExportField<'de>, E> {
        Ok(ExportField::Null)
    }

    fn visit_i64<E>(self, _: i64) -> Result<ExportField<'de>, E> {
        Ok(ExportField::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<ExportField<'de>, E> {
        Ok(ExportField::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<ExportField<'de>, E> {
        Ok(ExportField::Number)
    }
}
