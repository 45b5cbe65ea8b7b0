//! Which ledgers a segment may hold, in about ten bits each.

use crate::database::LedgerId;

const BITS_PER_LEDGER: usize = 10;
const HASHES: u64 = 7;

/// A Bloom filter over numbers of ledgers: about one in a hundred others is taken for one of them.
///
/// Bytes as stored: the bits, eight to a byte, the lowest first; their number is a multiple of 64. Bit `(a + i·b) mod bits` is set for
/// i = 0 to 6, with `a` and `b` the high and low halves of the ledger's number times 0x9E3779B97F4A7C15 (mod 2^64), `b` made odd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LedgerFilter(Box<[u8]>);

impl LedgerFilter {
    /// The filter of these ledgers.
    pub(crate) fn of(ledgers: &[LedgerId]) -> Self {
        let bytes = (ledgers.len() * BITS_PER_LEDGER).div_ceil(64).max(1) * 8;
        let mut bits = vec![0_u8; bytes];
        for ledger in ledgers {
            for bit in places(*ledger, bytes) {
                bits[bit / 8] |= 1 << (bit % 8);
            }
        }
        Self(bits.into())
    }

    /// Whether the segment may hold the ledger.
    pub(crate) fn may_contain(&self, ledger: LedgerId) -> bool {
        // A filter that says nothing rules nothing out.
        self.0.is_empty() || places(ledger, self.0.len()).all(|bit| self.0[bit / 8] & (1 << (bit % 8)) != 0)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        self.0.to_vec()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

fn places(ledger: LedgerId, bytes: usize) -> impl Iterator<Item = usize> {
    let mixed = ledger.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let (first, step) = (mixed >> 32, (mixed & 0xffff_ffff) | 1);
    (0..HASHES).map(move |turn| (first.wrapping_add(turn.wrapping_mul(step)) % (bytes as u64 * 8)) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ledger_is_found_and_few_others_are() {
        let ledgers: Vec<LedgerId> = (1..5_000).map(|number| number * 7).collect();
        let filter = LedgerFilter::decode(&LedgerFilter::of(&ledgers).encode());
        assert!(ledgers.iter().all(|ledger| filter.may_contain(*ledger)));
        let wrong = (1..35_000)
            .filter(|ledger| ledger % 7 != 0 && filter.may_contain(*ledger))
            .count();
        assert!(wrong < 30_000 / 40, "{wrong} of 30,000 others");
    }

    #[test]
    fn a_filter_of_nothing_rules_everything_out() {
        assert!(!LedgerFilter::of(&[]).may_contain(1));
    }
}
