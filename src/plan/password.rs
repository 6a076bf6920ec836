//! RabbitMQ's password hashes: base64 of a salt of four bytes and the digest of salt and password.
//! Answers whether a password fits a hash. Never makes a hash, never shows either.

use crate::model::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256, Sha512};

const SALT_BYTES: usize = 4;

/// Returns whether `password` is behind `hash`; `None` when the algorithm cannot be computed here (md5, plugins).
pub fn is_hash_of(hash: &Secret, algorithm: &str, password: &Secret) -> Option<bool> {
    let digest: fn(&[u8]) -> Vec<u8> = match algorithm {
        "rabbit_password_hashing_sha256" | "" => |bytes| Sha256::digest(bytes).to_vec(),
        "rabbit_password_hashing_sha512" => |bytes| Sha512::digest(bytes).to_vec(),
        _ => return None,
    };
    let Ok(stored) = STANDARD.decode(hash.expose()) else { return Some(false) };
    if stored.len() <= SALT_BYTES {
        return Some(false);
    }
    let (salt, expected) = stored.split_at(SALT_BYTES);
    let salted = [salt, password.expose().as_bytes()].concat();
    Some(digest(&salted) == expected)
}
