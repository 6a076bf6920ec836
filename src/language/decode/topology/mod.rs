//! Decoders of topology files: objects, access, arguments, policies, retry ladders.

pub(crate) mod access;
pub(crate) mod arguments;
pub(crate) mod definitions;
pub(crate) mod ignore;
pub(crate) mod objects;
pub(crate) mod policies;
pub(crate) mod retry;
