//! A country database (MaxMind DB format 2.0) of a few networks: real ones know nothing of the addresses that documentation reserves.
//!
//! See <https://maxmind.github.io/MaxMind-DB/>.

use std::net::{IpAddr, Ipv6Addr};

/// A place in the tree: a node, a country by position, or nowhere.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Nowhere,
    Node(usize),
    Country(usize),
}

/// The bytes of a database in which the addresses of each network, an address and the bits that count, are in a country (two letters).
///
/// # Panics
/// When a network lies inside another, or there are too many for the small format.
pub fn country_database(networks: &[(IpAddr, u8, &str)]) -> Vec<u8> {
    let mut nodes = vec![[Next::Nowhere; 2]];
    for (position, (address, bits, _)) in networks.iter().enumerate() {
        insert(&mut nodes, *address, *bits, position);
    }
    let mut data = Vec::new();
    let places: Vec<usize> = networks
        .iter()
        .map(|(_, _, country)| {
            let place = data.len();
            data.extend(map(&[("country", map(&[("iso_code", text(country))]))]));
            place
        })
        .collect();
    let record = |next: Next| match next {
        Next::Nowhere => nodes.len(),
        Next::Node(node) => node,
        Next::Country(position) => nodes.len() + 16 + places[position],
    };
    let mut bytes = Vec::new();
    for node in &nodes {
        for next in node {
            let record = record(*next);
            assert!(record < 1 << 24, "too many networks");
            bytes.extend_from_slice(&(record as u32).to_be_bytes()[1..]);
        }
    }
    bytes.extend_from_slice(&[0; 16]);
    bytes.extend(data);
    bytes.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
    bytes.extend(metadata(nodes.len()));
    bytes
}

fn insert(nodes: &mut Vec<[Next; 2]>, address: IpAddr, bits: u8, country: usize) {
    // IPv4 lies at ::/96.
    let (address, bits) = match address {
        IpAddr::V4(address) => (Ipv6Addr::from(u128::from(u32::from(address))), bits + 96),
        IpAddr::V6(address) => (address, bits),
    };
    let mut node = 0;
    for depth in 0..bits {
        let side = (u128::from(address) >> (127 - depth) & 1) as usize;
        if depth + 1 == bits {
            assert!(nodes[node][side] == Next::Nowhere, "a network inside another");
            nodes[node][side] = Next::Country(country);
            return;
        }
        node = match nodes[node][side] {
            Next::Node(next) => next,
            Next::Nowhere => {
                nodes.push([Next::Nowhere; 2]);
                let next = nodes.len() - 1;
                nodes[node][side] = Next::Node(next);
                next
            }
            Next::Country(_) => panic!("a network inside another"),
        };
    }
}

fn metadata(nodes: usize) -> Vec<u8> {
    let (uint16, uint32, uint64, array) = (5 << 5, 6 << 5, [0, 2], [0, 4]);
    let number = |kind: u8, value: u32, bytes: usize| {
        let value = &value.to_be_bytes()[4 - bytes..];
        [&[kind | bytes as u8], value].concat()
    };
    map(&[
        ("binary_format_major_version", number(uint16, 2, 1)),
        ("binary_format_minor_version", vec![uint16]),
        ("build_epoch", uint64.to_vec()),
        ("database_type", text("Documentation-Country")),
        ("description", map(&[])),
        ("ip_version", number(uint16, 6, 1)),
        ("languages", array.to_vec()),
        ("node_count", number(uint32, nodes as u32, 4)),
        ("record_size", number(uint16, 24, 1)),
    ])
}

/// A text of at most 28 bytes: type 2.
fn text(text: &str) -> Vec<u8> {
    assert!(text.len() < 29);
    [&[2 << 5 | text.len() as u8], text.as_bytes()].concat()
}

/// A map: type 7.
fn map(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = vec![7 << 5 | members.len() as u8];
    for (key, value) in members {
        bytes.extend(text(key));
        bytes.extend(value);
    }
    bytes
}

/// The networks that documentation reserves (RFC 5737, RFC 3849), in countries of their own.
pub fn documentation_countries() -> Vec<u8> {
    let network = |text: &str, bits, country| (text.parse().expect("an address"), bits, country);
    country_database(&[
        network("192.0.2.0", 24, "FR"),
        network("198.51.100.0", 24, "US"),
        network("203.0.113.0", 24, "GB"),
        network("2001:db8::", 32, "DE"),
    ])
}
