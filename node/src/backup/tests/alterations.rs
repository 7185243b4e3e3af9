//! Whatever is done to an archive is noticed, and the file that it was done to is named.

use super::{NOW, disks::Memory, manifest};
use crate::{
    backup::{Archive, ArchiveError, CHUNK_BYTES, chunk, writer::Writer},
    seams::Files,
};
use proptest::prelude::*;
use std::{
    ops::Range,
    path::Path,
    sync::{Arc, OnceLock},
};

const PATH: &str = "/x.backup";
/// Alterations that are tried.
const ALTERATIONS: u32 = 500;

/// An archive, and where its files' contents and their chunks are in it.
struct Whole {
    bytes: Vec<u8>,
    files: Vec<(String, Range<usize>)>,
    chunks: Vec<Range<usize>>,
}

/// Bytes that do not compress.
fn noise(len: usize) -> Vec<u8> {
    (0..len as u32 / 4).flat_map(|n| crc32fast::hash(&n.to_le_bytes()).to_le_bytes()).collect()
}

/// An archive with every kind of file: none, small, of several chunks, compressible and not.
fn whole() -> &'static Whole {
    static WHOLE: OnceLock<Whole> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let contents = [
            ("000004.log", Vec::new()),
            ("000008.sst", noise(2 * CHUNK_BYTES + 4000)),
            ("000009.sst", b"what repeats, ".repeat(200_000)),
            ("CURRENT", b"MANIFEST-000005\n".to_vec()),
            ("MANIFEST-000005", noise(300)),
        ];
        let files = Memory::default();
        let mut writer = Writer::new(files.create(PATH.as_ref()).expect("it is new")).expect("memory takes all");
        for (name, data) in &contents {
            writer.begin(name);
            data.chunks(CHUNK_BYTES).for_each(|chunk| writer.chunk(chunk).expect("memory takes all"));
            writer.end();
        }
        let (manifest, len) = writer.finish(manifest("test", 7, NOW)).expect("memory takes all");
        let bytes = files.with(|files| files[Path::new(PATH)].clone());
        assert_eq!(bytes.len() as u64, len);
        let (mut files, mut chunks, mut at) = (Vec::new(), Vec::new(), 8);
        for file in &manifest.files {
            let start = at;
            while at < start + file.stored_bytes as usize {
                let header = *bytes[at..].first_chunk().expect("a chunk has a header");
                let end = at + chunk::HEADER_BYTES + chunk::stored_len(header);
                chunks.push(at..end);
                at = end;
            }
            files.push((file.name.clone(), start..at));
        }
        Whole { bytes, files, chunks }
    })
}

/// Reads all of an archive.
fn read(bytes: Vec<u8>) -> Result<(), ArchiveError> {
    let memory = Memory::default();
    memory.with(|files| files.insert(PATH.into(), bytes));
    let files: Arc<dyn Files> = Arc::new(memory);
    Archive::open(&files, PATH.as_ref())?.verify(&mut |_| {})
}

/// The file whose contents hold the whole of `range`.
fn owner(range: &Range<usize>) -> Option<&'static str> {
    let holds = |file: &&(String, Range<usize>)| file.1.start <= range.start && range.end <= file.1.end;
    whole().files.iter().find(holds).map(|(name, _)| name.as_str())
}

#[derive(Clone, Debug)]
enum Alteration {
    Flip { bit: usize },
    Overwrite { at: usize, with: Vec<u8> },
    Truncate { to: usize },
    Extend { with: Vec<u8> },
    Remove { range: Range<usize> },
    Insert { at: usize, with: Vec<u8> },
    Swap { first: usize, second: usize },
}

fn alteration() -> impl Strategy<Value = Alteration> {
    let (len, chunks) = (whole().bytes.len(), whole().chunks.len());
    let some = || prop::collection::vec(any::<u8>(), 1..64);
    // The frame and the manifest are a thousandth of all: they get their share as well.
    let place = prop_oneof![3 => 0..len, 1 => len - 1200..len, 1 => 0..16_usize];
    prop_oneof![
        4 => place.clone().prop_flat_map(|at| (0..8_usize).prop_map(move |bit| Alteration::Flip { bit: 8 * at + bit })),
        2 => (place.clone(), some()).prop_map(|(at, with)| Alteration::Overwrite { at, with }),
        2 => place.clone().prop_map(|to| Alteration::Truncate { to }),
        1 => some().prop_map(|with| Alteration::Extend { with }),
        1 => (place.clone(), 1..5000_usize).prop_map(move |(at, n)| Alteration::Remove { range: at..len.min(at + n) }),
        1 => (place, some()).prop_map(|(at, with)| Alteration::Insert { at, with }),
        1 => (0..chunks, 0..chunks).prop_map(|(first, second)| Alteration::Swap { first, second }),
    ]
}

/// The altered archive, and the one file that an error has to name.
fn altered(alteration: Alteration) -> (Vec<u8>, Option<&'static str>) {
    let Whole { bytes, chunks, .. } = whole();
    let mut bytes = bytes.clone();
    let within = match alteration {
        Alteration::Flip { bit } => {
            bytes[bit / 8] ^= 1 << (bit % 8);
            bit / 8..bit / 8 + 1
        }
        Alteration::Overwrite { at, with } => {
            let end = bytes.len().min(at + with.len());
            bytes[at..end].copy_from_slice(&with[..end - at]);
            at..end
        }
        Alteration::Truncate { to } => {
            bytes.truncate(to);
            0..usize::MAX
        }
        Alteration::Extend { with } => {
            bytes.extend(with);
            0..usize::MAX
        }
        Alteration::Remove { range } => {
            bytes.drain(range);
            0..usize::MAX
        }
        Alteration::Insert { at, with } => {
            bytes.splice(at..at, with);
            0..usize::MAX
        }
        Alteration::Swap { first, second } => {
            let (first, second) = (first.min(second), first.max(second));
            let (a, b) = (chunks[first].clone(), chunks[second].clone());
            let swapped = [&bytes[b.clone()], &bytes[a.end..b.start.max(a.end)], &bytes[a.clone()]].concat();
            if first != second {
                bytes.splice(a.start..b.end, swapped);
            }
            a.start..b.end
        }
    };
    (bytes, owner(&within))
}

#[test]
fn the_archive_itself_is_whole() {
    read(whole().bytes.clone()).expect("nothing was altered");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(ALTERATIONS) })]
    #[test]
    fn every_alteration_is_refused(alteration in alteration()) {
        let (bytes, file) = altered(alteration);
        if bytes == whole().bytes {
            // Overwritten with what was there, or swapped with itself.
            return Ok(());
        }
        match (read(bytes), file) {
            (Err(ArchiveError::File { file: named, .. }), Some(file)) => prop_assert_eq!(named, file),
            (Err(_), None) => {}
            (got, file) => prop_assert!(false, "{:?} instead of damage in {:?}", got, file),
        }
    }
}

#[test]
fn each_kind_of_damage_is_told_in_a_line() {
    let Whole { bytes, files, .. } = whole();
    let told = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = bytes.clone();
        change(&mut bytes);
        read(bytes).expect_err("it was altered").to_string()
    };
    let len = bytes.len();
    insta::assert_snapshot!(told(&|b| b.truncate(50)), @"/x.backup is damaged: it is too short for an archive; use another backup");
    insta::assert_snapshot!(told(&|b| b.truncate(len - 1)), @"/x.backup is damaged: it does not end as an archive does, so it was cut short, added to or altered; use another backup");
    insta::assert_snapshot!(told(&|b| b[0] ^= 1), @"/x.backup is damaged: it does not begin as an archive does; use another backup");
    insta::assert_snapshot!(told(&|b| b[len - 80] ^= 1), @"/x.backup is damaged: its manifest does not have the digest that the archive's end gives it; use another backup");
    insta::assert_snapshot!(told(&|b| b[len - 74] ^= 1), @"/x.backup is damaged: its end says that the manifest is longer than it can be; use another backup");
    insta::assert_snapshot!(told(&|b| b[len - 30] ^= 1), @"/x.backup is damaged: it does not have the digest that its end gives it; use another backup");
    insta::assert_snapshot!(told(&|b| b[len - 200] ^= 1), @"/x.backup is damaged: its manifest does not have the digest that the archive's end gives it; use another backup");
    insta::assert_snapshot!(told(&|b| b[files[1].1.start] ^= 1), @"/x.backup is damaged in its file 000008.sst: a chunk of it is longer than it can be; use another backup");
    insta::assert_snapshot!(told(&|b| b[files[2].1.end - 1] ^= 1), @"/x.backup is damaged in its file 000009.sst: a chunk of it has the wrong checksum; use another backup");
    insta::assert_snapshot!(told(&|b| b[files[1].1.start + 3] ^= 1), @"/x.backup is damaged in its file 000008.sst: a chunk of it is longer than it can be; use another backup");
}
