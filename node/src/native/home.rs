//! The directory that a node lives in.
//!
//! ```text
//! config.toml     settings
//! genesis.json    the chain
//! node.key        names it among peers        mode 0600
//! proposer.key    owns its blocks' rewards    mode 0600
//! admin.key       signs its administrator's tokens    mode 0600
//! db/             the database (storage.path)
//! backups/        copies of it (backup.path)
//! ```
//!
//! Nothing here is ever overwritten. What is wrong with a home is found before the database is opened.

use super::{
    config_file::TEMPLATE,
    database::{self, DatabaseError},
    keys::{self, KeyError},
};
use crate::{
    Setup,
    config::Config,
    crypto::Keypair,
    types::{Genesis, GenesisError},
};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Bytes of a genesis document, at most: room for 100 000 accounts.
const GENESIS_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A home that cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// There is a node already.
    #[error("{path} exists, and nothing is overwritten; choose another home")]
    Exists {
        /// What exists.
        path: PathBuf,
    },
    /// The file system refuses.
    #[error("cannot write {path}: {cause}; make it writable for this user, or choose another home")]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// The file system refuses.
    #[error("cannot read {path}: {cause}; make a home with 'assay-node init --home DIR'")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// A genesis document that is none.
    #[error("{path} is no genesis document: {cause}; get the document from whoever runs the chain")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        cause: String,
    },
    /// A genesis document that no chain can start from.
    #[error("{path}: {cause}; correct it, or get the document from whoever runs the chain")]
    Genesis {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: GenesisError,
    },
    /// Log lines would go into a file that has another purpose.
    #[error("log.file = {path} is a file of the node itself; choose another one")]
    LogFile {
        /// The file.
        path: PathBuf,
    },
    /// Archives would go where RocksDB removes what it does not know.
    #[error("backup.path = {path} is in the database's directory; choose another one")]
    Backups {
        /// The directory.
        path: PathBuf,
    },
    /// The database's directory cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A key cannot be read or written.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Where a node lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// The home at `path`, relative to the working directory. Nothing is read or made.
    ///
    /// # Errors
    /// When the working directory is needed and gone.
    pub fn new(path: &Path) -> Result<Self, HomeError> {
        let absolute = std::path::absolute(path);
        absolute.map(Self).map_err(|cause| HomeError::Read { path: path.to_owned(), cause })
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The file of settings.
    pub fn config(&self) -> PathBuf {
        self.0.join("config.toml")
    }

    /// The chain's document.
    pub fn genesis(&self) -> PathBuf {
        self.0.join("genesis.json")
    }

    /// The key that names the node among peers.
    pub fn node_key(&self) -> PathBuf {
        self.0.join("node.key")
    }

    /// The key that owns the rewards of its blocks.
    pub fn proposer_key(&self) -> PathBuf {
        self.0.join("proposer.key")
    }

    /// The key that signs its administrator's tokens.
    pub fn admin_key(&self) -> PathBuf {
        self.0.join("admin.key")
    }

    /// Makes the administrator's key, which a home of an older release has not.
    ///
    /// # Errors
    /// When it exists or cannot be written.
    pub fn make_admin_key(&self) -> Result<[u8; 32], HomeError> {
        let key = keys::generate()?;
        keys::write_new(&self.admin_key(), &key)?;
        Ok(key)
    }

    /// The directory of backups under `config`, absolute.
    ///
    /// # Errors
    /// [`HomeError::Backups`] when that is in the database's.
    pub fn backups(&self, config: &Config) -> Result<PathBuf, HomeError> {
        let path = self.0.join(&config.backup.path);
        let is_inside = real(&path).starts_with(real(&self.database(config)));
        if is_inside { Err(HomeError::Backups { path }) } else { Ok(path) }
    }

    /// The database's directory under `config`, absolute.
    pub fn database(&self, config: &Config) -> PathBuf {
        self.0.join(&config.storage.path)
    }

    /// The file of log lines under `config`, absolute; empty when they go to standard error.
    ///
    /// # Errors
    /// [`HomeError::LogFile`] when that is one of the node's own files.
    pub fn log_file(&self, config: &Config) -> Result<PathBuf, HomeError> {
        if config.log.file.as_os_str().is_empty() {
            return Ok(PathBuf::new());
        }
        let path = self.0.join(&config.log.file);
        let place = real(&path);
        let own = [self.config(), self.genesis(), self.node_key(), self.proposer_key(), self.admin_key()];
        let is_own = own.iter().any(|file| real(file) == place) || place.starts_with(real(&self.database(config)));
        if is_own { Err(HomeError::LogFile { path }) } else { Ok(path) }
    }

    /// Makes a home for a new node of `genesis`, which has been validated. `proposer` is the secret of the key that owns
    /// the rewards of its blocks; the node's own key and its administrator's are made here.
    ///
    /// # Errors
    /// [`HomeError::Exists`] when one of its files exists; then nothing is written.
    pub fn create(&self, genesis: &Genesis, proposer: [u8; 32]) -> Result<(), HomeError> {
        self.is_free()?;
        let (node, admin) = (keys::generate()?, keys::generate()?);
        let document = serde_json::to_string_pretty(genesis).expect("a genesis document has a JSON form");
        fs::create_dir_all(&self.0).map_err(|cause| HomeError::Write { path: self.0.clone(), cause })?;
        keys::write_new(&self.node_key(), &node)?;
        keys::write_new(&self.proposer_key(), &proposer)?;
        keys::write_new(&self.admin_key(), &admin)?;
        write_new(&self.genesis(), &(document + "\n"))?;
        write_new(&self.config(), TEMPLATE)?;
        // The names of the files are durable when the directory is.
        let sync = File::open(&self.0).and_then(|directory| directory.sync_all());
        sync.map_err(|cause| HomeError::Write { path: self.0.clone(), cause })
    }

    /// Whether a node can be made here.
    ///
    /// # Errors
    /// [`HomeError::Exists`] with the first file that is in the way.
    pub fn is_free(&self) -> Result<(), HomeError> {
        let files = [self.config(), self.genesis(), self.node_key(), self.proposer_key(), self.admin_key()];
        let taken =
            files.into_iter().chain([self.database(&Config::default())]).find(|path| path.symlink_metadata().is_ok());
        taken.map_or(Ok(()), |path| Err(HomeError::Exists { path }))
    }

    /// The database's directory under `config`, absolute, and the chain that it is of.
    ///
    /// # Errors
    /// [`HomeError`] when that is someone else's directory, or the document is missing or wrong.
    pub fn chain(&self, config: &Config) -> Result<(PathBuf, Genesis), HomeError> {
        let path = self.database(config);
        database::is_ours(&path)?;
        Ok((path, read_genesis(&self.genesis())?))
    }

    /// Everything that a node of this home needs, under settings that have been validated. Writes nothing.
    ///
    /// # Errors
    /// [`HomeError`] for the first file that is missing or wrong.
    pub fn setup(&self, mut config: Config) -> Result<Setup, HomeError> {
        config.log.file = self.log_file(&config)?;
        config.backup.path = self.backups(&config)?;
        let (path, genesis) = self.chain(&config)?;
        config.storage.path = path;
        let identity = keys::identity(keys::read(&self.node_key())?);
        let proposer = Keypair::from_secret(keys::read(&self.proposer_key())?);
        let admin_key = match self.admin_key().symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Ok(_) | Err(_) => Some(keys::read(&self.admin_key())?),
        };
        Ok(Setup { config, genesis, identity, proposer: Some(proposer), admin_key })
    }
}

/// Reads and validates a chain's document.
///
/// # Errors
/// [`HomeError`] when it is missing or wrong.
pub fn read_genesis(path: &Path) -> Result<Genesis, HomeError> {
    let failed = |cause| HomeError::Read { path: path.to_owned(), cause };
    let malformed = |cause: String| HomeError::Malformed { path: path.to_owned(), cause };
    if fs::metadata(path).map_err(failed)?.len() > GENESIS_BYTES_MAX {
        return Err(malformed(format!("it is longer than {GENESIS_BYTES_MAX} bytes")));
    }
    let text = fs::read(path).map_err(failed)?;
    let genesis: Genesis = serde_json::from_slice(&text).map_err(|error| malformed(error.to_string()))?;
    genesis.validate().map_err(|cause| HomeError::Genesis { path: path.to_owned(), cause })?;
    Ok(genesis)
}

/// The place that a path leads to, as far as that exists.
fn real(path: &Path) -> PathBuf {
    let in_parent = || Some(real(path.parent()?).join(path.file_name()?));
    path.canonicalize().ok().or_else(in_parent).unwrap_or_else(|| path.to_owned())
}

fn write_new(path: &Path, text: &str) -> Result<(), HomeError> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    write().map_err(|cause: io::Error| match cause.kind() {
        io::ErrorKind::AlreadyExists => HomeError::Exists { path: path.to_owned() },
        _ => HomeError::Write { path: path.to_owned(), cause },
    })
}
