//! Salts of password hashes, by the chance of the operating system.
//! Never makes a hash.

use rand::TryRng;
use rand::rngs::SysRng;

/// Returns four bytes by chance.
pub fn random_salt() -> [u8; 4] {
    // Without chance of the system's own the salt is that of the moment: it need not be secret, only seldom the same.
    let moment =
        || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
    SysRng.try_next_u32().unwrap_or_else(|_| moment()).to_le_bytes()
}
