//! Which addresses a connection to a server that a customer names may reach.
//!
//! One rule decides: an address is reachable when the operator allowed it ([`Allowed`]), or when it is a public one, the
//! connection is protected by TLS, and the port is one of the protocol's ([`Protocol::public_ports`]).
//!
//! Invariants
//! - What is not known to be public is private: of IPv6 only global unicast without its special ranges.
//!
//! Not here: resolving names, connecting (`outbound`).

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::{Host, Url};

/// Longest URL, in bytes.
pub(crate) const URL_BYTES_MAX: usize = 2_048;

/// IPv4 ranges that are not public: <https://www.iana.org/assignments/iana-ipv4-special-registry>, multicast, and one
/// public address at which a cloud answers its own machines.
const PRIVATE_V4: [Ipv4Net; 16] = [
    v4([0, 0, 0, 0], 8),
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([168, 63, 129, 16], 32),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 0, 0, 0], 24),
    v4([192, 0, 2, 0], 24),
    v4([192, 88, 99, 0], 24),
    v4([192, 168, 0, 0], 16),
    v4([198, 18, 0, 0], 15),
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    v4([224, 0, 0, 0], 4),
    v4([240, 0, 0, 0], 4),
];

/// Global unicast. Loopback, link-local, unique local, multicast, mapped (`::ffff:0:0/96`) and translated
/// (`64:ff9b::/96`) addresses are outside of it.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0], 3);

/// Ranges of global unicast that are not public: protocol assignments with Teredo, documentation, 6to4.
const PRIVATE_V6: [Ipv6Net; 4] = [
    v6([0x2001, 0], 23),
    v6([0x2001, 0xdb8], 32),
    v6([0x2002, 0], 16),
    v6([0x3fff, 0], 20),
];

const fn v4([a, b, c, d]: [u8; 4], bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6([a, b]: [u16; 2], bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), bits)
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !PRIVATE_V4.iter().any(|range| range.contains(&address)),
        IpAddr::V6(address) => GLOBAL_V6.contains(&address) && !PRIVATE_V6.iter().any(|range| range.contains(&address)),
    }
}

/// What is spoken with a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP in the clear.
    Http,
    /// HTTP over TLS.
    Https,
    /// Bytes in the clear.
    Tcp,
    /// Bytes over TLS.
    Tls,
}

impl Protocol {
    /// Whether the server has to prove its name.
    pub fn is_secure(self) -> bool {
        matches!(self, Self::Https | Self::Tls)
    }

    /// Ports that public servers may have; the operator allows others.
    fn public_ports(self) -> &'static [u16] {
        match self {
            Self::Http | Self::Tcp => &[],
            Self::Https => &[443, 8443],
            Self::Tls => &[443, 6514, 8443],
        }
    }
}

/// A server that a customer names: what is resolved, connected to, and named in TLS. Made only of URLs that have no user,
/// password or dot at the host's end, and of such hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    pub(super) protocol: Protocol,
    pub(super) host: Host<String>,
    pub(super) port: u16,
}

impl Server {
    /// The server of a URL; else what is wrong with the URL.
    pub fn of(url: &Url) -> Result<Self, &'static str> {
        if url.as_str().len() > URL_BYTES_MAX {
            return Err("it has more than 2048 bytes");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it holds a user name or password");
        }
        let protocol = match url.scheme() {
            "https" => Protocol::Https,
            "http" => Protocol::Http,
            _ => return Err("its scheme is not https"),
        };
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err("it has no host");
        };
        let host = host.to_owned();
        if !is_whole(&host) {
            return Err("its host is empty or ends with a dot");
        }
        Ok(Self { protocol, host, port })
    }

    /// A server that bytes are sent to, by name or address; `None` when `host` is neither.
    pub fn named(host: &str, port: u16, tls: bool) -> Option<Self> {
        let host = match host.parse::<Ipv6Addr>() {
            Ok(address) => Host::Ipv6(address),
            Err(_) => Host::parse(host).ok()?,
        };
        let protocol = if tls { Protocol::Tls } else { Protocol::Tcp };
        (is_whole(&host) && port != 0).then_some(Self { protocol, host, port })
    }

    /// The value of the header `Host`.
    pub(super) fn authority(&self) -> String {
        match (self.protocol, self.port) {
            (Protocol::Https, 443) | (Protocol::Http, 80) => self.host.to_string(),
            _ => format!("{}:{}", self.host, self.port),
        }
    }

    /// Whether a public address of this server is reachable without the operator's doing.
    fn is_open(&self) -> bool {
        self.protocol.public_ports().contains(&self.port)
    }
}

fn is_whole(host: &Host<String>) -> bool {
    !matches!(host, Host::Domain(name) if name.is_empty() || name.ends_with('.'))
}

/// What the operator allows beyond public https: private addresses, other ports, plain http.
#[derive(Debug, Clone, Default)]
pub struct Allowed(Vec<Entry>);

#[derive(Debug, Clone)]
enum Entry {
    Network(IpNet),
    Host(Host<String>, Option<u16>),
}

impl Allowed {
    /// Whether `address`, one of those that the server's host resolved to, may be connected to.
    pub(super) fn reaches(&self, server: &Server, address: IpAddr) -> bool {
        let named = self.0.iter().any(|entry| match entry {
            Entry::Network(network) => network.contains(&address),
            Entry::Host(..) => entry.names(server),
        });
        named || server.is_open() && is_public(address)
    }

    /// Whether there could be an address of the server that may be connected to; known of addresses, guessed of names.
    pub(super) fn may_reach(&self, server: &Server) -> bool {
        match &server.host {
            Host::Ipv4(address) => self.reaches(server, (*address).into()),
            Host::Ipv6(address) => self.reaches(server, (*address).into()),
            Host::Domain(_) => {
                let could = |entry: &Entry| matches!(entry, Entry::Network(_)) || entry.names(server);
                server.is_open() || self.0.iter().any(could)
            }
        }
    }
}

impl Entry {
    fn names(&self, server: &Server) -> bool {
        match self {
            Self::Network(_) => false,
            Self::Host(host, port) => *host == server.host && port.is_none_or(|port| port == server.port),
        }
    }
}

/// An entry that is neither a network, an address nor a host.
#[derive(Debug, PartialEq, Eq)]
pub struct NotAnEntry(String);

impl fmt::Display for NotAnEntry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:?} is not a network such as 10.1.0.0/16, nor a host such as idp.internal or 10.1.2.3:8080",
            self.0
        )
    }
}

impl FromStr for Allowed {
    type Err = NotAnEntry;

    /// Reads networks and hosts with commas between them.
    fn from_str(text: &str) -> Result<Self, NotAnEntry> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let entries: Result<_, _> = entries
            .map(|text| entry(text).ok_or_else(|| NotAnEntry(text.to_owned())))
            .collect();
        Ok(Self(entries?))
    }
}

fn entry(text: &str) -> Option<Entry> {
    if let Ok(network) = text.parse() {
        return Some(Entry::Network(network));
    }
    if let Ok(address) = text.parse::<Ipv6Addr>() {
        return Some(Entry::Host(Host::Ipv6(address), None));
    }
    let after_bracket = text.rfind(']').map_or(0, |end| end + 1);
    let (host, port) = match text[after_bracket..].rfind(':') {
        Some(colon) => {
            let (host, port) = text.split_at(after_bracket + colon);
            (host, Some(port[1..].parse().ok()?))
        }
        None => (text, None),
    };
    let host = Host::parse(host).ok()?;
    is_whole(&host).then_some(Entry::Host(host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(url: &str) -> Result<Server, &'static str> {
        Url::parse(url)
            .map_err(|_| "not a URL")
            .and_then(|url| Server::of(&url))
    }

    #[test]
    fn only_public_addresses_are_reached_unless_the_operator_allows_more() {
        for (public, addresses) in [
            (
                true,
                "1.1.1.1 8.8.8.8 93.184.215.14 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0 169.253.255.255 192.0.1.1 223.255.255.255
                 2606:4700:4700::1111 2a00:1450:4001:80b::200e 2001:4860:4860::8888",
            ),
            (
                false,
                "0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.254
                 168.63.129.16 169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1
                 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
                 :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::a00:1
                 100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1::1
                 2002:808:808::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1",
            ),
        ] {
            for address in addresses.split_whitespace() {
                let parsed: IpAddr = address.parse().expect("an address");
                let reached = Allowed::default().reaches(&server("https://a.example").expect("a URL"), parsed);
                assert_eq!(reached, public, "{address}");
            }
        }
    }

    #[test]
    fn http_and_other_ports_are_for_what_the_operator_allows() {
        let public: IpAddr = "93.184.215.14".parse().expect("an address");
        let reached = |allowed: &str, url: &str, address: IpAddr| {
            let allowed: Allowed = allowed.parse().expect("entries");
            allowed.reaches(&server(url).expect("a URL"), address)
        };
        assert!(reached("", "https://a.example/x", public));
        assert!(reached("", "https://a.example:8443", public));
        assert!(!reached("", "http://a.example", public));
        assert!(!reached("", "http://a.example:443", public));
        assert!(!reached("", "https://a.example:6379", public));
        assert!(reached("a.example:6379", "https://a.example:6379", public));
        assert!(!reached("a.example:6379", "http://a.example", public));
        assert!(!reached("a.example", "https://b.a.example:6379", public));
        assert!(reached("a.example", "http://A.example:6379", public));
        let private: IpAddr = "10.1.2.3".parse().expect("an address");
        assert!(reached("10.1.0.0/16", "http://a.example", private));
        assert!(!reached("10.2.0.0/16 , 10.3.0.0/16", "https://a.example", private));
        assert!(reached("10.1.2.3:80", "http://10.1.2.3", private));
        assert!(!reached("10.1.2.3:80", "http://a.example", private));
        assert!(reached(
            "[::1]:80, a.example",
            "http://[::1]",
            Ipv6Addr::LOCALHOST.into()
        ));
        assert!(reached("::1", "http://[::1]:99", Ipv6Addr::LOCALHOST.into()));
    }

    #[test]
    fn entries_that_are_none_are_refused() {
        for wrong in [
            "10.0.0.0/33",
            "https://a.example",
            "a.example:http",
            "a b",
            "[::1",
            "a.example.",
        ] {
            assert!(wrong.parse::<Allowed>().is_err(), "{wrong}");
        }
        assert!("a.example:99999".parse::<Allowed>().is_err());
    }

    #[test]
    fn urls_with_a_user_another_scheme_or_no_host_are_refused() {
        for wrong in [
            "ftp://a.example",
            "file:///etc/passwd",
            "gopher://a.example",
            "https://user@a.example",
            "https://:password@a.example",
            "https://a.example.",
            "https://localhost.:8080",
            "data:text/plain,x",
            "https://",
            "https://1.2.3.4.5",
            "https://0x100000000",
            "https://[::1%25eth0]",
        ] {
            assert!(server(wrong).is_err(), "{wrong}");
        }
        assert!(server(&format!("https://a.example/{}", "x".repeat(URL_BYTES_MAX))).is_err());
    }

    #[test]
    fn other_spellings_of_an_address_are_that_address() {
        for spelled in [
            "http://2130706433",
            "http://0x7f000001",
            "http://0x7f.1",
            "http://0177.0.0.1",
            "http://017700000001",
            "http://127.1",
            "http://127.0.0.1.",
            "http://①②⑦.0.0.1",
            "http://127。0。0。1",
            "http:\\\\127.0.0.1",
            "http:127.0.0.1",
            "http://%31%32%37.0.0.1",
        ] {
            let server = server(spelled).expect(spelled);
            assert_eq!(server.host.to_string(), "127.0.0.1", "{spelled}");
        }
        let mapped = server("https://[::ffff:7f00:1]").expect("a URL");
        assert!(matches!(mapped.host, Host::Ipv6(address) if !is_public(address.into())));
    }
}
