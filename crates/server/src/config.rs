//! Settings of `trailbook serve`: flags over environment over file over defaults, every fault reported at once.
//!
//! Every setting has one name. `body_bytes_max` is `TRAILBOOK_BODY_BYTES_MAX` in the environment and
//! `body_bytes_max = 16777216` in the file. A secret may be given by a file instead: `TRAILBOOK_ROOT_KEY_FILE`.
//!
//! Invariants
//! - Settings that parse are valid: sizes and counts are in their bounds.
//! - Messages name where a value came from and never contain a secret.
//!
//! Not here: what the settings do.

pub(crate) mod command;
mod layers;
mod options;
mod show;

use std::{
    collections::BTreeMap, fmt, net::SocketAddr, ops::RangeInclusive, path::PathBuf, str::FromStr, sync::Arc,
    time::Duration,
};

use trailbook_access::{PolicySettings, policy::RETENTION_DAYS_MAX};
use trailbook_deliver::outbound::Allowed;
use trailbook_import::Vocabulary;

use crate::{
    catalog,
    encryption::EncryptionKey,
    mail::{self, MailSettings},
    secret_file,
    store::{CACHE_BYTES_MAX, Given as GivenObjects, Place},
};

use self::layers::Sourced;
pub(crate) use self::{
    layers::Layer,
    options::Options,
    show::{Shown, without_password},
};

/// What a running server needs to know.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Where everything is kept.
    pub(crate) data: PathBuf,
    /// The address to listen on.
    pub(crate) listen: SocketAddr,
    /// The database's URL; `None` is SQLite in the data directory.
    pub(crate) database: Option<String>,
    /// Where objects are kept; `None` is a directory in the data directory.
    pub(crate) objects: Option<Place>,
    /// The root key, when the operator chose one.
    pub(crate) root_key: Option<Secret>,
    /// The key that checkpoints are signed with, when the operator chose one.
    pub(crate) signing_key: Option<SigningKey>,
    /// The key that customers' secrets are encrypted with, when the operator chose one.
    pub(crate) encryption_key: Option<EncryptionKey>,
    /// Where requests to customers' servers may go beyond public addresses.
    pub(crate) private_destinations: Allowed,
    /// The mmdb file of countries by address.
    pub(crate) country_database: Option<PathBuf>,
    /// How mail is sent; `None` is not at all.
    pub(crate) mail: Option<MailSettings>,
    /// The catalog of the default project.
    pub(crate) catalog: Option<Arc<Vocabulary>>,
    /// This node's name in logs and in the database's list of nodes.
    pub(crate) node_name: String,
    /// Which log messages are written, as `tracing` directives.
    pub(crate) log: String,
    /// Days that events are kept where nothing else was set; `None` is for ever.
    pub(crate) retention_days: Option<u32>,
    /// Whether root may redact.
    pub(crate) redaction: bool,
    /// Where people reach the server, without a slash at the end; empty when nobody said.
    pub(crate) public_url: String,
    /// The limits.
    pub(crate) limits: Limits,
}

/// Bounds on what callers can take.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Connections open at a time; more wait in the kernel's queue.
    pub(crate) connections: usize,
    /// Live feeds open at a time.
    pub(crate) live_connections: usize,
    /// A body's size, as sent and decoded.
    pub(crate) body_bytes: usize,
    /// All bodies being handled at a time, decoded.
    pub(crate) bodies_bytes: usize,
    /// Events in one request.
    pub(crate) batch_events: usize,
    /// One event, as sent.
    pub(crate) event_bytes: usize,
    /// Events in memory that are not yet sealed.
    pub(crate) tail_events: usize,
    /// Bytes in memory of events that are not yet sealed.
    pub(crate) tail_bytes: usize,
    /// Events after which the tail is sealed.
    pub(crate) seal_events: u64,
    /// How long events stay unsealed, however few they are.
    pub(crate) seal_age: Duration,
    /// Segments whose files are open at a time.
    pub(crate) open_segments: usize,
    /// Bytes of the directory that keeps copies of a remote store's objects.
    pub(crate) cache_bytes: u64,
    /// Bytes of search indexes kept in memory.
    pub(crate) index_cache_bytes: usize,
    /// Bytes of sealed rows kept in memory.
    pub(crate) row_cache_bytes: usize,
    /// Requests a second of one caller but root; 0 is any.
    pub(crate) caller_requests_per_second: u32,
    /// Events a second of one organization, sent by others than root; 0 is any.
    pub(crate) organization_events_per_second: u32,
    /// Proxies before this server whose X-Forwarded-For is believed.
    pub(crate) trusted_proxies: usize,
    /// From the first byte of a request to the end of its header.
    pub(crate) header_timeout: Duration,
    /// From the end of the header to the end of the body.
    pub(crate) body_timeout: Duration,
}

/// Text that is never printed.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// Text that must not be printed.
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(secret)")
    }
}

/// The 32 bytes of an Ed25519 secret.
#[derive(Clone)]
pub(crate) struct SigningKey([u8; 32]);

impl SigningKey {
    /// The bytes themselves.
    pub(crate) fn bytes(&self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(secret)")
    }
}

/// Everything that is wrong with the configuration, one sentence each. The process exits with 78 (`EX_CONFIG`).
#[derive(Debug)]
pub(crate) struct Faults(pub(crate) Vec<String>);

impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the configuration cannot be used:")?;
        self.0.iter().try_for_each(|fault| write!(formatter, "\n  {fault}"))
    }
}

impl std::error::Error for Faults {}

/// The settings' names. A name that ends in `_file` reads the setting before it from a file.
const NAMES: [&str; 49] = [
    "data",
    "listen",
    "database",
    "database_file",
    "objects",
    "objects_file",
    "objects_endpoint",
    "objects_region",
    "objects_access_key",
    "objects_secret_key",
    "objects_secret_key_file",
    "objects_credentials",
    "objects_credentials_file",
    "cache_bytes_max",
    "root_key",
    "root_key_file",
    "signing_key",
    "signing_key_file",
    "encryption_key",
    "encryption_key_file",
    "private_destinations",
    "country_database",
    "smtp_url",
    "smtp_url_file",
    "mail_from",
    "catalog",
    "node_name",
    "log",
    "connections_max",
    "live_connections_max",
    "body_bytes_max",
    "bodies_bytes_max",
    "batch_events_max",
    "event_bytes_max",
    "tail_events_max",
    "tail_bytes_max",
    "seal_events",
    "seal_age_ms",
    "open_segments_max",
    "index_cache_bytes",
    "row_cache_bytes",
    "retention_days",
    "redaction",
    "header_timeout_ms",
    "body_timeout_ms",
    "caller_requests_per_second",
    "organization_events_per_second",
    "trusted_proxies",
    "public_url",
];

const MIB: usize = 1 << 20;

/// Longer names fill log lines.
const NODE_NAME_BYTES_MAX: usize = 64;

/// Reads a file for [`Settings::from_layers`]: its text, or why it cannot be read.
pub(crate) type ReadFile<'r> = &'r dyn Fn(&str) -> std::io::Result<String>;

impl Settings {
    /// Whether the database is PostgreSQL, which other nodes may share.
    pub(crate) fn on_postgres(&self) -> bool {
        let url = self.database.as_deref().unwrap_or_default();
        url.starts_with("postgres://") || url.starts_with("postgresql://")
    }

    /// What the settings say of the policy: what a project or an organization inherits.
    pub(crate) fn policy(&self) -> PolicySettings {
        PolicySettings {
            retention_days: Some(self.retention_days),
            redaction: Some(self.redaction),
            ..PolicySettings::default()
        }
    }

    /// The settings from their layers, strongest first.
    #[cfg(test)]
    pub(crate) fn from_layers(layers: Vec<Layer>, read: ReadFile<'_>) -> Result<Self, Faults> {
        Ok(Self::gathered(layers, read)?.0)
    }

    /// The settings from their layers, strongest first, and where each comes from.
    fn gathered(mut layers: Vec<Layer>, read: ReadFile<'_>) -> Result<(Self, Vec<Shown>), Faults> {
        let faults = layers.iter_mut().flat_map(|layer| layer.faults.split_off(0)).collect();
        let mut reader = Reader {
            layers,
            read,
            faults,
            defaults: BTreeMap::new(),
        };
        let settings = reader.settings();
        if reader.faults.is_empty() {
            Ok((settings, reader.shown()))
        } else {
            Err(Faults(reader.faults))
        }
    }
}

struct Reader<'r> {
    layers: Vec<Layer>,
    read: ReadFile<'r>,
    faults: Vec<String>,
    /// What settings that nobody set are taken to be.
    defaults: BTreeMap<String, String>,
}

impl Reader<'_> {
    fn settings(&mut self) -> Settings {
        let settings = Settings {
            data: self.parsed("data", "trailbook-data", "a directory"),
            listen: self.parsed(
                "listen",
                "127.0.0.1:8321",
                "an address and a port, such as 127.0.0.1:8321",
            ),
            database: self.secret("database"),
            objects: self.objects(),
            root_key: self.root_key(),
            signing_key: self.signing_key(),
            encryption_key: self.encryption_key(),
            private_destinations: self.private_destinations(),
            country_database: self.text("country_database").map(PathBuf::from),
            mail: self.mail(),
            catalog: self.catalog(),
            retention_days: self.retention_days(),
            redaction: self.parsed("redaction", "true", "true or false"),
            node_name: self.node_name(),
            log: self.parsed("log", "info", "levels, such as info"),
            public_url: self.public_url(),
            limits: self.limits(),
        };
        self.check_keys(&settings);
        settings
    }

    /// Every setting in force.
    fn shown(&self) -> Vec<Shown> {
        NAMES
            .into_iter()
            .filter_map(|name| match (name.ends_with("_file"), self.given(name)) {
                (true, None) => None,
                (_, _) => Some(Shown::of(name, self.given(name).cloned(), self.defaults.get(name))),
            })
            .collect()
    }

    fn given(&self, name: &str) -> Option<&Sourced> {
        self.layers.iter().find_map(|layer| layer.given.get(name))
    }

    /// Where a setting comes from, and its text.
    fn sourced(&self, name: &str) -> Option<(String, String)> {
        self.given(name)
            .map(|given| (given.source.clone(), given.value.clone()))
    }

    fn text(&self, name: &str) -> Option<String> {
        self.sourced(name).map(|(_, value)| value)
    }

    fn parsed<T: FromStr>(&mut self, name: &str, default: &str, expected: &str) -> T
    where
        T::Err: fmt::Debug,
    {
        if let Some((source, value)) = self.sourced(name) {
            match value.parse() {
                Ok(parsed) => return parsed,
                Err(_) => self.faults.push(format!("{source}: {value:?} is not {expected}.")),
            }
        }
        self.defaults.insert(name.to_owned(), default.to_owned());
        default.parse().expect("defaults are well-formed")
    }

    fn size(&mut self, name: &str, default: usize, bounds: RangeInclusive<usize>) -> usize {
        let (low, high) = (*bounds.start(), *bounds.end());
        let value: usize = self.parsed(
            name,
            &default.to_string(),
            &format!("a whole number from {low} to {high}"),
        );
        if !bounds.contains(&value) {
            let source = self.sourced(name).map_or_else(String::new, |(source, _)| source);
            self.faults
                .push(format!("{source}: {value} is not from {low} to {high}."));
        }
        value
    }

    fn milliseconds(&mut self, name: &str, default: usize) -> Duration {
        Duration::from_millis(self.size(name, default, 100..=600_000) as u64)
    }

    /// A setting that may be in a file of its own: `NAME` or `NAME_file`.
    fn secret(&mut self, name: &str) -> Option<String> {
        let (plain, file) = (self.sourced(name), self.sourced(&format!("{name}_file")));
        match (plain, file) {
            (Some((one, _)), Some((other, _))) => {
                self.faults
                    .push(format!("{one} and {other} are both set; set one of them."));
                None
            }
            (Some((_, value)), None) => Some(value),
            (None, Some((source, path))) => match (self.read)(&path) {
                Ok(text) => Some(text.trim_end_matches(['\r', '\n']).to_owned()),
                Err(error) => {
                    self.faults.push(format!("{source}: {path:?} cannot be read: {error}."));
                    None
                }
            },
            (None, None) => None,
        }
    }

    fn objects(&mut self) -> Option<Place> {
        let given = GivenObjects {
            url: self.secret("objects")?,
            endpoint: self.text("objects_endpoint"),
            region: self.text("objects_region"),
            access_key: self.text("objects_access_key"),
            secret_key: self.secret("objects_secret_key").map(Secret),
            credentials: self.secret("objects_credentials").map(Secret),
        };
        Place::of(given).map_err(|fault| self.faults.push(fault)).ok()
    }

    fn root_key(&mut self) -> Option<Secret> {
        let key = self.secret("root_key")?;
        if key.len() < 16 || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.faults
                .push("root_key must have at least 16 visible ASCII characters and no spaces.".into());
        }
        Some(Secret(key))
    }

    fn signing_key(&mut self) -> Option<SigningKey> {
        let key = secret_file::decode(&self.secret("signing_key")?).ok();
        if key.is_none() {
            self.faults
                .push("signing_key must be 64 hexadecimal digits, as `openssl rand -hex 32` makes them.".into());
        }
        key.map(SigningKey)
    }

    /// Nodes that share a database must share their keys, and none of them may make one of its own.
    fn check_keys(&mut self, settings: &Settings) {
        if !settings.on_postgres() {
            return;
        }
        let given = |name: &str| self.given(name).is_some() || self.given(&format!("{name}_file")).is_some();
        let missing: Vec<&str> = ["root_key", "signing_key", "encryption_key"]
            .into_iter()
            .filter(|name| !given(name))
            .collect();
        if !missing.is_empty() {
            self.faults.push(format!(
                "database is PostgreSQL, which several nodes may share, and then {} must be given, the same on every node: make each \
                 once with `openssl rand -hex 32`, give it to every node (as {}, or in a file), and keep a copy.",
                missing.join(", "),
                missing.iter().map(|name| format!("TRAILBOOK_{}", name.to_ascii_uppercase())).collect::<Vec<_>>().join(", "),
            ));
        }
    }

    fn node_name(&mut self) -> String {
        let name: String = self.parsed("node_name", "node", "a name");
        if name.is_empty() || name.len() > NODE_NAME_BYTES_MAX || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            let source = self.sourced("node_name").map_or_else(String::new, |(source, _)| source);
            self.faults.push(format!(
                "{source}: {name:?} is no node_name: 1 to {NODE_NAME_BYTES_MAX} visible ASCII characters without spaces."
            ));
        }
        name
    }

    fn public_url(&mut self) -> String {
        let Some((source, value)) = self.sourced("public_url") else {
            return String::new();
        };
        let url = value.trim_end_matches('/');
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        if rest.is_none_or(|host| host.is_empty() || host.contains(['/', '?', '#', '@', ' '])) {
            let expected = "where people reach the server, such as https://log.example";
            self.faults.push(format!("{source}: {value:?} is not {expected}."));
        }
        url.to_owned()
    }

    fn mail(&mut self) -> Option<MailSettings> {
        let (url, from) = (self.secret("smtp_url"), self.text("mail_from"));
        let url = url.or_else(|| {
            from.is_some()
                .then(|| self.faults.push("mail_from needs smtp_url, the mail server.".into()));
            None
        })?;
        if mail::transport(&url).is_err() {
            // The URL may hold a password, and so may what the parser says of it.
            self.faults
                .push("smtp_url is not a URL such as smtps://user:password@mail.example.com.".into());
        }
        if self.sourced("public_url").is_none() {
            self.faults
                .push("smtp_url needs public_url, the address that the links in letters lead to.".into());
        }
        let Some(Ok(from)) = from.map(|from| from.parse()) else {
            self.faults
                .push("smtp_url needs mail_from, an address such as \"Audit log <log@example.com>\".".into());
            return None;
        };
        Some(MailSettings {
            smtp_url: Secret(url),
            from,
        })
    }

    fn encryption_key(&mut self) -> Option<EncryptionKey> {
        let key = EncryptionKey::parse(&Secret(self.secret("encryption_key")?));
        if key.is_none() {
            self.faults
                .push("encryption_key must be 32 bytes, as 64 hexadecimal digits or as base64.".into());
        }
        key
    }

    fn private_destinations(&mut self) -> Allowed {
        let Some((source, value)) = self.sourced("private_destinations") else {
            return Allowed::default();
        };
        value.parse().unwrap_or_else(|fault| {
            self.faults.push(format!("{source}: {fault}."));
            Allowed::default()
        })
    }

    fn retention_days(&mut self) -> Option<u32> {
        let (source, value) = self.sourced("retention_days")?;
        let days = value
            .parse()
            .ok()
            .filter(|days| (1..=RETENTION_DAYS_MAX).contains(days));
        if days.is_none() {
            self.faults.push(format!(
                "{source}: {value:?} is not a number of days from 1 to {RETENTION_DAYS_MAX}."
            ));
        }
        days
    }

    fn catalog(&mut self) -> Option<Arc<Vocabulary>> {
        let (source, path) = self.sourced("catalog")?;
        match catalog::read(&path, self.read) {
            Ok(catalog) => return Some(Arc::new(catalog)),
            Err(faults) => self
                .faults
                .extend(faults.into_iter().map(|fault| format!("{source}: {fault}"))),
        }
        None
    }

    fn limits(&mut self) -> Limits {
        Limits {
            connections: self.size("connections_max", 4_096, 1..=1_000_000),
            live_connections: self.size("live_connections_max", 1_000, 1..=1_000_000),
            body_bytes: self.size("body_bytes_max", 16 * MIB, 1_024..=256 * MIB),
            bodies_bytes: self.size("bodies_bytes_max", 256 * MIB, 32 * MIB..=1 << 40),
            batch_events: self.size("batch_events_max", 10_000, 1..=100_000),
            event_bytes: self.size("event_bytes_max", MIB, 256..=16 * MIB),
            tail_events: self.size("tail_events_max", 2_000_000, 1_000..=1 << 40),
            tail_bytes: self.size("tail_bytes_max", 512 * MIB, MIB..=1 << 50),
            seal_events: self.size("seal_events", 200_000, 1_000..=1 << 40) as u64,
            seal_age: Duration::from_millis(self.size("seal_age_ms", 900_000, 1_000..=86_400_000) as u64),
            open_segments: self.size("open_segments_max", 256, 16..=100_000),
            cache_bytes: self.size("cache_bytes_max", CACHE_BYTES_MAX, 16 * MIB..=1 << 50) as u64,
            index_cache_bytes: self.size("index_cache_bytes", 256 * MIB, MIB..=1 << 50),
            row_cache_bytes: self.size("row_cache_bytes", 64 * MIB, MIB..=1 << 50),
            caller_requests_per_second: self.size("caller_requests_per_second", 2_000, 0..=1_000_000) as u32,
            organization_events_per_second: self.size("organization_events_per_second", 50_000, 0..=10_000_000) as u32,
            trusted_proxies: self.size("trusted_proxies", 0, 0..=16),
            header_timeout: self.milliseconds("header_timeout_ms", 30_000),
            body_timeout: self.milliseconds("body_timeout_ms", 30_000),
        }
    }
}

#[cfg(test)]
mod tests;
