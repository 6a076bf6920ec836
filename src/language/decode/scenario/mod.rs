//! Decoders of scenario files: consumers with their rules, steps, expectations, requirements.

pub(crate) mod access_steps;
pub(crate) mod actions;
pub(crate) mod call;
pub(crate) mod consumers;
pub(crate) mod expectations;
pub(crate) mod held;
pub(crate) mod matchers;
pub(crate) mod metric;
pub(crate) mod publish;
pub(crate) mod refused;
pub(crate) mod requirements;
pub(crate) mod steps;
pub(crate) mod tally;
