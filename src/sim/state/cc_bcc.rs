//! The further keys of a publish: CC, and BCC that nobody may see (RT-13). Most messages have none, and carry nothing.

use crate::broker::Refusal;
use crate::model::{Name, Table, Value};
use crate::rules::type_name;
use crate::sim::state::refusal::precondition_failed;

/// The further routing keys of a message.
#[derive(Debug, Clone, Default, Hash)]
pub(crate) struct CcBcc(Option<Box<Lists>>);

#[derive(Debug, Clone, Hash)]
pub(crate) struct Lists {
    cc: Vec<Name>,
    bcc: Vec<Name>,
    /// DL-17: a dead-letter routing key took the place of all keys; those of BCC hide their likenesses all the same.
    replaced: bool,
}

impl CcBcc {
    /// Reads them from headers.
    ///
    /// # Errors
    /// The 406 of a header that is no array.
    pub(crate) fn read(headers: Option<&Table>) -> Result<Self, Refusal> {
        let Some(headers) = headers else { return Ok(Self::default()) };
        let (cc, bcc) = (list(headers, "CC")?, list(headers, "BCC")?);
        let none = cc.is_empty() && bcc.is_empty();
        Ok(Self((!none).then(|| Box::new(Lists { cc, bcc, replaced: false }))))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn cc(&self) -> &[Name] {
        self.0.as_ref().map_or(&[], |lists| &lists.cc)
    }

    pub(crate) fn bcc(&self) -> &[Name] {
        self.0.as_ref().filter(|lists| !lists.replaced).map_or(&[], |lists| &lists.bcc)
    }

    /// Returns the keys whose likenesses x-death does not show.
    pub(crate) fn hiding(&self) -> &[Name] {
        self.0.as_ref().map_or(&[], |lists| &lists.bcc)
    }

    /// Puts a dead-letter routing key in their place.
    pub(crate) fn replace(&mut self) {
        if let Some(lists) = &mut self.0 {
            lists.cc.clear();
            lists.replaced = true;
        }
    }

    /// Returns all that a message is routed by.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Name> {
        self.cc().iter().chain(self.bcc())
    }
}

/// Reads one header: an array; what is no text in it is ignored.
pub(crate) fn list(headers: &Table, name: &str) -> Result<Vec<Name>, Refusal> {
    match headers.get(name) {
        None => Ok(Vec::new()),
        Some(Value::Array(keys)) => Ok(keys.iter().filter_map(Value::as_text).map(Name::from).collect()),
        Some(other) => {
            let detail = format!("{{unacceptable_type_in_header,\"{name}\",{}}}", type_name(other));
            Err(precondition_failed(format!("invalid message: {detail}")))
        }
    }
}
