//! A copy of an archive in another directory, on a disk that outlives the first.

use super::{Archive, BackupError, BackupInfo, CHUNK_BYTES, Folder, folder::Place};
use std::path::Path;

/// Copies the archive `name` of `from` to `to`, reads the copy to its end, and only then gives it a name. It says with
/// `progress` how many bytes are copied, of how many.
///
/// # Errors
/// [`BackupError`]; then nothing is left of the copy.
pub fn copy(
    from: &Folder,
    name: &str,
    to: &Folder,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<BackupInfo, BackupError> {
    let source = from.dir().join(name);
    let archive = Archive::open(from.files(), &source)?;
    let manifest = archive.manifest();
    let place = to.begin(&manifest.chain_id, manifest.head.height, manifest.created);
    let Place { name, partial, mut out } = place.map_err(BackupError::file(to.dir()))?;
    let mut write = || {
        let mut done = 0;
        while done < archive.bytes() {
            let data = from.files().read(&source, done, CHUNK_BYTES).map_err(BackupError::file(&source))?;
            if data.is_empty() {
                break;
            }
            out.append(&data).map_err(BackupError::file(&partial))?;
            done += data.len() as u64;
            progress(done, archive.bytes());
        }
        out.sync().map_err(BackupError::file(&partial))?;
        verified(to, &partial)?;
        to.publish(&name, &partial).map_err(BackupError::file(&partial))
    };
    match write() {
        Ok(()) => Ok(manifest.info(&name, archive.bytes())),
        Err(error) => {
            // The error that is told is the first one.
            let _second = to.files().remove(&partial);
            Err(error)
        }
    }
}

fn verified(to: &Folder, copy: &Path) -> Result<(), BackupError> {
    Ok(Archive::open(to.files(), copy)?.verify(&mut |_| {})?)
}
