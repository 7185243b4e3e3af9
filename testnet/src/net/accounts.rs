//! Funded accounts: `accounts.json`, which holds their secrets and which its owner alone can read.

use super::{error::NetError, files};
use assay_node::{
    crypto::{Address, Keypair, PublicKey},
    native::keys,
    types::{Amount, ChainId, TOKEN},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, fs, path::Path};

/// The form of the file.
const ACCOUNTS_VERSION: u32 = 1;

/// Its name in the net's folder.
pub(crate) const ACCOUNTS_FILE: &str = "accounts.json";

/// Bytes of the file, at most: far above that of [`ACCOUNTS_MAX`] accounts.
const ACCOUNTS_BYTES_MAX: u64 = 4 << 20;

/// Funded accounts, at most, beside the faucet's.
pub const ACCOUNTS_MAX: usize = 1000;

/// What each account has at genesis.
const BALANCE: Amount = Amount(1_000_000 * TOKEN.0);

/// What the faucet has at genesis.
const FAUCET_BALANCE: Amount = Amount(1_000_000_000 * TOKEN.0);

/// The funded accounts of a net.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accounts {
    /// The form of the file.
    version: u32,
    /// The chain they are of.
    pub chain_id: ChainId,
    /// The account that `faucet` pays from.
    pub faucet: Account,
    /// The others, `a0` first.
    pub accounts: Vec<Account>,
}

/// A funded account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Its name: `a0`.
    pub name: String,
    /// Its address.
    pub address: Address,
    /// The key that its transactions verify with.
    pub public_key: PublicKey,
    /// The secret that they are signed with.
    pub secret: Secret,
    /// What it has at genesis, in the smallest unit.
    pub balance: Amount,
}

/// A secret as 64 hexadecimal digits. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Secret([u8; 32]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The one place where it is text, for people who asked for it.
impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl TryFrom<String> for Secret {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let mut secret = [0; 32];
        // What was there instead is not told: it may be most of a secret.
        hex::decode_to_slice(&text, &mut secret).map_err(|_| "a secret is not 64 hexadecimal digits".to_owned())?;
        Ok(Self(secret))
    }
}

impl From<Secret> for String {
    fn from(secret: Secret) -> Self {
        secret.to_string()
    }
}

impl Account {
    fn new(name: String, secret: [u8; 32], balance: Amount) -> Self {
        let key = Keypair::from_secret(secret);
        Self { name, address: key.address(), public_key: key.public(), secret: Secret(secret), balance }
    }

    /// What its transactions are signed with.
    pub fn keypair(&self) -> Keypair {
        Keypair::from_secret(self.secret.0)
    }
}

impl Accounts {
    /// `count` new accounts and a faucet, at most [`ACCOUNTS_MAX`].
    ///
    /// # Errors
    /// [`NetError::Usage`] when that is too many, [`NetError::Key`] when the system has no entropy.
    pub(crate) fn generate(chain_id: ChainId, count: usize) -> Result<Self, NetError> {
        if count > ACCOUNTS_MAX {
            return Err(NetError::Usage(format!("{count} accounts are too many; ask for at most {ACCOUNTS_MAX}")));
        }
        let account = |n| Ok(Account::new(format!("a{n}"), keys::generate()?, BALANCE));
        let accounts = (0..count).map(account).collect::<Result<_, NetError>>()?;
        let faucet = Account::new("faucet".into(), keys::generate()?, FAUCET_BALANCE);
        Ok(Self { version: ACCOUNTS_VERSION, chain_id, faucet, accounts })
    }

    /// All of them with what they have at genesis.
    pub(crate) fn balances(&self) -> BTreeMap<Address, Amount> {
        self.accounts.iter().chain([&self.faucet]).map(|account| (account.address, account.balance)).collect()
    }

    /// Writes them into `folder`, for their owner alone.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), NetError> {
        files::write_json(&folder.join(ACCOUNTS_FILE), self, 0o600)
    }

    /// Reads those of the net in `folder`.
    ///
    /// # Errors
    /// [`NetError::State`].
    pub(crate) fn read(folder: &Path) -> Result<Self, NetError> {
        let path = folder.join(ACCOUNTS_FILE);
        let failed = |cause: String| NetError::State { path: path.clone(), cause };
        let len = fs::metadata(&path).map_err(|error| failed(error.to_string()))?.len();
        if len > ACCOUNTS_BYTES_MAX {
            return Err(failed(format!("it is longer than {ACCOUNTS_BYTES_MAX} bytes")));
        }
        let bytes = fs::read(&path).map_err(|error| failed(error.to_string()))?;
        serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn they_survive_their_file_which_nobody_else_reads_and_debug_keeps_the_secret() {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let accounts = Accounts::generate("dev".parse().expect("it is a name"), 2).expect("there is entropy");
        accounts.write(folder.path()).expect("the folder is ours");
        assert_eq!(Accounts::read(folder.path()).expect("it was written a line above"), accounts);
        let mode = fs::metadata(folder.path().join(ACCOUNTS_FILE)).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let secret = accounts.faucet.secret.to_string();
        assert_eq!(secret.len(), 64);
        assert!(!format!("{accounts:?}").contains(&secret));
        assert_eq!(accounts.accounts[1].keypair().address(), accounts.accounts[1].address);
    }
}
