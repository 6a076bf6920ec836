//! What each cell came to when it played last, by broker: verdict and time, kept in `.rmqplay/last-run.json` of the working directory.
//! Reads it, and adds to it under a lock and in one go, so that runs at once lose and break nothing. Never decides what is played.

use crate::io::files::{make_atomically, read_file, write_parts_atomically};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// The folder of what can be made again: it ignores itself in git.
pub const CACHE_FOLDER: &str = ".rmqplay";

const FILE: &str = "last-run.json";

const LOCK: &str = "lock";

/// The form of the file.
const FORMAT: u64 = 1;

/// How long another run may hold the lock: it only writes one file.
const LOCKED_MAX: Duration = Duration::from_secs(5);

/// How much of the file is written at once, in bytes.
const WRITTEN_AT_ONCE: usize = 64 << 10;

/// Between two tries to take the lock.
const TRIED_EVERY: Duration = Duration::from_millis(10);

/// How a cell ended on a broker, and how long it took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastPlay {
    /// As reports write it: `passed`, `failed`.
    pub verdict: Cow<'static, str>,
    /// By the wall clock, in microseconds; absent where only a shard of the cells was played since it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub micros: Option<u64>,
}

/// A cell on a broker: its file as [`file_key`] writes it, its name, and the broker as `--broker` takes it.
pub type PlayKey = (String, String, String);

/// What is known of the last run of each cell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastRun {
    /// In the order of file, name of the cell, and broker; thousands take little room so.
    plays: Vec<KnownPlay>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct KnownPlay {
    file: Arc<str>,
    cell: Box<str>,
    broker: Arc<str>,
    play: LastPlay,
}

impl KnownPlay {
    fn key(&self) -> (&str, &str, &str) {
        (&self.file, &self.cell, &self.broker)
    }
}

/// Why the file says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unknown {
    /// Another version of the program wrote it: it stays as it is.
    OtherFormat(u64),
    /// It cannot be read, or is no such file: it may be written anew.
    Broken(String),
}

impl std::fmt::Display for Unknown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let file = Path::new(CACHE_FOLDER).join(FILE);
        match self {
            Self::OtherFormat(format) => {
                write!(
                    f,
                    "{} has the form {format} of another version of rmqplay; this one reads {FORMAT}",
                    file.display()
                )
            }
            Self::Broken(why) => write!(f, "{} is not readable: {why}", file.display()),
        }
    }
}

impl LastRun {
    /// Reads what is kept below a folder (empty: the working directory); nothing is known before the first run.
    ///
    /// # Errors
    /// The file is there and says nothing that can be used.
    pub fn read(root: &Path) -> Result<Self, Unknown> {
        let path = root.join(CACHE_FOLDER).join(FILE);
        if path.symlink_metadata().is_err() {
            return Ok(Self::default());
        }
        let text = read_file(&path).map_err(Unknown::Broken)?;
        let broken = |error: serde_json::Error| Unknown::Broken(error.to_string());
        // What this version wrote is read once.
        if text.starts_with(&head())
            && let Ok(body) = serde_json::from_str::<FileBody>(&text)
        {
            return Ok(body.cells.0);
        }
        match serde_json::from_str::<FileHead>(&text).map_err(broken)?.format {
            Some(FORMAT) => Ok(serde_json::from_str::<FileBody>(&text).map_err(broken)?.cells.0),
            Some(other) => Err(Unknown::OtherFormat(other)),
            None => Err(Unknown::Broken("it has no `format`".to_owned())),
        }
    }

    /// Returns whether no run was kept.
    pub fn is_empty(&self) -> bool {
        self.plays.is_empty()
    }

    /// Returns what a cell came to on a broker.
    pub fn of(&self, file: &str, cell: &str, broker: &str) -> Option<&LastPlay> {
        let found = self.plays.binary_search_by(|known| known.key().cmp(&(file, cell, broker)));
        found.ok().map(|at| &self.plays[at].play)
    }

    /// Lists all that is known, in order: file, cell, broker, and what it came to.
    pub fn plays(&self) -> impl Iterator<Item = (&str, &str, &str, &LastPlay)> {
        self.plays.iter().map(|known| (&*known.file, &*known.cell, &*known.broker, &known.play))
    }

    /// Takes over what a run came to. A time that is not told stays what it was.
    fn take(&mut self, plays: impl IntoIterator<Item = (PlayKey, LastPlay)>) {
        let mut shared = SharedTexts::default();
        let plays = plays.into_iter().map(|((file, cell, broker), play)| {
            let (file, broker) = (shared.file(file), shared.broker(broker));
            KnownPlay { file, cell: cell.into(), broker, play }
        });
        self.plays.extend(plays);
        // Of equal ones the later stands behind.
        self.plays.sort_by(|one, other| one.key().cmp(&other.key()));
        self.plays.dedup_by(|later, known| {
            let is_same = later.key() == known.key();
            if is_same {
                let micros = later.play.micros.or(known.play.micros);
                known.play = LastPlay { verdict: std::mem::take(&mut later.play.verdict), micros };
            }
            is_same
        });
    }

    /// Forgets cells that are no more.
    fn forget(&mut self, gone: &[(String, String)]) {
        let is_gone =
            |known: &KnownPlay| gone.iter().any(|(file, cell)| **file == *known.file && **cell == *known.cell);
        self.plays.retain(|known| !is_gone(known));
    }

    /// Writes it out, file by file.
    fn write(&self, write: &mut dyn FnMut(&str) -> Result<(), String>) -> Result<(), String> {
        let mut text = (head() + "\"cells\":{").into_bytes();
        let mut write = |text: &mut Vec<u8>| {
            let written = std::str::from_utf8(text).map_err(|error| error.to_string()).and_then(&mut *write);
            text.clear();
            written
        };
        for (at, of_file) in self.plays.chunk_by(|one, other| one.file == other.file).enumerate() {
            put_key(&mut text, at, &of_file[0].file)?;
            text.push(b'{');
            for (at, of_cell) in of_file.chunk_by(|one, other| one.cell == other.cell).enumerate() {
                put_key(&mut text, at, &of_cell[0].cell)?;
                text.push(b'{');
                for (at, known) in of_cell.iter().enumerate() {
                    put_key(&mut text, at, &known.broker)?;
                    serde_json::to_writer(&mut text, &known.play).map_err(|error| error.to_string())?;
                }
                text.push(b'}');
            }
            text.push(b'}');
            if text.len() > WRITTEN_AT_ONCE {
                write(&mut text)?;
            }
        }
        text.extend_from_slice(b"}}\n");
        write(&mut text)
    }
}

/// Returns how the file begins when this version writes it.
fn head() -> String {
    format!("{{\"format\":{FORMAT},")
}

/// Adds the key of a map whose entries are counted from 0.
fn put_key(text: &mut Vec<u8>, at: usize, key: &str) -> Result<(), String> {
    if at > 0 {
        text.push(b',');
    }
    serde_json::to_writer(&mut *text, key).map_err(|error| error.to_string())?;
    text.push(b':');
    Ok(())
}

/// The beginning of the file, whatever follows.
#[derive(Deserialize)]
struct FileHead {
    format: Option<u64>,
}

/// What follows it.
#[derive(Deserialize)]
struct FileBody {
    cells: KnownPlays,
}

/// All plays, by file, cell and broker in the file.
struct KnownPlays(LastRun);

/// What one file's cells came to.
type CellsOfFile = BTreeMap<String, BTreeMap<String, LastPlay>>;

impl<'de> Deserialize<'de> for KnownPlays {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Files;
        impl<'de> Visitor<'de> for Files {
            type Value = KnownPlays;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("cells by file")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<KnownPlays, A::Error> {
                let mut run = LastRun::default();
                let mut shared = SharedTexts::default();
                while let Some((file, cells)) = map.next_entry::<String, CellsOfFile>()? {
                    let file = shared.file(file);
                    for (cell, brokers) in cells {
                        let known = |(broker, play): (String, LastPlay)| KnownPlay {
                            file: file.clone(),
                            cell: cell.as_str().into(),
                            broker: shared.broker(broker),
                            play,
                        };
                        run.plays.extend(brokers.into_iter().map(known));
                    }
                }
                run.take([]);
                Ok(KnownPlays(run))
            }
        }
        deserializer.deserialize_map(Files)
    }
}

/// Texts that stand in many plays, each kept once: brokers, and the file of the play before.
#[derive(Default)]
struct SharedTexts {
    file: Option<Arc<str>>,
    brokers: Vec<Arc<str>>,
}

impl SharedTexts {
    fn file(&mut self, file: String) -> Arc<str> {
        let known = self.file.take().filter(|known| **known == *file);
        self.file.insert(known.unwrap_or_else(|| file.into())).clone()
    }

    fn broker(&mut self, broker: String) -> Arc<str> {
        if let Some(known) = self.brokers.iter().find(|known| ***known == *broker) {
            return known.clone();
        }
        self.brokers.push(broker.into());
        self.brokers[self.brokers.len() - 1].clone()
    }
}

/// Adds what a run came to below a folder (empty: the working directory), and forgets cells that are no more, beside what other runs
/// write at the same time.
///
/// # Errors
/// In words: it cannot be written, another version wrote the file, or another run held it for too long.
pub fn keep_last_run(
    root: &Path,
    plays: impl IntoIterator<Item = (PlayKey, LastPlay)>,
    gone: &[(String, String)],
) -> Result<(), String> {
    let folder = root.join(CACHE_FOLDER);
    make_atomically(&folder.join(".gitignore"), "# What rmqplay makes anew: it may be deleted.\n*\n")?;
    let _lock = locked(&folder)?;
    let mut known = match LastRun::read(root) {
        Ok(known) => known,
        Err(Unknown::Broken(_)) => LastRun::default(),
        Err(other) => return Err(format!("{other}; it stays as it is")),
    };
    known.take(plays);
    known.forget(gone);
    write_parts_atomically(&folder.join(FILE), |write| known.write(write))
}

/// Takes the lock of the folder; it ends with the file that is returned.
fn locked(folder: &Path) -> Result<std::fs::File, String> {
    let path = folder.join(LOCK);
    let failed = |error: std::io::Error| format!("cannot write {}: {}", path.display(), crate::io::files::why(&error));
    let file = std::fs::OpenOptions::new().create(true).append(true).open(&path).map_err(failed)?;
    let end = Instant::now() + LOCKED_MAX;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::WouldBlock) if Instant::now() < end => std::thread::sleep(TRIED_EVERY),
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(format!("another run has held {} for {} s", path.display(), LOCKED_MAX.as_secs()));
            }
            // A file system without locks: the file is written in one go all the same.
            Err(std::fs::TryLockError::Error(_)) => return Ok(file),
        }
    }
}

/// Writes a path as the file knows it, however it was named: from the working directory where it lies below, `/` between its parts.
pub fn file_key(path: &Path) -> String {
    // The program never leaves it.
    static HERE: OnceLock<PathBuf> = OnceLock::new();
    let here = HERE.get_or_init(|| std::env::current_dir().unwrap_or_default());
    if let Some(plain) = plain_key(here, path) {
        return plain.to_owned();
    }
    let mut parts = PathBuf::new();
    for part in here.join(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let below = parts.strip_prefix(here).unwrap_or(&parts);
    below.to_string_lossy().replace('\\', "/")
}

/// Returns the key of a path that is written as the file knows it, below the working directory.
fn plain_key<'p>(here: &Path, path: &'p Path) -> Option<&'p str> {
    let text = path.to_str()?;
    let below = match text.strip_prefix('/') {
        Some(_) => text.strip_prefix(here.to_str()?)?.strip_prefix('/')?,
        None => text,
    };
    let is_name = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', ':']);
    below.split('/').all(is_name).then_some(below)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::write_atomically;

    fn play(cell: &str, verdict: &str, micros: Option<u64>) -> (PlayKey, LastPlay) {
        let key = ("scenarios/a.yaml".to_owned(), cell.to_owned(), "sim:4.3".to_owned());
        (key, LastPlay { verdict: verdict.to_owned().into(), micros })
    }

    #[test]
    fn runs_at_once_lose_nothing_of_each_other() {
        let folder = tempfile::tempdir().expect("a folder");
        std::thread::scope(|scope| {
            for run in 0..8 {
                let root = folder.path();
                scope.spawn(move || {
                    for n in 0..10 {
                        let plays = vec![play(&format!("{run}-{n}"), "passed", Some(n))];
                        keep_last_run(root, plays, &[]).expect("kept");
                    }
                });
            }
        });
        let known = LastRun::read(folder.path()).expect("readable");
        assert_eq!(known.plays().count(), 80);
        let ignore = read_file(&folder.path().join(".rmqplay/.gitignore")).expect("it ignores itself");
        assert!(ignore.ends_with("\n*\n"), "{ignore}");
    }

    #[test]
    fn a_time_that_is_not_told_stays_and_what_is_gone_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        keep_last_run(root, vec![play("a", "passed", Some(7)), play("b", "failed", Some(8))], &[]).expect("kept");
        let gone = [("scenarios/a.yaml".to_owned(), "b".to_owned())];
        keep_last_run(root, vec![play("a", "failed", None)], &gone).expect("kept");
        let known = LastRun::read(root).expect("readable");
        let all: Vec<_> = known.plays().map(|(_, cell, _, play)| (cell, &*play.verdict, play.micros)).collect();
        assert_eq!(all, [("a", "failed", Some(7))]);
    }

    #[test]
    fn what_another_version_wrote_stays_and_what_is_broken_is_written_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let (root, file) = (folder.path(), folder.path().join(".rmqplay/last-run.json"));
        assert_eq!(LastRun::read(root), Ok(LastRun::default()));
        write_atomically(&file, "{\"format\":9,\"runs\":[]}").expect("written");
        assert_eq!(LastRun::read(root), Err(Unknown::OtherFormat(9)));
        let refused = keep_last_run(root, vec![play("a", "passed", None)], &[]).expect_err("not ours");
        assert!(refused.contains("form 9") && refused.contains("stays"), "{refused}");
        assert_eq!(read_file(&file).as_deref(), Ok("{\"format\":9,\"runs\":[]}"));
        write_atomically(&file, "{\"format\":1,\"cells\":{\"a").expect("cut short");
        assert!(matches!(LastRun::read(root), Err(Unknown::Broken(_))));
        keep_last_run(root, vec![play("a", "passed", None)], &[]).expect("anew");
        assert_eq!(LastRun::read(root).expect("readable").plays().count(), 1);
    }

    #[test]
    fn a_path_has_one_key_however_it_is_named() {
        let here = std::env::current_dir().expect("a folder");
        let absolute = here.join("scenarios/a.yaml");
        for path in ["scenarios/a.yaml", "./scenarios/a.yaml", "scenarios/../scenarios/./a.yaml"] {
            assert_eq!(file_key(Path::new(path)), "scenarios/a.yaml");
        }
        assert_eq!(file_key(&absolute), "scenarios/a.yaml");
        assert_eq!(file_key(Path::new("/elsewhere/a.yaml")), "/elsewhere/a.yaml");
    }
}
