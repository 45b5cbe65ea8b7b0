//! Bytes of the bundle's small pieces: fields in, fields out, bits packed.

/// Reads little-endian fields off the front of a slice; every method answers `None` past its end.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*array)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }
}

/// How many bytes `count` values of `width` bits take.
pub(super) fn packed_bytes(count: usize, width: u8) -> usize {
    (count * usize::from(width)).div_ceil(8)
}

/// Appends values of `width` bits each, the lowest bit first.
pub(super) fn pack(values: impl Iterator<Item = u64>, width: u8, out: &mut Vec<u8>) {
    let (mut pending, mut bits) = (0_u128, 0);
    for value in values {
        pending |= u128::from(value) << bits;
        bits += u32::from(width);
        while bits >= 8 {
            out.push(pending as u8);
            pending >>= 8;
            bits -= 8;
        }
    }
    if bits > 0 {
        out.push(pending as u8);
    }
}

/// The value at `position` of packed values; they must be that many.
pub(super) fn unpack(packed: &[u8], position: usize, width: u8) -> u64 {
    let bit = position * usize::from(width);
    let end = (bit + usize::from(width)).div_ceil(8);
    let mut window = [0; 16];
    window[..end - bit / 8].copy_from_slice(&packed[bit / 8..end]);
    (u128::from_le_bytes(window) >> (bit % 8)) as u64 & mask(width)
}

fn mask(width: u8) -> u64 {
    u64::MAX.checked_shr(64 - u32::from(width)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_every_width_are_unpacked_as_they_were_packed() {
        for width in 0..=64 {
            let values: Vec<u64> = (0..100_u64)
                .map(|value| value.wrapping_mul(0x9E37_79B9_7F4A_7C15) & mask(width))
                .collect();
            let mut packed = Vec::new();
            pack(values.iter().copied(), width, &mut packed);
            assert_eq!(packed.len(), packed_bytes(values.len(), width), "width {width}");
            let unpacked: Vec<u64> = (0..values.len())
                .map(|position| unpack(&packed, position, width))
                .collect();
            assert_eq!(unpacked, values, "width {width}");
        }
    }
}
