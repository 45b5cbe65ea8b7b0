//! Tiles: how C2SP tlog-tiles addresses runs of up to 256 nodes or entries, and how it bundles entries.
//! The server parses request paths with it and writes entry bundles.

use std::fmt;
use std::num::NonZeroU8;
use std::ops::Range;

use crate::{Error, SIZE_MAX};

/// Nodes or entries in a full tile.
pub const TILE_WIDTH: u64 = 256;

/// No path of a tile that can exist is longer.
const PATH_BYTES_MAX: usize = 64;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TileKind {
    /// Hashes of subtrees of 256^level leaves each; level 0 are the leaf hashes. At most 7, for no tree is higher.
    Hashes(u8),
    /// The leaf records themselves.
    Entries,
}

/// The address of a tile, below `tile/`: `0/x001/234`, `1/000.p/17`, `entries/x001/234.p/5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TilePath {
    kind: TileKind,
    index: u64,
    width: Option<NonZeroU8>,
}

impl TilePath {
    /// The tile of this kind with this index, full, or cut to its first `width` nodes. [`Error::Invalid`] when no tree has it.
    pub fn new(kind: TileKind, index: u64, width: Option<NonZeroU8>) -> Result<Self, Error> {
        let path = Self { kind, index, width };
        let last = index
            .checked_mul(TILE_WIDTH)
            .and_then(|first| first.checked_add(path.len()));
        let leaves = last.and_then(|last| last.checked_mul(1_u64.checked_shl(8 * u32::from(path.level()))?));
        match leaves {
            Some(leaves) if leaves <= SIZE_MAX => Ok(path),
            _ => Err(Error::Invalid("tile lies beyond any tree")),
        }
    }

    /// The tile that `path` addresses, in the one spelling that [`TilePath`] is displayed in.
    pub fn parse(path: &str) -> Result<Self, Error> {
        const INVALID: Error = Error::Invalid("tile path is not of the form LEVEL/INDEX[.p/WIDTH]");
        if path.len() > PATH_BYTES_MAX {
            return Err(INVALID);
        }
        let (kind, rest) = path.split_once('/').ok_or(INVALID)?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes(level.parse().map_err(|_| INVALID)?),
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, Some(width.parse().map_err(|_| INVALID)?)),
            None => (rest, None),
        };
        let index = parse_index(index).ok_or(INVALID)?;
        let tile = Self::new(kind, index, width)?;
        // One spelling for each tile: signs, further zeros and missing or additional `x` groups do not survive printing.
        if tile.to_string() == path {
            Ok(tile)
        } else {
            Err(INVALID)
        }
    }

    /// What the tile holds.
    pub fn kind(&self) -> TileKind {
        self.kind
    }

    /// The tile's position at its level.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Whether the tile is cut to fewer than 256 nodes.
    pub fn is_partial(&self) -> bool {
        self.width.is_some()
    }

    /// The tile's nodes, by their indexes at its level; at level 0 and for entries these are the indexes of leaves.
    pub fn nodes(&self) -> Range<u64> {
        let first = self.index * TILE_WIDTH;
        first..first + self.len()
    }

    /// The leaves under the tile's nodes.
    pub fn leaves(&self) -> Range<u64> {
        let (nodes, shift) = (self.nodes(), 8 * self.level());
        nodes.start << shift..nodes.end << shift
    }

    fn level(&self) -> u8 {
        match self.kind {
            TileKind::Hashes(level) => level,
            TileKind::Entries => 0,
        }
    }

    fn len(&self) -> u64 {
        self.width.map_or(TILE_WIDTH, |width| u64::from(width.get()))
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes(level) => write!(f, "{level}/")?,
            TileKind::Entries => f.write_str("entries/")?,
        }
        let mut scale = 1;
        while self.index / scale >= 1000 {
            scale *= 1000;
        }
        while scale > 1 {
            write!(f, "x{:03}/", self.index / scale % 1000)?;
            scale /= 1000;
        }
        write!(f, "{:03}", self.index % 1000)?;
        self.width.map_or(Ok(()), |width| write!(f, ".p/{width}"))
    }
}

/// The number in groups of three digits; `None` on overflow or other characters.
fn parse_index(text: &str) -> Option<u64> {
    text.split('/').try_fold(0_u64, |index, group| {
        let group: u64 = group.strip_prefix('x').unwrap_or(group).parse().ok()?;
        index.checked_mul(1000)?.checked_add(group)
    })
}

/// Appends an entry to a bundle: its length as a big-endian u16, then its bytes. [`Error::Invalid`] beyond 65,535 bytes.
pub fn write_entry(entry: &[u8], bundle: &mut Vec<u8>) -> Result<(), Error> {
    let length = u16::try_from(entry.len()).map_err(|_| Error::Invalid("entry is longer than 65,535 bytes"))?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of a bundle, 1 to 256. [`Error::Invalid`] when the bundle is empty, cut short or has more.
pub fn read_entries(bundle: &[u8]) -> Result<Vec<&[u8]>, Error> {
    const INVALID: Error = Error::Invalid("entry bundle is not a sequence of 1 to 256 length-prefixed entries");
    let (mut rest, mut entries) = (bundle, Vec::new());
    while let Some((length, tail)) = rest.split_first_chunk() {
        let (entry, tail) = tail
            .split_at_checked(u16::from_be_bytes(*length).into())
            .ok_or(INVALID)?;
        entries.push(entry);
        rest = tail;
    }
    if rest.is_empty() && (1..=TILE_WIDTH as usize).contains(&entries.len()) {
        Ok(entries)
    } else {
        Err(INVALID)
    }
}
