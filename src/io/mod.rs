//! The only room with sockets, files, the clock and the async runtime.
//! Gives addresses, the management client, the live adapter with [`live::run_live`], clean-up, waiting and files.
//! Never decides what a scenario means and never prints.

#![expect(clippy::disallowed_methods, reason = "this room reads files, clock and environment")]

mod address;
mod clean;
mod config_file;
mod doctor;
mod failure;
mod files;
mod greet;
mod known_brokers;
mod last_run;
pub mod live;
pub mod management;
mod meet;
mod move_queue;
mod near_path;
pub mod observe;
pub mod rehearse;
mod run_profiles;
mod salt;
pub mod serve;
pub mod snapshots;
mod stamp;
mod tls;
mod wait;
mod world;

pub use address::{Address, BadAddress, LoginMechanism, TlsOptions, node, nodes, of_environment};
pub use clean::{Cleaned, clean};
pub use config_file::BROKERS_FILE;
pub use doctor::examine;
pub use failure::{BrokerFailure, BrokerFailureKind};
pub use files::{
    Disk, ReadDigest, append, head_of, list_yaml, make_atomically, make_private, read_bytes, read_file, read_input,
    same_path, write_atomically, write_parts_atomically,
};
pub use greet::greet;
pub use known_brokers::KnownBrokers;
pub use last_run::{CACHE_FOLDER, LastPlay, LastRun, PlayKey, Unknown, file_key, keep_last_run};
pub use management::install_crypto;
pub use meet::meet;
pub use move_queue::{MoveFailure, MoveSettings, move_queue};
pub use near_path::near_path;
pub use run_profiles::{ProfileSetting, RunProfiles};
pub use salt::random_salt;
pub use stamp::FileStamp;
pub use wait::wait_until_ready;
