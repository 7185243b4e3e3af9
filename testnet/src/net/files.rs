//! Files of a net, written whole or not at all.

use super::error::NetError;
use serde::Serialize;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Writes `value` as JSON to `path` with permission bits `mode`. Who reads `path` sees the old file or the new one.
///
/// # Errors
/// When the system refuses; then the old file is as it was.
pub(crate) fn write_json(path: &Path, value: &impl Serialize, mode: u32) -> Result<(), NetError> {
    let mut text = serde_json::to_string_pretty(value).expect("what a net is made of has a JSON form");
    text.push('\n');
    write(path, text.as_bytes(), mode).map_err(NetError::system(format!("cannot write {}", path.display())))
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let new = folder.join(format!(".{name}.new"));
    // What is there is left over from a command that was killed.
    let _removed = fs::remove_file(&new);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    File::open(folder)?.sync_all()
}

/// The last bytes of a file, so many at most, and none that are before `from`. A file that is shorter than that is a new one.
pub(crate) fn end_of(path: &Path, bytes_max: u64, from: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    let from = if from <= len { from } else { 0 };
    file.seek(SeekFrom::Start(len.saturating_sub(bytes_max).max(from)))?;
    let mut bytes = Vec::new();
    file.take(bytes_max).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_file_from_somewhere_on() {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let path = folder.path().join("log");
        fs::write(&path, "0123456789").expect("the folder is ours");
        let end = |max, from| String::from_utf8(end_of(&path, max, from).expect("it is there")).expect("it is text");
        assert_eq!([end(3, 0), end(3, 8), end(100, 4), end(3, 10), end(3, 11)], ["789", "89", "456789", "", "789"]);
    }
}
