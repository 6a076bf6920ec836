//! RabbitMQ's password hashes: base64 of a salt of four bytes and the digest of salt and password.
//! Answers whether a password fits a hash, and makes hashes for saved plans. Never shows either.

use crate::model::{Credential, Secret};
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

/// Makes the hash that RabbitMQ would keep of a password, with its usual algorithm.
pub fn hash_of(password: &Secret, salt: [u8; SALT_BYTES]) -> Credential {
    let digest = Sha256::digest([&salt, password.expose().as_bytes()].concat());
    let hash = STANDARD.encode([&salt[..], digest.as_slice()].concat());
    Credential::Hash { hash: Secret::new(hash), algorithm: "rabbit_password_hashing_sha256".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_that_was_made_fits() {
        // RabbitMQ's documented example.
        let password = Secret::new("test12");
        let Credential::Hash { hash, algorithm } = hash_of(&password, [0x90, 0x8D, 0xC6, 0x0A]) else { panic!() };
        assert_eq!(hash.expose(), "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR");
        assert_eq!(is_hash_of(&hash, &algorithm, &password), Some(true));
    }
}
