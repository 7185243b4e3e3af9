//! Reading the logs of a net, and following them.

use super::{
    Net,
    error::NetError,
    log_entries::{Entries, Entry, merge},
};
use assay_node::native::seams::now;
use serde::Serialize;
use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    time::Duration,
};

/// Older parts of a log that are looked for: `config.log.keep` is at most this.
const PARTS_MAX: u32 = 100;

/// A line of a node's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// The node's number.
    #[serde(skip)]
    pub number: usize,
    /// The node's name.
    pub node: String,
    /// The line.
    pub line: String,
}

/// Where reading the logs has come to.
#[derive(Debug)]
pub struct Follow {
    tails: Vec<Tail>,
}

#[derive(Debug)]
struct Tail {
    number: usize,
    node: String,
    path: PathBuf,
    /// Bytes of the file that were read.
    offset: u64,
}

impl Net {
    /// Gives every line of the logs of `nodes`, merged by time, to `each`: those of the last `since`, or all that are left.
    /// Older parts of a log are read as well.
    ///
    /// # Errors
    /// When a log is there and cannot be read.
    pub fn logs(
        &self,
        nodes: &[usize],
        since: Option<Duration>,
        each: &mut dyn FnMut(&LogLine),
    ) -> Result<Follow, NetError> {
        let mut follow = Follow { tails: Vec::new() };
        let mut readers = Vec::new();
        for n in nodes {
            let node = &self.state.nodes[*n];
            let (reader, offset) = open(&node.log).map_err(failed(&node.log))?;
            readers.push(Entries::new(*n, reader));
            follow.tails.push(Tail { number: *n, node: node.name.clone(), path: node.log.clone(), offset });
        }
        let ago = |since: Duration| u64::try_from(since.as_micros()).unwrap_or(u64::MAX);
        let from = since.map_or(0, |since| (now().0 * 1000).saturating_sub(ago(since)));
        follow.give(readers, from, each)?;
        Ok(follow)
    }
}

impl Follow {
    /// Gives the lines that have come since the last time, merged by time.
    ///
    /// # Errors
    /// When a log cannot be read.
    pub fn more(&mut self, each: &mut dyn FnMut(&LogLine)) -> Result<(), NetError> {
        let mut readers = Vec::new();
        for tail in &mut self.tails {
            let reader = tail.more().map_err(failed(&tail.path))?;
            readers.push(Entries::new(tail.number, reader));
        }
        self.give(readers, 0, each)
    }

    fn give(
        &self,
        readers: Vec<Entries<impl BufRead>>,
        from: u64,
        each: &mut dyn FnMut(&LogLine),
    ) -> Result<(), NetError> {
        for entry in merge(readers) {
            let Entry { at, node: number, lines } = entry.map_err(NetError::system("cannot read a log"))?;
            if at < from {
                continue;
            }
            let name = self.tails.iter().find(|tail| tail.number == number).map(|tail| tail.node.as_str());
            for line in lines {
                each(&LogLine { number, node: name.unwrap_or_default().to_owned(), line });
            }
        }
        Ok(())
    }
}

impl Tail {
    /// What was written since the last time. A file that has become shorter is a new one: of the old one, which is its first
    /// older part now, the rest is read before.
    fn more(&mut self) -> io::Result<Box<dyn BufRead>> {
        let Some((file, len)) = open_file(&self.path)? else { return Ok(Box::new(io::empty())) };
        let mut chained: Box<dyn BufRead> = Box::new(io::empty());
        if len < self.offset {
            if let Some((old, old_len)) = open_file(&part(&self.path, 1))? {
                chained = Box::new(rest(old, self.offset, old_len)?);
            }
            self.offset = 0;
        }
        let from = self.offset;
        self.offset = len;
        Ok(Box::new(chained.chain(rest(file, from, len)?)))
    }
}

/// A log from its oldest part on, and the length of its newest one.
fn open(path: &Path) -> io::Result<(Box<dyn BufRead>, u64)> {
    let mut chained: Box<dyn BufRead> = Box::new(io::empty());
    let mut oldest = 0;
    while oldest < PARTS_MAX && part(path, oldest + 1).exists() {
        oldest += 1;
    }
    for n in (1..=oldest).rev() {
        if let Some((file, len)) = open_file(&part(path, n))? {
            chained = Box::new(chained.chain(rest(file, 0, len)?));
        }
    }
    let Some((file, len)) = open_file(path)? else { return Ok((chained, 0)) };
    Ok((Box::new(chained.chain(rest(file, 0, len)?)), len))
}

/// An older part of a log; 1 is the newest of them.
pub(crate) fn part(path: &Path, n: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{n}"));
    name.into()
}

/// A file and its length; none when it is not there.
fn open_file(path: &Path) -> io::Result<Option<(File, u64)>> {
    match File::open(path) {
        Ok(file) => {
            let len = file.metadata()?.len();
            Ok(Some((file, len)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn rest(mut file: File, from: u64, len: u64) -> io::Result<impl BufRead> {
    file.seek(SeekFrom::Start(from))?;
    Ok(BufReader::new(file.take(len.saturating_sub(from))))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> NetError {
    NetError::system(format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{Root, state::tests::state};
    use std::{fs, io::Write};

    #[test]
    fn logs_are_read_from_their_oldest_part_and_followed_over_a_rotation() {
        let dir = tempfile::tempdir().expect("there is a temporary folder");
        let mut state = state(2);
        for node in &mut state.nodes {
            node.log = dir.path().join(format!("{}.log", node.name));
        }
        let (a, b) = (state.nodes[0].log.clone(), state.nodes[1].log.clone());
        let root = Root::new(dir.path()).expect("it is absolute");
        let net = Net::new(&root, dir.path().to_owned(), state, None);
        let line = |second: u32, text: &str| format!("2026-11-29T10:00:{second:02}Z {text}\n");
        fs::write(part(&a, 1), line(1, "one")).expect("the folder is ours");
        fs::write(&a, line(3, "three") + "more\n").expect("the folder is ours");
        fs::write(&b, line(2, "two")).expect("the folder is ours");
        let mut seen = Vec::new();
        let mut each =
            |line: &LogLine| seen.push(format!("{} {}", line.node, line.line.rsplit(' ').next().unwrap_or_default()));
        let mut follow = net.logs(&[0, 1], None, &mut each).expect("they are there");
        follow.more(&mut each).expect("nothing has changed");
        let append = |path: &Path, text: &str| {
            let mut file = File::options().append(true).create(true).open(path).expect("the folder is ours");
            file.write_all(text.as_bytes()).expect("there is room");
        };
        append(&b, &line(5, "five"));
        append(&a, &line(4, "four"));
        fs::rename(&a, part(&a, 1)).expect("the folder is ours");
        append(&a, &line(6, "six"));
        follow.more(&mut each).expect("they are there");
        assert_eq!(seen, ["n0 one", "n1 two", "n0 three", "n0 more", "n0 four", "n1 five", "n0 six"]);
        let mut recent = 0;
        net.logs(&[0, 1], Some(Duration::from_secs(60)), &mut |_| recent += 1).expect("they are there");
        let is_past = now().0 > 1_796_000_000_000;
        assert!(recent == 0 || !is_past, "all of them are old");
    }
}
