//! Secrets that the server makes for itself and keeps in the data directory.
//!
//! Invariants
//! - Only the owner can read them; they are synced before they are used.
//! - An existing file is never overwritten.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::{Context, ensure};

/// The 32 bytes in a file of 64 hexadecimal digits; `None` when there is no such file.
pub(crate) fn read(path: &Path) -> anyhow::Result<Option<[u8; 32]>> {
    match fs::read_to_string(path) {
        Ok(text) => decode(text.trim())
            .with_context(|| format!("{} is damaged", path.display()))
            .map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

/// Keeps 32 bytes in a new file.
pub(crate) fn write(path: &Path, bytes: &[u8; 32]) -> anyhow::Result<()> {
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        writeln!(file, "{text}")?;
        file.sync_all()?;
        // The name must last as well.
        path.parent()
            .map_or(Ok(()), |directory| File::open(directory)?.sync_all())
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}

/// The 32 bytes of 64 hexadecimal digits.
pub(crate) fn decode(text: &str) -> anyhow::Result<[u8; 32]> {
    ensure!(
        text.len() == 64 && text.is_ascii(),
        "it does not hold 64 hexadecimal digits"
    );
    let mut bytes = [0; 32];
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits)?, 16)?;
    }
    Ok(bytes)
}
