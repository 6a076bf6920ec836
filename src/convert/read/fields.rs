//! Fields that the operator and the Terraform provider have in common.
//! Takes a map; gives the value. Never decides what becomes of it.

use crate::convert::read::foreign_map::ForeignMap;
use crate::model::{ApplyTo, Name};
use crate::source::{Code, Problem};

/// Reads the vhost of a resource; operator and provider mean `/` by none.
pub fn vhost_of(map: &mut ForeignMap<'_>, problems: &mut Vec<Problem>) -> Name {
    map.text("vhost", problems).unwrap_or_else(|| "/".to_owned()).into()
}

/// Reads a word of `apply-to`; one that RabbitMQ does not know is a problem.
pub fn apply_to(word: &str, map: &ForeignMap<'_>, problems: &mut Vec<Problem>) -> ApplyTo {
    let all = [
        ApplyTo::All,
        ApplyTo::Queues,
        ApplyTo::ClassicQueues,
        ApplyTo::QuorumQueues,
        ApplyTo::Streams,
        ApplyTo::Exchanges,
    ];
    all.into_iter().find(|apply_to| apply_to.as_str() == word).unwrap_or_else(|| {
        let message = format!("{} applies to `{word}`, which RabbitMQ does not know", map.what);
        let words: Vec<&str> = all.iter().map(|apply_to| apply_to.as_str()).collect();
        let problem = Problem::new(Code::ValueBad, message).at(map.span(), "in this one");
        problems.push(problem.help(format!("there are {}", words.join(", "))));
        ApplyTo::All
    })
}
