//! Files of a net, written whole or not at all.

use super::error::NetError;
use serde::Serialize;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
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
