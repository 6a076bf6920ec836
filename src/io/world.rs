//! The disk as the world that files may ask: other files, and the environment.

use crate::io::{Disk, near_path};
use crate::language::{ReadError, World};

impl World for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        Disk::read(self, path)
    }

    fn near(&self, path: &str) -> Option<String> {
        let near = near_path(&self.root().join(path))?;
        let shown = near.strip_prefix(self.root()).unwrap_or(&near);
        Some(shown.to_string_lossy().into_owned())
    }

    fn variable(&self, name: &str) -> Option<String> {
        Disk::variable(self, name)
    }
}
