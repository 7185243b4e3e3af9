//! Reading the layers of settings: the home's file, the process's variables, the command line's flags.

use super::settings::{self, Effective, Override, SettingsError};
use std::{fs, io, path::Path, path::PathBuf};

/// Bytes of a file of settings, at most.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What `init` writes: every setting as a comment with its default, so that a later release's better default takes effect
/// wherever nobody chose otherwise.
pub const TEMPLATE: &str = include_str!("config.template.toml");

/// Settings that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFileError {
    /// The file system refuses.
    #[error("cannot read {path}: {cause}; make a home with 'assay-node init --home DIR'")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// A file that nobody wrote by hand.
    #[error("{path} is longer than {FILE_BYTES_MAX} bytes; it is no file of settings")]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// A layer cannot be meant.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

/// The settings that result from `file`, this process's `ASSAY_*` variables and `flags`. Without a file its layer is empty.
///
/// # Errors
/// [`ConfigFileError`] for the first thing that cannot be read or meant.
pub fn load(file: Option<&Path>, flags: Vec<Override>) -> Result<Effective, ConfigFileError> {
    let (name, text) = match file {
        Some(path) => (path.display().to_string(), read(path)?),
        None => ("defaults".into(), String::new()),
    };
    let mut overrides = settings::from_variables(variables())?;
    overrides.extend(flags);
    Ok(settings::merge(&name, &text, &overrides)?)
}

/// This process's variables. One that is not Unicode keeps its name and so is told as a wrong value if it is a setting.
fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
}

fn read(path: &Path) -> Result<String, ConfigFileError> {
    let failed = |cause| ConfigFileError::Read { path: path.to_owned(), cause };
    if fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(ConfigFileError::TooLong { path: path.to_owned() });
    }
    fs::read_to_string(path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The template with its settings switched on: they are the lines that begin with `#` and no space.
    fn switched_on() -> String {
        let line = |line: &str| match line.strip_prefix('#') {
            Some(setting) if !setting.starts_with(' ') && !setting.is_empty() => format!("{setting}\n"),
            _ => format!("{line}\n"),
        };
        TEMPLATE.lines().map(line).collect()
    }

    #[test]
    fn the_template_is_the_defaults() {
        let merge = |text: &str| settings::merge("config.toml", text, &[]).expect("the template is right");
        assert_eq!(merge(TEMPLATE), merge(""));
        assert_eq!(merge(&switched_on()), merge(""));
    }

    #[test]
    fn the_template_has_every_setting() {
        let sections: toml::Table = toml::from_str(&switched_on()).expect("the template is right");
        let keys: Vec<_> = sections
            .iter()
            .flat_map(|(section, keys)| {
                keys.as_table().into_iter().flatten().map(move |(key, _)| format!("{section}.{key}"))
            })
            .collect();
        assert_eq!(keys, settings::defaults().into_keys().collect::<Vec<_>>());
    }
}
