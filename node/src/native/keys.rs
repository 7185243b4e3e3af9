//! Secret keys in files: 64 hexadecimal digits and a line feed, mode 0600.

use crate::crypto::Keypair;
use libp2p::identity;
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Bytes of a key file, at most; what is longer is no key.
const KEY_FILE_BYTES_MAX: u64 = 256;

/// A key file that cannot be used or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file system refuses.
    #[error("cannot read the key {path}: {cause}; restore it from a copy or make a home with 'assay-node init'")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// The file system refuses, or the file exists.
    #[error("cannot write the key {path}: {cause}; a key is never overwritten, so choose another place")]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// Everyone on the machine can read the secret.
    #[error("the key {path} has mode {mode:04o}, so others can read it; run 'chmod 600 {path}'")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds something else.
    #[error("the key {path} is not 64 hexadecimal digits; restore it from a copy")]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The system has no entropy.
    #[error("the system gave no entropy: {0}; try again later")]
    Entropy(#[from] getrandom::Error),
}

/// Reads a secret.
///
/// # Errors
/// [`KeyError`]; also when the file can be read by everyone.
pub fn read(path: &Path) -> Result<[u8; 32], KeyError> {
    let failed = |cause| KeyError::Read { path: path.to_owned(), cause };
    let metadata = fs::metadata(path).map_err(failed)?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o007 != 0 {
        return Err(KeyError::Exposed { path: path.to_owned(), mode });
    }
    let malformed = || KeyError::Malformed { path: path.to_owned() };
    if metadata.len() > KEY_FILE_BYTES_MAX {
        return Err(malformed());
    }
    let text = fs::read(path).map_err(failed)?;
    let mut secret = [0; 32];
    hex::decode_to_slice(text.trim_ascii(), &mut secret).map_err(|_| malformed())?;
    Ok(secret)
}

/// Writes a secret to a new file that its owner alone can read, down to the disk.
///
/// # Errors
/// [`KeyError::Write`] when the file exists or cannot be written.
pub fn write_new(path: &Path, secret: &[u8; 32]) -> Result<(), KeyError> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        writeln!(file, "{}", hex::encode(secret))?;
        file.sync_all()
    };
    write().map_err(|cause| KeyError::Write { path: path.to_owned(), cause })
}

/// A new secret from the operating system's entropy.
///
/// # Errors
/// [`KeyError::Entropy`].
pub fn generate() -> Result<[u8; 32], KeyError> {
    Ok(Keypair::generate()?.secret())
}

/// The key that names a node among its peers.
pub fn identity(mut secret: [u8; 32]) -> identity::Keypair {
    identity::Keypair::ed25519_from_bytes(&mut secret).expect("every 32 bytes are an ed25519 secret")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_file_and_is_never_overwritten() {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let path = folder.path().join("key");
        write_new(&path, &[7; 32]).expect("the file is new");
        assert_eq!(read(&path).expect("it was written a line above"), [7; 32]);
        assert_eq!(fs::metadata(&path).expect("it exists").permissions().mode() & 0o777, 0o600);
        assert!(matches!(write_new(&path, &[8; 32]), Err(KeyError::Write { .. })));
        assert_eq!(read(&path).expect("it is as it was"), [7; 32]);
    }

    #[test]
    fn a_key_that_everyone_can_read_or_that_is_none_is_refused() {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let path = folder.path().join("key");
        write_new(&path, &[7; 32]).expect("the file is new");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("it is ours");
        assert!(matches!(read(&path), Err(KeyError::Exposed { mode: 0o644, .. })));
        fs::write(&path, "no key\n").expect("it is ours");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
        assert!(matches!(read(&path), Err(KeyError::Malformed { .. })));
    }
}
