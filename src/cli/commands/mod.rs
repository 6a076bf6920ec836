//! The commands, one file each.

pub(crate) mod access;
pub(crate) mod apply;
pub(crate) mod check;
pub(crate) mod clean;
pub(crate) mod destroy;
pub(crate) mod doctor;
pub(crate) mod effective;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod fmt;
pub(crate) mod graph;
pub(crate) mod help;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod plan;
pub(crate) mod review;
pub(crate) mod route;
pub(crate) mod run;
pub(crate) mod run_live;
pub(crate) mod run_reports;
pub(crate) mod schema;
pub(crate) mod wait;
