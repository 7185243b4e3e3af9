//! A file of log lines that is rotated by size, and opened anew when someone else moved it.
//!
//! ```text
//! node.log ──next line would exceed rotate_bytes──> node.log.1 ──> node.log.2 ──> ... ──> node.log.KEEP ──> gone
//! ```
//!
//! Disk use is at most `rotate_bytes` times `keep + 1`, but for lines that are longer than that alone. A line is never
//! split over two files. A file that fails (full disk, removed directory) is told once and tried again every
//! [`RETRY_AFTER`]; the caller has the lines meanwhile. Nothing here logs: the callers are inside of a log line.
//!
//! Own code because the crates for it cannot reopen a file, and panic when a directory or an old file is gone.

use std::{
    ffi::OsString,
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Write},
    os::unix::fs::{FileExt, FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How long a file that failed is left alone: a disk that is full stays so for a while, and each try is a system call
/// or two on the path of a log line.
pub const RETRY_AFTER: Duration = Duration::from_secs(10);

/// The file that lines are added to, and how it is rotated.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    rotate_bytes: u64,
    keep: u32,
    /// `None` before the first line and after a failure.
    open: Option<File>,
    failure: Option<Failing>,
}

/// What became of a line.
#[derive(Debug)]
pub enum Outcome {
    /// It is in the file.
    Written,
    /// It is in the file, the first one after this many that are not.
    Recovered {
        /// Lines since the failure.
        lines_missed: u64,
    },
    /// It is not in the file, the first one since that worked.
    Failed(io::Error),
    /// It is not in the file either.
    Missed,
}

#[derive(Clone, Copy, Debug)]
struct Failing {
    /// `None` when it is to be tried at once.
    tried: Option<Instant>,
    lines_missed: u64,
}

impl LogFile {
    /// The file at `path`, which is made by the first line; its directory has to be there. It is rotated before it
    /// exceeds `rotate_bytes`, and `keep` old ones stay. Nothing is opened yet.
    pub fn new(path: PathBuf, rotate_bytes: u64, keep: u32) -> Self {
        Self { path, rotate_bytes, keep, open: None, failure: None }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds `line`, which ends with a line feed. `now` is monotonic.
    pub fn add(&mut self, line: &[u8], now: Instant) -> Outcome {
        if let Some(failing) = &mut self.failure
            && failing.tried.is_some_and(|tried| now.saturating_duration_since(tried) < RETRY_AFTER)
        {
            failing.lines_missed += 1;
            return Outcome::Missed;
        }
        let written = self.ready(line.len()).and_then(|file| file.write_all(line));
        match (written, self.failure.take()) {
            (Ok(()), None) => Outcome::Written,
            (Ok(()), Some(failing)) => Outcome::Recovered { lines_missed: failing.lines_missed },
            (Err(cause), before) => {
                self.open = None;
                let lines_missed = before.map_or(0, |failing| failing.lines_missed) + 1;
                self.failure = Some(Failing { tried: Some(now), lines_missed });
                before.map_or(Outcome::Failed(cause), |_| Outcome::Missed)
            }
        }
    }

    /// Opens what is at the path now. After a failure the next line is tried at once.
    ///
    /// # Errors
    /// Why it cannot be opened; then the next line is tried all the same.
    pub fn reopen(&mut self) -> io::Result<()> {
        self.open = None;
        if let Some(failing) = &mut self.failure {
            failing.tried = None;
        }
        self.open = Some(open(&self.path)?);
        Ok(())
    }

    /// The file with room for `bytes` more.
    fn ready(&mut self, bytes: usize) -> io::Result<&mut File> {
        let mut file = self.open.take().map_or_else(|| open(&self.path), Ok)?;
        let mut metadata = file.metadata()?;
        let is_full = |metadata: &Metadata| {
            // A terminal or /dev/null is not ours to rename.
            metadata.is_file() && must_rotate(metadata.len(), bytes as u64, self.rotate_bytes)
        };
        // Removed, its lines would be lost; moved away, it is not the file at the path that is full.
        if metadata.nlink() == 0 || (is_full(&metadata) && !self.is_at_path(&metadata)) {
            file = open(&self.path)?;
            metadata = file.metadata()?;
        }
        if is_full(&metadata) {
            rotate(&self.path, self.keep)?;
            file = open(&self.path)?;
        }
        Ok(self.open.insert(file))
    }

    fn is_at_path(&self, file: &Metadata) -> bool {
        fs::metadata(&self.path).is_ok_and(|there| (there.dev(), there.ino()) == (file.dev(), file.ino()))
    }
}

/// Whether a file of `held` bytes goes before a line of `more` is added. An empty one takes a line of any length.
fn must_rotate(held: u64, more: u64, limit: u64) -> bool {
    held > 0 && held.saturating_add(more) > limit
}

/// The renames of one rotation in their order, from the oldest file that stays to the newest.
fn renames(path: &Path, keep: u32) -> impl Iterator<Item = (PathBuf, PathBuf)> {
    (1..=keep).rev().map(|n| (numbered(path, n - 1), numbered(path, n)))
}

/// The name of the `n`th old file; that of number 0 is `path` itself.
fn numbered(path: &Path, n: u32) -> PathBuf {
    let mut name = OsString::from(path);
    if n > 0 {
        name.push(format!(".{n}"));
    }
    name.into()
}

fn rotate(path: &Path, keep: u32) -> io::Result<()> {
    for (from, to) in renames(path, keep) {
        match fs::rename(from, to) {
            // There are fewer old files than may be.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            renamed => renamed?,
        }
    }
    Ok(())
}

/// Opens the file for adding to it. The half of a line that a full disk or a power cut left at its end is ended first.
fn open(path: &Path) -> io::Result<File> {
    if fs::metadata(path).is_ok_and(|there| there.file_type().is_fifo()) {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "a pipe may block the node"));
    }
    let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() && metadata.len() > 0 {
        let mut last = [0];
        file.read_exact_at(&mut last, metadata.len() - 1)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

#[cfg(test)]
#[path = "log_file_tests.rs"]
mod tests;
