//! Reads and writes files for the other rooms: whole texts, folders of scenarios, snapshots replaced in one go.
//! Never interprets what is in them.

use crate::language::ReadError;
use crate::source::without_passwords_in_urls;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The file system and the environment, as the language room asks for them.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    /// Paths are taken from here when they are relative; empty is the working directory.
    root: PathBuf,
    variables: BTreeMap<String, String>,
    /// Which files were asked for, there or not; absent where nobody wants to know.
    reads: Option<Arc<Mutex<BTreeSet<PathBuf>>>>,
    /// What was read, in order; absent where nobody wants to know.
    digest: Option<Arc<Mutex<Sha256>>>,
}

/// Tells what was read from the same reads at another time.
pub type ReadDigest = [u8; 16];

impl Disk {
    /// Reads below the working directory and knows the environment of the process.
    pub fn here() -> Self {
        let text = |(key, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((key.into_string().ok()?, value.into_string().ok()?))
        };
        Self { variables: std::env::vars_os().filter_map(text).collect(), ..Self::default() }
    }

    /// Reads below `root` and knows these variables only.
    pub fn at(root: impl Into<PathBuf>, variables: BTreeMap<String, String>) -> Self {
        Self { root: root.into(), variables, ..Self::default() }
    }

    /// Reads a whole file.
    pub fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        if let Some(reads) = &self.reads {
            reads.lock().unwrap_or_else(PoisonError::into_inner).insert(self.root.join(path));
        }
        let read = std::fs::read(self.root.join(path)).map_err(|error| read_error(&error));
        if let Some(digest) = &self.digest {
            let mut digest = digest.lock().unwrap_or_else(PoisonError::into_inner);
            let length = read.as_ref().map_or(u64::MAX, |bytes| bytes.len() as u64);
            digest.update(length.to_le_bytes());
            digest.update(read.as_deref().unwrap_or_default());
        }
        read
    }

    /// Notes which files are asked for from now on.
    pub fn noting_reads(self) -> Self {
        Self { reads: Some(Arc::default()), ..self }
    }

    /// Returns which files were asked for since this was asked last, there or not.
    pub fn take_reads(&self) -> BTreeSet<PathBuf> {
        let reads = self.reads.as_ref().map(|reads| reads.lock().unwrap_or_else(PoisonError::into_inner));
        reads.map(|mut reads| std::mem::take(&mut *reads)).unwrap_or_default()
    }

    /// Takes a digest of all that is read from now on; clones of it share one.
    pub fn noting_digest(self) -> Self {
        Self { digest: Some(Arc::default()), ..self }
    }

    /// Returns the digest of what was read since this was asked last; the same wherever nobody wants to know.
    pub fn take_digest(&self) -> ReadDigest {
        let digest = self.digest.as_ref().map(|digest| digest.lock().unwrap_or_else(PoisonError::into_inner));
        let digest = digest.map(|mut digest| digest.finalize_reset()).unwrap_or_default();
        std::array::from_fn(|at| digest[at])
    }

    /// Returns the folder from which relative paths are taken; empty is the working directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns whether a file is there, readable or not.
    pub fn has(&self, path: &str) -> bool {
        self.root.join(path).symlink_metadata().is_ok()
    }

    /// Returns an environment variable.
    pub fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }
}

/// Reads a text; the error says which file and why not.
pub fn read_file(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let bytes = std::fs::read(path).map_err(|error| format!("cannot read {shown}: {}", why(&error)))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("{shown} is not UTF-8 (at byte {at})")
    })
}

/// Reads a whole file of any bytes; the error says which file and why not.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("cannot read {}: {}", path.display(), why(&error)))
}

/// Lists the YAML and JSON files of a folder and the folders in it, sorted; a file stands for itself.
/// Folders and files whose name begins with a point, and folders named `snapshots`, are left out.
pub fn list_yaml(path: &Path) -> Result<Vec<PathBuf>, String> {
    // Who names a broker here shows its password to nobody.
    let shown = without_passwords_in_urls(&path.to_string_lossy());
    let failed = |error: io::Error| format!("cannot read {shown}: {}", why(&error));
    if !std::fs::metadata(path).map_err(failed)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        // A link to a folder is not followed: it may lead in a circle.
        let is_folder = entry.file_type().map_err(failed)?.is_dir();
        let ends =
            || matches!(Path::new(&name).extension().and_then(|end| end.to_str()), Some("yaml" | "yml" | "json"));
        let is_meant = if is_folder { name != "snapshots" } else { ends() };
        if is_meant {
            entries.push((name, is_folder));
        }
    }
    // What lies in a folder stands where its name does.
    entries.sort_unstable();
    let mut found = Vec::with_capacity(entries.len());
    for (name, is_folder) in entries {
        let path = path.join(name);
        match is_folder {
            true => found.extend(list_yaml(&path)?),
            false => found.push(path),
        }
    }
    Ok(found)
}

/// Writes a file so that a reader sees the old text or the new one, never a part: beside it first, then renamed. A link stays
/// and what it leads to is written; a pipe or a device is written to. Missing folders are made.
pub fn write_atomically(path: &Path, text: &str) -> Result<(), String> {
    write_parts_atomically(path, |write| write(text))
}

/// Does the same with a text that comes in parts.
pub fn write_parts_atomically(
    path: &Path,
    parts: impl FnOnce(&mut dyn FnMut(&str) -> Result<(), String>) -> Result<(), String>,
) -> Result<(), String> {
    let failed = |error: io::Error| format!("cannot write {}: {}", path.display(), why(&error));
    if path.metadata().is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        use std::io::Write;
        let mut file = std::fs::OpenOptions::new().write(true).open(path).map_err(failed)?;
        return parts(&mut |part| file.write_all(part.as_bytes()).map_err(failed));
    }
    let led_to = path.is_symlink().then(|| path.canonicalize().ok()).flatten();
    let path = led_to.as_deref().unwrap_or(path);
    beside(path, parts, |beside| std::fs::rename(beside, path))
}

/// Reads how a file begins, up to `most` bytes; `None` for what is no file, such as a pipe or a device.
pub fn head_of(path: &Path, most: u64) -> Option<Vec<u8>> {
    use std::io::Read;
    if !path.metadata().is_ok_and(|there| there.is_file()) {
        return None;
    }
    let mut head = Vec::new();
    std::fs::File::open(path).ok()?.take(most).read_to_end(&mut head).ok()?;
    Some(head)
}

/// Returns the path by which two names of one file are equal, whether the file is there or not.
pub fn same_path(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    path.canonicalize().unwrap_or_else(|_| match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    })
}

/// Adds a text at the end of a file; a missing one is made.
pub fn append(path: &Path, text: &str) -> Result<(), String> {
    use std::io::Write;
    let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| format!("cannot write {}: {}", path.display(), why(&error)))
}

/// Makes a file whole and in one go; false when it is there already. Missing folders are made.
pub fn make_atomically(path: &Path, text: &str) -> Result<bool, String> {
    beside(
        path,
        |write| write(text),
        |beside| {
            match std::fs::hard_link(beside, path) {
                Ok(()) => std::fs::remove_file(beside).map(|()| true),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    std::fs::remove_file(beside).map(|()| false)
                }
                // Some file systems know no links.
                Err(_) => std::fs::rename(beside, path).map(|()| true),
            }
        },
    )
}

/// Writes a file that only its owner may read, whole and in one go; false when it is there already, unless forced.
pub fn make_private(path: &Path, text: &str, force: bool) -> Result<bool, String> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let failed = |error: io::Error| format!("cannot write {}: {}", path.display(), why(&error));
    if !force && path.symlink_metadata().is_ok() {
        return Ok(false);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let name = path.file_name().ok_or_else(|| format!("cannot write {}: no file name", path.display()))?;
    let beside = folder.join(format!(".{}.{}.private.tmp", name.to_string_lossy(), std::process::id()));
    let write = || -> io::Result<bool> {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        if force {
            return std::fs::rename(&beside, path).map(|()| true);
        }
        match std::fs::hard_link(&beside, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            linked => linked.map(|()| true),
        }
    };
    let written = write();
    // What is left beside is of no use; after a rename there is none.
    let _ = std::fs::remove_file(&beside);
    written.map_err(failed)
}

/// Reads all of standard input.
pub fn read_input() -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes);
    read.map(|_| bytes).map_err(|error| format!("cannot read standard input: {}", why(&error)))
}

/// Writes a text beside a file, part by part, and lets it take the file's place.
fn beside<T>(
    path: &Path,
    parts: impl FnOnce(&mut dyn FnMut(&str) -> Result<(), String>) -> Result<(), String>,
    take_place: impl FnOnce(&Path) -> io::Result<T>,
) -> Result<T, String> {
    use std::io::Write;
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let failed = |error: io::Error| format!("cannot write {}: {}", path.display(), why(&error));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let name = path.file_name().ok_or_else(|| format!("cannot write {}: no file name", path.display()))?;
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let beside = folder.join(format!(".{}.{}.{number}.tmp", name.to_string_lossy(), std::process::id()));
    let mut file = std::fs::File::create(&beside).map_err(failed)?;
    let written = parts(&mut |part| file.write_all(part.as_bytes()).map_err(failed));
    drop(file);
    written.and_then(|()| take_place(&beside).map_err(failed)).inspect_err(|_| {
        // What is left beside is of no use; that it could not be removed either changes nothing.
        let _ = std::fs::remove_file(&beside);
    })
}

fn read_error(error: &io::Error) -> ReadError {
    match error.kind() {
        io::ErrorKind::NotFound => ReadError::NotFound,
        io::ErrorKind::PermissionDenied => ReadError::NotPermitted,
        io::ErrorKind::IsADirectory => ReadError::IsFolder,
        io::ErrorKind::NotADirectory => ReadError::NotFolder,
        _ => ReadError::Other(error.to_string()),
    }
}

/// Returns the reason without the number of the operating system's error.
pub(crate) fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem => "the disk is read-only".into(),
        io::ErrorKind::AlreadyExists => "a file stands where its folder should be".into(),
        _ => read_error(error).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_written_whole_and_listed_in_order() {
        let folder = tempfile::tempdir().expect("a folder");
        for path in ["b/two.yaml", "a.yml", "snapshots/x.yaml", ".hidden.yaml", "read.me"] {
            write_atomically(&folder.path().join(path), "x: 1\n").expect(path);
        }
        write_atomically(&folder.path().join("a.yml"), "x: 2\n").expect("replaced");
        let listed = list_yaml(folder.path()).expect("a folder");
        assert_eq!(listed, [folder.path().join("a.yml"), folder.path().join("b/two.yaml")]);
        let disk = Disk::at(folder.path(), BTreeMap::from([("A".to_owned(), "1".to_owned())]));
        assert_eq!(disk.read("a.yml").as_deref(), Ok("x: 2\n".as_bytes()));
        assert_eq!(disk.read("none"), Err(ReadError::NotFound));
        let disk = disk.noting_digest();
        let digest = |disk: &Disk| disk.read("a.yml").map(|_| disk.take_digest());
        let before = digest(&disk);
        assert_eq!(digest(&disk), before);
        write_atomically(&folder.path().join("a.yml"), "x: 3\n").expect("replaced");
        assert_ne!(digest(&disk), before);
        assert_eq!((disk.variable("A").as_deref(), disk.variable("B")), (Some("1"), None));
    }
}
