//! The disk against a simple one: random operations with faults, kills, power cuts and lost volumes, compared after each.
//!
//! The reference keeps every file in full and says of each byte whether the next sync writes it. So equality means that
//! what was synced is back after a power cut, what was not may be gone, and nothing else ever appears: but for zeros
//! where a failed sync lost bytes that a later one wrote beyond, and for what a misdirected write hit. Draws are those
//! that the disk documents: of a stream for each purpose, path and count.

use crate::entropy;
use std::collections::{BTreeMap, BTreeSet};

/// The seed of the disk and of the reference.
pub(super) const SEED: u64 = 11;
/// The disk's host, as streams name it.
const HOST: &str = "h0";
/// All paths that operations name; some are files and some directories, and `/a/d` may be either.
pub(super) const PATHS: [&str; 9] = ["/a", "/b", "/a/d", "/a/1", "/a/2", "/b/1", "/b/2", "/a/d/1", "/c"];

#[derive(Clone, Debug)]
pub(super) enum Op {
    Create(usize),
    CreateNew(usize),
    Append(usize, Vec<u8>),
    Misdirect(usize, Vec<u8>),
    Truncate(usize, u64),
    Sync(usize),
    FailSync(usize),
    LyingSync(usize),
    SyncDir(usize),
    LyingSyncDir(usize),
    MakeDir(usize),
    RemoveDir(usize),
    /// As RocksDB unlinks a file.
    Unlink(usize),
    /// As the host's program removes files and trees.
    Remove(usize),
    /// As RocksDB renames: a file may take another's place.
    Rename(usize, usize),
    /// As the host's program renames: the name must be free.
    Move(usize, usize),
    Link(usize, usize),
    Kill,
    PowerCut,
    TornCut,
    /// A kill, and the loss of a directory.
    Wipe(usize),
    Quota(Option<u64>),
    FlipBit(usize, u64),
}

/// A byte, and whether the next sync writes it.
type Cached = (u8, bool);

#[derive(Default)]
struct File {
    cached: Vec<Cached>,
    durable: Vec<u8>,
}

impl File {
    fn pending(&self) -> usize {
        self.cached.iter().filter(|(_, pending)| *pending).count()
    }

    fn write(&mut self, data: impl IntoIterator<Item = u8>) {
        self.cached.extend(data.into_iter().map(|byte| (byte, true)));
    }

    fn overwrite(&mut self, at: usize, byte: u8) {
        self.cached[at].0 = byte;
        if let Some(durable) = self.durable.get_mut(at) {
            *durable = byte;
        }
    }

    fn sync(&mut self) {
        self.durable.resize(self.cached.len(), 0);
        for ((byte, pending), durable) in self.cached.iter_mut().zip(&mut self.durable) {
            if std::mem::take(pending) {
                *durable = *byte;
            }
        }
    }

    fn tear(&mut self, kept: usize) {
        let start = self.cached.len() - self.pending();
        if self.durable.len() <= start && kept > 0 {
            self.durable.resize(start, 0);
            self.durable.extend(self.cached[start..start + kept].iter().map(|(byte, _)| byte));
        }
    }
}

fn drawn(purpose: &str, path: &str, count: u64, bound: usize) -> usize {
    let mut stream = entropy::stream(SEED, purpose, &format!("{HOST}{path}/{count}"));
    entropy::below(&mut stream, bound as u64) as usize
}

fn above(path: &str) -> &str {
    path.rsplit_once('/').expect("paths are absolute").0
}

/// Every file in full, twice; names in full, twice.
#[derive(Default)]
pub(super) struct Reference {
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    dirs: BTreeSet<String>,
    files: Vec<File>,
    quota: Option<u64>,
    cuts: u64,
    misdirected: BTreeMap<String, u64>,
}

impl Reference {
    /// What a reader sees.
    pub(super) fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let bytes = |file: &File| file.cached.iter().map(|(byte, _)| *byte).collect();
        self.names.iter().map(|(path, file)| (path.clone(), bytes(&self.files[*file]))).collect()
    }

    pub(super) fn is_dir(&self, path: &str) -> bool {
        path.is_empty() || self.dirs.contains(path)
    }

    pub(super) fn free(&self) -> u64 {
        let named: BTreeSet<_> = self.names.values().collect();
        let used: usize = named.into_iter().map(|file| self.files[*file].cached.len()).sum();
        self.quota.map_or(u64::MAX, |quota| quota.saturating_sub(used as u64))
    }

    fn file(&mut self, path: usize) -> Option<&mut File> {
        self.names.get(PATHS[path]).map(|file| &mut self.files[*file])
    }

    fn exists(&self, path: &str) -> bool {
        self.names.contains_key(path) || self.is_dir(path)
    }

    fn create(&mut self, path: &str) -> bool {
        let possible = self.is_dir(above(path)) && !self.is_dir(path);
        if possible {
            self.names.insert(path.to_owned(), self.files.len());
            self.files.push(File::default());
        }
        possible
    }

    fn append(&mut self, path: usize, data: &[u8]) -> bool {
        let fits = self.free().min(data.len() as u64) as usize;
        let Some(file) = self.file(path) else { return false };
        file.write(data[..fits].iter().copied());
        fits == data.len()
    }

    fn misdirect(&mut self, path: usize, data: &[u8]) -> bool {
        let fits = self.free().min(data.len() as u64) as usize;
        if self.file(path).is_none() {
            return false;
        }
        let count = self.misdirected.entry(PATHS[path].to_owned()).or_default();
        *count += 1;
        let count = *count;
        let file = self.file(path).expect("looked up before");
        let end = file.cached.len();
        let hit = fits.min(end);
        let at = drawn("misdirected-write", PATHS[path], count, end - hit + 1);
        (0..hit).for_each(|i| file.overwrite(at + i, data[i]));
        file.write(vec![0; fits]);
        fits == data.len()
    }

    fn truncate(&mut self, path: usize, len: usize) -> bool {
        let free = self.free();
        let Some(file) = self.file(path) else { return false };
        let growth = len.saturating_sub(file.cached.len());
        if growth as u64 > free {
            return false;
        }
        file.cached.truncate(len);
        file.write(vec![0; growth]);
        true
    }

    fn sync_dir(&mut self, dir: &str) -> bool {
        let inside = |path: &String| above(path) == dir;
        self.durable_names.retain(|path, _| !inside(path));
        self.durable_names.extend(self.names.clone().into_iter().filter(|(path, _)| inside(path)));
        self.is_dir(dir)
    }

    fn make_dir(&mut self, path: &str) -> bool {
        let possible = !self.exists(path) && self.is_dir(above(path));
        if possible {
            self.durable_names.remove(path);
            self.dirs.insert(path.to_owned());
        }
        possible
    }

    fn below(path: &str, dir: &str) -> bool {
        path.starts_with(&format!("{dir}/"))
    }

    fn remove_tree(&mut self, dir: &str) -> bool {
        let there = self.is_dir(dir);
        if there {
            self.names.retain(|path, _| !Self::below(path, dir));
            self.durable_names.retain(|path, _| !Self::below(path, dir));
            self.dirs.retain(|path| path != dir && !Self::below(path, dir));
        }
        there
    }

    fn rename(&mut self, from: &str, to: &str) -> bool {
        if !self.is_dir(above(to)) || !self.exists(from) || self.is_dir(to) {
            return false;
        }
        if let Some(file) = self.names.get(from).copied() {
            self.names.remove(from);
            self.names.insert(to.to_owned(), file);
            return true;
        }
        let possible = !self.exists(to) && !Self::below(to, from);
        if possible {
            self.durable_names.remove(to);
            let moved = |path: &String| match path == from || Self::below(path, from) {
                true => path.replacen(from, to, 1),
                false => path.clone(),
            };
            self.names = self.names.iter().map(|(path, file)| (moved(path), *file)).collect();
            self.durable_names = self.durable_names.iter().map(|(path, file)| (moved(path), *file)).collect();
            self.dirs = self.dirs.iter().map(moved).collect();
        }
        possible
    }

    fn power_cut(&mut self) {
        self.cuts += 1;
        self.names.clone_from(&self.durable_names);
        for File { cached, durable } in &mut self.files {
            *cached = durable.iter().map(|byte| (*byte, false)).collect();
        }
    }

    fn tear(&mut self) {
        let mut torn = BTreeSet::new();
        for (path, file) in &self.durable_names {
            let pending = self.files[*file].pending();
            if pending > 0 && torn.insert(*file) {
                let kept = drawn("torn-write", path, self.cuts + 1, pending + 1);
                self.files[*file].tear(kept);
            }
        }
    }

    /// Returns false if the operation must fail.
    pub(super) fn apply(&mut self, op: &Op) -> bool {
        match op {
            Op::Create(path) => match self.file(*path) {
                Some(file) => file.cached.clear(),
                None => return self.create(PATHS[*path]),
            },
            Op::CreateNew(path) => return self.file(*path).is_none() && self.create(PATHS[*path]),
            Op::Append(path, data) => return self.append(*path, data),
            Op::Misdirect(path, data) => return self.misdirect(*path, data),
            Op::Truncate(path, len) => return self.truncate(*path, *len as usize),
            Op::Sync(path) => return self.file(*path).map(File::sync).is_some(),
            Op::FailSync(path) => match self.file(*path) {
                Some(file) => file.cached.iter_mut().for_each(|(_, pending)| *pending = false),
                None => return false,
            },
            Op::LyingSync(path) => return self.file(*path).is_some(),
            Op::SyncDir(dir) => return self.is_dir(PATHS[*dir]) && self.sync_dir(PATHS[*dir]),
            Op::LyingSyncDir(dir) => return self.is_dir(PATHS[*dir]),
            Op::MakeDir(dir) => return self.make_dir(PATHS[*dir]),
            Op::RemoveDir(dir) => {
                let inside = |path: &String| Self::below(path, PATHS[*dir]);
                let empty = !self.names.keys().any(inside) && !self.dirs.iter().any(inside);
                return empty && self.remove_tree(PATHS[*dir]);
            }
            Op::Unlink(path) => return self.names.remove(PATHS[*path]).is_some(),
            Op::Remove(path) => return self.names.remove(PATHS[*path]).is_some() || self.remove_tree(PATHS[*path]),
            Op::Rename(from, to) => return self.rename(PATHS[*from], PATHS[*to]),
            Op::Move(from, to) => return !self.exists(PATHS[*to]) && self.rename(PATHS[*from], PATHS[*to]),
            Op::Link(from, to) => match self.names.get(PATHS[*from]).copied() {
                Some(file) if !self.exists(PATHS[*to]) && self.is_dir(above(PATHS[*to])) => {
                    self.names.insert(PATHS[*to].to_owned(), file);
                }
                _ => return false,
            },
            Op::Kill => {}
            Op::PowerCut => self.power_cut(),
            Op::TornCut => {
                self.tear();
                self.power_cut();
            }
            Op::Wipe(dir) => return self.remove_tree(PATHS[*dir]),
            Op::Quota(quota) => self.quota = *quota,
            Op::FlipBit(path, offset) => match self.file(*path) {
                Some(File { cached, durable }) if (*offset as usize) < cached.len() => {
                    cached[*offset as usize].0 ^= 8;
                    if let Some(byte) = durable.get_mut(*offset as usize) {
                        *byte ^= 8;
                    }
                }
                _ => return false,
            },
        }
        true
    }
}
