//! Texts and lists of somebody else, with a limit that is looked at before anything is reserved for them. Borsh itself
//! reserves up to a mebibyte for a text, whose length is what four bytes claim.

use borsh::BorshDeserialize;
use std::io::{Error, ErrorKind, Read, Result};

fn length<R: Read>(reader: &mut R, max: usize, of: &str) -> Result<usize> {
    let length = u32::deserialize_reader(reader)? as usize;
    match length <= max {
        true => Ok(length),
        false => Err(Error::new(ErrorKind::InvalidData, format!("{length} {of}, and {max} are allowed"))),
    }
}

/// A text of `bytes_max` bytes, at most.
///
/// # Errors
/// When it is longer, ends too early or is no UTF-8.
pub(crate) fn text<R: Read>(reader: &mut R, bytes_max: usize) -> Result<String> {
    let length = length(reader, bytes_max, "bytes of text")?;
    let bytes: Vec<u8> = (0..length).map(|_| u8::deserialize_reader(reader)).collect::<Result<_>>()?;
    String::from_utf8(bytes).map_err(|error| Error::new(ErrorKind::InvalidData, error))
}

/// A list of `texts_max` texts, at most, of `bytes_max` bytes each.
///
/// # Errors
/// As [`text`], and when there are more.
pub(crate) fn texts<R: Read>(reader: &mut R, texts_max: usize, bytes_max: usize) -> Result<Vec<String>> {
    let length = length(reader, texts_max, "texts")?;
    (0..length).map(|_| text(reader, bytes_max)).collect()
}
