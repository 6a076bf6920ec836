//! A sequence as plain data: operations in the words of the conformance files, each with the time before it.
//! Reads and writes nothing else; knows neither sim nor live.

use crate::commands::{management, method};
use crate::script::{Step, parse};
use rmqplay::model::Millis;
use rmqplay::rules::Edition;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Op {
    /// From the beginning of the last operation to the beginning of this one; 0 is as soon as all rests.
    pub gap: Millis,
    pub text: String,
}

/// A sequence for the rules of one release.
#[derive(Debug, Clone)]
pub struct Sequence {
    pub seed: u64,
    pub edition: Edition,
    pub ops: Vec<Op>,
    /// How many steps at its end take the contents; the others are operations proper.
    pub closing: usize,
}

impl Op {
    /// Reads the words; `None` when they are no step.
    pub fn step(&self) -> Option<Step> {
        let step = parse(&self.text).ok()?.pop()?;
        let bare = [
            "connect",
            "channel",
            "close",
            "cut",
            "disconnect",
            "kick",
            "publish",
            "forward",
            "ack",
            "nack",
            "reject",
            "drain",
        ];
        let known = bare.contains(&step.word(0).as_str())
            || catch_unwind(AssertUnwindSafe(|| management(&step).is_some())).unwrap_or(false)
            || catch_unwind(AssertUnwindSafe(|| method(&step, "/".into()))).is_ok();
        known.then_some(step)
    }
}

impl Sequence {
    /// Reads operations from a conformance file: `wait` is the time before the next step, expectations are left out.
    pub fn read(text: &str, edition: Edition) -> Self {
        let (mut ops, mut gap) = (Vec::new(), Millis(0));
        for line in
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', '<', '~', '[']))
        {
            match line.strip_prefix("wait ").map(str::parse) {
                Some(Ok(time)) => gap = time,
                _ => ops.push(Op { gap: std::mem::take(&mut gap), text: line.to_owned() }),
            }
        }
        Self { seed: 0, edition, ops, closing: 0 }
    }

    /// Writes it as a conformance file without expectations; the last step takes so many messages if it takes contents.
    /// Expectations come from the sim (`UPDATE_GOLDEN=1`) once it does what the broker does.
    pub fn text(&self, contents: usize) -> String {
        let mut text = format!("# seed {} on {}\n", self.seed, self.edition.sim_name());
        for (n, op) in self.ops.iter().enumerate() {
            let last = n + 1 == self.ops.len();
            if op.gap.0 > 0 {
                text.push_str(&format!("wait {}ms\n", op.gap.0));
            }
            match op.text.strip_prefix("drain ") {
                Some(queue) if last => text.push_str(&format!("get {queue} no-ack\n").repeat(contents)),
                // What other queues held does not matter to what differs.
                Some(_) => {}
                None => text.push_str(&format!("{}\n", op.text)),
            }
        }
        text
    }
}
