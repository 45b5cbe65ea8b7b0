//! Sealed rows.
