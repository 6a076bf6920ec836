//! The disk as the world that files may ask: other files, and the environment.

use crate::io::Disk;
use crate::language::{ReadError, World};

impl World for Disk {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        Disk::read(self, path)
    }

    fn near(&self, path: &str) -> Option<String> {
        Disk::near(self, path)
    }

    fn variable(&self, name: &str) -> Option<String> {
        Disk::variable(self, name)
    }
}
