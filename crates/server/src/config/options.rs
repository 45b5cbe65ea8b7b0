//! The options of every command that needs the server's settings, and the one place where settings are gathered.

use std::path::PathBuf;

use clap::Args;

use super::{Faults, Settings, layers::Layer, show::Shown};

/// Settings on the command line; the environment and the file have all others.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where everything is kept [default: trailbook-data]
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
    /// The address and port to listen on [default: 127.0.0.1:8321]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// The database's URL [default: SQLite in the data directory]
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// The object store's URL [default: a directory in the data directory]
    #[arg(long, value_name = "URL")]
    objects: Option<String>,
    /// A file of countries by address (mmdb) [default: country.mmdb in the data directory, when there is one]
    #[arg(long, value_name = "FILE")]
    country_database: Option<String>,
    /// The catalog of the default project until one is set for it (.toml or .json) [default: none]
    #[arg(long, value_name = "FILE")]
    catalog: Option<String>,
    /// This node's name in logs and in the list of nodes [default: the host's name]
    #[arg(long, value_name = "NAME")]
    node_name: Option<String>,
    /// What is logged, such as info or warn,trailbook=debug [default: info]
    #[arg(long, value_name = "LEVELS")]
    log: Option<String>,
    /// A configuration file (TOML)
    #[arg(long, value_name = "FILE", env = "TRAILBOOK_CONFIG")]
    config: Option<PathBuf>,
}

impl Options {
    /// The settings from the command line, the environment, the file and this machine; or everything that is wrong with them.
    pub(crate) fn settings(self) -> Result<Settings, Faults> {
        Ok(self.gathered()?.0)
    }

    /// As [`Options::settings`], and where each comes from.
    #[allow(clippy::disallowed_methods, reason = "configuration is read here and nowhere else")]
    pub(super) fn gathered(self) -> Result<(Settings, Vec<Shown>), Faults> {
        let read = |path: &str| std::fs::read_to_string(path);
        let mut layers = vec![
            Layer::flags([
                ("data", self.data),
                ("listen", self.listen),
                ("database", self.database),
                ("objects", self.objects),
                ("country_database", self.country_database),
                ("catalog", self.catalog),
                ("node_name", self.node_name),
                ("log", self.log),
            ]),
            Layer::environment(&|name| std::env::var(name).ok()),
        ];
        if let Some(path) = self.config {
            let path = path.display().to_string();
            layers.push(match read(&path) {
                Ok(text) => Layer::file(&path, &text),
                Err(error) => Layer::fault(format!("{path} cannot be read: {error}.")),
            });
        }
        let host = rustix::system::uname();
        let host = host.nodename().to_string_lossy().into_owned();
        layers.push(Layer::of([("node_name", "the host's name".into(), host)].into_iter()));
        Settings::gathered(layers, &read)
    }
}
