//! The country of an address, from an mmdb file that the operator provides.
//!
//! Two shapes of records are known: `{"country":{"iso_code":"DE"}}` (MaxMind's) and `{"country_code":"DE"}` (flat).
//! Without a file, and for addresses that it does not know, there is no country.

use std::{net::IpAddr, path::Path};

use anyhow::Context;
use maxminddb::{Reader, path};

/// Countries by address.
#[derive(Default)]
pub(crate) struct Countries(Option<Reader<Vec<u8>>>);

impl Countries {
    /// Reads the file `chosen`, or the file `country.mmdb` in the data directory when there is one.
    pub(crate) fn open(chosen: Option<&Path>, data: &Path) -> anyhow::Result<Self> {
        let default = data.join("country.mmdb");
        let file = match chosen {
            Some(chosen) => chosen,
            None if default.exists() => &default,
            None => return Ok(Self::default()),
        };
        let reader = Reader::open_readfile(file)
            .with_context(|| format!("the country database {} cannot be read", file.display()))?;
        let metadata = reader.metadata();
        tracing::info!(kind = %metadata.database_type, built = metadata.build_epoch, "country database opened");
        Ok(Self(Some(reader)))
    }

    /// Whether there is a file.
    pub(crate) fn is_known(&self) -> bool {
        self.0.is_some()
    }

    /// ISO 3166-1 alpha-2, two upper-case letters.
    pub(crate) fn of(&self, address: IpAddr) -> Option<[u8; 2]> {
        let address = address.to_canonical();
        let found = self.0.as_ref()?.lookup(address).ok()?;
        let nested = found.decode_path::<&str>(&path!["country", "iso_code"]).ok().flatten();
        let code = nested.or_else(|| found.decode_path::<&str>(&path!["country_code"]).ok().flatten())?;
        let code: [u8; 2] = code.as_bytes().try_into().ok()?;
        code.iter()
            .all(u8::is_ascii_alphabetic)
            .then(|| code.map(|letter| letter.to_ascii_uppercase()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text in the MaxMind DB format: type 2.
    fn text(text: &str) -> Vec<u8> {
        [&[2 << 5 | text.len() as u8], text.as_bytes()].concat()
    }

    /// A map: type 7.
    fn map(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = vec![7 << 5 | members.len() as u8];
        members
            .iter()
            .for_each(|(key, value)| bytes.extend([text(key), value.clone()].concat()));
        bytes
    }

    /// A database of one node: addresses below 128.0.0.0 have a flat record, the others a nested one.
    fn database() -> Vec<u8> {
        let flat = map(&[("country_code", text("DE"))]);
        let nested = map(&[("country", map(&[("iso_code", text("fr"))]))]);
        // Pointers into the data come after the one node and the 16 bytes that end the tree.
        let tree = [[0, 0, 17], [0, 0, 17 + flat.len() as u8]].concat();
        let (uint16, uint32, uint64, array) = (5 << 5 | 1, 6 << 5 | 1, [1, 2], [0, 4]);
        let metadata = map(&[
            ("binary_format_major_version", vec![uint16, 2]),
            ("binary_format_minor_version", vec![5 << 5]),
            ("build_epoch", [&uint64[..], &[9]].concat()),
            ("database_type", text("test")),
            ("description", map(&[])),
            ("ip_version", vec![uint16, 4]),
            ("languages", array.to_vec()),
            ("node_count", vec![uint32, 1]),
            ("record_size", vec![uint16, 24]),
        ]);
        [
            tree,
            vec![0; 16],
            flat,
            nested,
            b"\xab\xcd\xefMaxMind.com".to_vec(),
            metadata,
        ]
        .concat()
    }

    #[test]
    fn both_shapes_of_records_are_read() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("country.mmdb"), database()).expect("written");
        let countries = Countries::open(None, directory.path()).expect("a database");
        let of = |text: &str| countries.of(text.parse().expect("an address"));
        assert_eq!(of("8.8.8.8"), Some(*b"DE"));
        assert_eq!(of("203.0.113.9"), Some(*b"FR"));
        assert_eq!(
            of("::ffff:8.8.8.8"),
            Some(*b"DE"),
            "an IPv4 address in the clothes of IPv6"
        );
        assert_eq!(of("2001:db8::1"), None);
    }

    #[test]
    #[allow(
        clippy::disallowed_methods,
        reason = "the wish to rewrite the file comes from the command line"
    )]
    fn the_networks_of_documentation_are_somewhere() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("documentation.mmdb");
        std::fs::write(&file, trailbook_testkit::documentation_countries()).expect("written");
        let countries = Countries::open(Some(&file), directory.path()).expect("a database");
        for (address, country) in [
            ("192.0.2.1", Some(*b"FR")),
            ("198.51.100.255", Some(*b"US")),
            ("203.0.113.0", Some(*b"GB")),
            ("2001:db8:9::2", Some(*b"DE")),
            ("203.0.114.0", None),
            ("2001:db9::1", None),
        ] {
            assert_eq!(countries.of(address.parse().expect("an address")), country, "{address}");
        }
        let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/documentation.mmdb");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(kept, trailbook_testkit::documentation_countries()).expect("written");
        }
        assert!(
            std::fs::read(kept).expect("kept") == trailbook_testkit::documentation_countries(),
            "`make golden` writes {kept} anew"
        );
    }

    #[test]
    fn without_a_database_there_is_no_country_but_a_named_one_must_exist() {
        let directory = tempfile::tempdir().expect("a directory");
        let countries = Countries::open(None, directory.path()).expect("nothing to open");
        assert_eq!(countries.of(IpAddr::from([8, 8, 8, 8])), None);
        assert!(Countries::open(Some(Path::new("absent.mmdb")), directory.path()).is_err());
    }
}
