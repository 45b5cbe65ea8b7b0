//! Networks of addresses, in CIDR notation.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// A network such as `203.0.113.0/24`, or a single address. IPv4 and its IPv4-mapped IPv6 form are the same.
///
/// Invariant: bits of `first` past `length` are zero. IPv4 is held as `::ffff:0:0/96`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network {
    first: u128,
    length: u8,
}

impl Network {
    /// Whether the network has this address.
    pub fn contains(self, address: IpAddr) -> bool {
        mapped(address) & mask(self.length) == self.first
    }

    /// The lowest and the highest address, as 128-bit numbers of IPv6 (IPv4 mapped).
    pub fn bounds(self) -> (u128, u128) {
        (self.first, self.first | !mask(self.length))
    }
}

impl FromStr for Network {
    type Err = ();

    /// An address, or an address and a prefix length; bits past the length are ignored.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(drop)?;
        let (width, shift) = if address.is_ipv4() { (32, 96) } else { (128, 0) };
        let length = match length {
            None => width,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().map_err(drop)?,
            Some(_) => return Err(()),
        };
        if length > width {
            return Err(());
        }
        let length = length + shift;
        Ok(Self {
            first: mapped(address) & mask(length),
            length,
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = Ipv6Addr::from_bits(self.first);
        match (self.length, address.to_ipv4_mapped()) {
            (128, Some(address)) => write!(formatter, "{address}"),
            (128, None) => write!(formatter, "{address}"),
            (96.., Some(address)) => write!(formatter, "{address}/{}", self.length - 96),
            _ => write!(formatter, "{address}/{}", self.length),
        }
    }
}

fn mapped(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => Ipv4Addr::to_ipv6_mapped(&address).to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn mask(length: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_its_addresses_in_both_notations() {
        for (network, inside, outside) in [
            ("203.0.113.0/24", "203.0.113.255", "203.0.114.0"),
            ("203.0.113.77/24", "203.0.113.1", "203.0.112.255"),
            ("203.0.113.7", "::ffff:203.0.113.7", "203.0.113.8"),
            ("::ffff:203.0.113.0/120", "203.0.113.9", "203.0.114.9"),
            ("2001:db8::/32", "2001:DB8:1::5", "2001:db9::"),
            ("0.0.0.0/0", "255.255.255.255", "2001:db8::1"),
        ] {
            let parsed: Network = network.parse().expect(network);
            assert!(parsed.contains(inside.parse().expect(inside)), "{network} has {inside}");
            assert!(
                !parsed.contains(outside.parse().expect(outside)),
                "{network} lacks {outside}"
            );
            assert_eq!(parsed.to_string().parse(), Ok(parsed));
        }
        assert_eq!(
            "::ffff:203.0.113.0/120"
                .parse::<Network>()
                .map(|network| network.to_string()),
            Ok("203.0.113.0/24".into())
        );
        for wrong in [
            "",
            "203.0.113",
            "203.0.113.0/33",
            "203.0.113.0/",
            "203.0.113.0/+8",
            "::/129",
            "::/999",
        ] {
            assert_eq!(wrong.parse::<Network>(), Err(()), "{wrong}");
        }
    }
}
