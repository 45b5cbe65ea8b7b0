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

use std::{
    collections::BTreeMap, fmt, net::SocketAddr, ops::RangeInclusive, path::PathBuf, str::FromStr, sync::Arc,
    time::Duration,
};

use toml::de::{DeTable, DeValue};
use trailbook_access::{PolicySettings, policy::RETENTION_DAYS_MAX};
use trailbook_deliver::outbound::Allowed;
use trailbook_import::Vocabulary;

use crate::{
    catalog,
    encryption::EncryptionKey,
    mail::{self, MailSettings},
    store::{CACHE_BYTES_MAX, Given, Place},
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
const NAMES: [&str; 46] = [
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
    "encryption_key",
    "encryption_key_file",
    "private_destinations",
    "country_database",
    "smtp_url",
    "smtp_url_file",
    "mail_from",
    "catalog",
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

/// One layer of settings: where a value came from, and the value.
#[derive(Default)]
pub(crate) struct Layer(BTreeMap<&'static str, (String, String)>);

impl Layer {
    /// The flags of the command line; `None` values were not given.
    pub(crate) fn flags(given: [(&'static str, Option<String>); 7]) -> Self {
        let kept = given.into_iter().filter_map(|(name, value)| {
            let source = format!("--{}", name.replace('_', "-"));
            value.map(|value| (name, (source, value)))
        });
        Self(kept.collect())
    }

    /// The variables `TRAILBOOK_*`, looked up by `variable`.
    pub(crate) fn environment(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let kept = NAMES.into_iter().filter_map(|name| {
            let key = format!("TRAILBOOK_{}", name.to_ascii_uppercase());
            variable(&key)
                .filter(|value| !value.is_empty())
                .map(|value| (name, (key, value)))
        });
        Self(kept.collect())
    }

    /// The text of a TOML file called `path`.
    pub(crate) fn file(path: &str, text: &str) -> Result<Self, Faults> {
        let at = |offset: usize| format!("{path}, line {}", 1 + text[..offset].matches('\n').count());
        let table = DeTable::parse(text).map_err(|error| {
            let place = at(error.span().map_or(0, |span| span.start));
            Faults(vec![format!("{place}: {}.", error.message().trim_end_matches('.'))])
        })?;
        let (mut layer, mut faults) = (Self::default(), Vec::new());
        for (key, value) in table.get_ref() {
            let (place, key) = (at(key.span().start), key.get_ref().as_ref());
            match (NAMES.into_iter().find(|name| *name == key), plain(value.get_ref())) {
                (None, _) => faults.push(format!("{place}: unknown key {key:?}{}", suggestion(key))),
                (Some(_), None) => faults.push(format!(
                    "{place}: {key} must be a string, a whole number, true or false."
                )),
                (Some(name), Some(value)) => {
                    layer.0.insert(name, (format!("{place}, {name}"), value));
                }
            }
        }
        if faults.is_empty() {
            Ok(layer)
        } else {
            Err(Faults(faults))
        }
    }
}

fn plain(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Boolean(flag) => Some(flag.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .ok()
            .map(|n| n.to_string()),
        _ => None,
    }
}

/// `; did you mean …?` when a known name is near.
fn suggestion(key: &str) -> String {
    let nearest = NAMES.into_iter().map(|name| (distance(key, name), name)).min();
    match nearest {
        Some((steps, name)) if steps <= 1 + key.len() / 3 => format!("; did you mean {name:?}?"),
        _ => format!("; the known keys are {}.", NAMES.join(", ")),
    }
}

/// Levenshtein's distance between two short names.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, character) in left.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for column in 0..right.len() {
            let replaced = diagonal + usize::from(character != right[column]);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

/// Reads a file for [`Settings::from_layers`]: its text, or why it cannot be read.
pub(crate) type ReadFile<'r> = &'r dyn Fn(&str) -> std::io::Result<String>;

impl Settings {
    /// What the settings say of the policy: what a project or an organization inherits.
    pub(crate) fn policy(&self) -> PolicySettings {
        PolicySettings {
            retention_days: Some(self.retention_days),
            redaction: Some(self.redaction),
            ..PolicySettings::default()
        }
    }

    /// The settings from their layers, strongest first.
    pub(crate) fn from_layers(layers: Vec<Layer>, read: ReadFile<'_>) -> Result<Self, Faults> {
        let mut reader = Reader {
            layers,
            read,
            faults: Vec::new(),
        };
        let data = reader
            .text("data")
            .map_or_else(|| PathBuf::from("trailbook-data"), PathBuf::from);
        let settings = Self {
            listen: reader.parsed(
                "listen",
                "127.0.0.1:8321",
                "an address and a port, such as 127.0.0.1:8321",
            ),
            database: reader.secret("database"),
            objects: reader.objects(),
            root_key: reader.root_key(),
            encryption_key: reader.encryption_key(),
            private_destinations: reader.private_destinations(),
            country_database: reader.text("country_database").map(PathBuf::from),
            mail: reader.mail(),
            catalog: reader.catalog(),
            retention_days: reader.retention_days(),
            redaction: reader.parsed("redaction", "true", "true or false"),
            log: reader.text("log").unwrap_or_else(|| "info".into()),
            public_url: reader.public_url(),
            limits: reader.limits(),
            data,
        };
        if reader.faults.is_empty() {
            Ok(settings)
        } else {
            Err(Faults(reader.faults))
        }
    }
}

struct Reader<'r> {
    layers: Vec<Layer>,
    read: ReadFile<'r>,
    faults: Vec<String>,
}

impl Reader<'_> {
    fn sourced(&self, name: &str) -> Option<(String, String)> {
        self.layers.iter().find_map(|layer| layer.0.get(name)).cloned()
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
        let given = Given {
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
mod tests {
    use super::*;

    fn settings(layers: Vec<Layer>) -> Result<Settings, Faults> {
        Settings::from_layers(layers, &|path| match path {
            "key.txt" => Ok("a-key-from-a-file-0123\n".into()),
            _ => Err(std::io::ErrorKind::NotFound.into()),
        })
    }

    fn file(text: &str) -> Layer {
        Layer::file("trailbook.toml", text).expect("well-formed")
    }

    #[test]
    fn flags_win_over_environment_over_file_over_defaults() {
        let flags = Layer(BTreeMap::from([("data", ("--data".into(), "from-flag".into()))]));
        let environment = Layer::environment(&|name| match name {
            "TRAILBOOK_DATA" => Some("from-environment".into()),
            "TRAILBOOK_LISTEN" => Some("127.0.0.1:1".into()),
            _ => None,
        });
        let file = file("data = 'from-file'\nlisten = '127.0.0.1:2'\nbatch_events_max = 7\n");
        let settings = settings(vec![flags, environment, file]).expect("valid");
        assert_eq!(settings.data, PathBuf::from("from-flag"));
        assert_eq!(settings.listen.port(), 1);
        assert_eq!(settings.limits.batch_events, 7);
        assert_eq!(settings.limits.body_bytes, 16 * MIB);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_a_suggestion() {
        let faults = Layer::file("t.toml", "# comment\n\nlisten = '127.0.0.1:1'\ndatabse = 'x'\n")
            .err()
            .expect("refused");
        assert_eq!(
            faults.0,
            ["t.toml, line 4: unknown key \"databse\"; did you mean \"database\"?"]
        );
    }

    #[test]
    fn every_fault_is_reported_at_once() {
        let faults =
            settings(vec![file("listen = 'here'\nbatch_events_max = 0\nroot_key = 'short'")]).expect_err("refused");
        assert_eq!(faults.0.len(), 3, "{faults}");
        assert!(
            faults.0[0].contains("line 1") && !faults.to_string().contains("short"),
            "{faults}"
        );
    }

    #[test]
    fn a_secret_may_be_in_a_file_of_its_own_but_not_in_both_places() {
        let key = |layer| settings(vec![layer]).map(|settings| settings.root_key.map(|key| key.expose().to_owned()));
        assert_eq!(
            key(file("root_key_file = 'key.txt'")).expect("valid").as_deref(),
            Some("a-key-from-a-file-0123")
        );
        assert!(key(file("root_key_file = 'absent.txt'")).is_err());
        assert!(key(file("root_key_file = 'key.txt'\nroot_key = 'another-key-0123456789'")).is_err());
    }

    #[test]
    fn mail_needs_a_server_a_sender_and_an_address_for_links_and_never_tells_the_password() {
        let mail = |text: &str| settings(vec![file(text)]).map(|settings| settings.mail.is_some());
        let (server, from) = (
            "smtp_url = 'smtps://u:hunter2@mail.example'\n",
            "mail_from = 'Log <log@log.example>'\n",
        );
        let public = "public_url = 'https://log.example/'\n";
        assert!(mail(&[server, from, public].concat()).expect("valid"));
        assert!(!mail(public).expect("valid"));
        let wrong = ["smtp_url = 'hunter2'\n", from, public].concat();
        for missing in [
            [from, public].concat(),
            [server, public].concat(),
            [server, from].concat(),
            wrong,
        ] {
            let faults = mail(&missing).expect_err("refused");
            assert!(
                faults.0.len() == 1 && !faults.to_string().contains("hunter2"),
                "{faults}"
            );
        }
        assert!(mail("public_url = 'log.example'").is_err() && mail("public_url = 'https://a@b'").is_err());
    }

    #[test]
    fn keys_and_destinations_that_cannot_be_used_are_faults() {
        let key = "ab".repeat(32);
        let good = format!("encryption_key = '{key}'\nprivate_destinations = '10.0.0.0/8, idp.internal:8443'");
        settings(vec![file(&good)]).expect("valid");
        let faults = settings(vec![file(
            "encryption_key = 'hunter2'\nprivate_destinations = 'http://a'",
        )]);
        let faults = faults.expect_err("refused").to_string();
        assert!(faults.contains("line 2") && !faults.contains("hunter2"), "{faults}");
    }

    #[test]
    fn every_setting_is_documented() {
        let document = include_str!("../../../docs/operate/settings.md");
        for name in NAMES.into_iter().filter(|name| !name.ends_with("_file")) {
            assert!(
                document.contains(&format!("| `{name}` |")),
                "docs/operate/settings.md lacks {name}"
            );
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        assert_eq!(format!("{:?}", Secret("hunter2".into())), "(secret)");
    }
}
