//! Where the database is: the URL, how its connections are made, and what a server has to be like.
//!
//! Invariant: the URL's password is in no error and no log.

use std::{path::PathBuf, time::Duration};

use tokio::time::timeout;
use tokio_postgres::{
    Config, Connection, Socket,
    config::{SslMode, TargetSessionAttrs},
};

use super::{
    error::{ConnectError, describe},
    tls::{Tls, TlsStream},
};

/// How long one server may take to accept a connection.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long all of them may take together.
const CONNECT_ALL_MAX: Duration = Duration::from_secs(15);
/// When a connection without traffic is looked at, how often, and after how long without an answer it is given up.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(20);

/// Settings of every connection, whatever the server or the role has: what is answered is on disk here and on a synchronous standby.
const ALWAYS: &str = "-c synchronous_commit=on -c default_transaction_isolation=read\\ committed ";

/// A database, or one of several servers that may have it.
#[derive(Clone)]
pub(super) struct Target {
    config: Config,
    tls: Tls,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// Single statements, each of which ends within this time.
    Read(Duration),
    /// The order of commits. A statement may take any time: one that waits for a standby and is cancelled answers as if it had
    /// been replicated.
    Write {
        /// After how long the server ends a transaction in which nothing happens.
        idle_max: Duration,
        /// How long to wait for a row that somebody else has locked.
        lock_max: Duration,
    },
}

impl Target {
    /// Reads a URL; connections call themselves `trailbook` and the node's name.
    pub(super) fn parse(url: &str, node: &str) -> Result<Self, ConnectError> {
        let (url, options) = split_options(url)?;
        let mut config: Config = url
            .parse()
            .map_err(|_| ConnectError::Url("it is malformed or has an unknown option".to_owned()))?;
        if config.get_hosts().is_empty() || config.get_dbname().is_none() || config.get_user().is_none() {
            return Err(ConnectError::Url("user, host and database have to be given".to_owned()));
        }
        let (mode, tls) = options.tls()?;
        config
            .ssl_mode(mode)
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .connect_timeout(CONNECT_MAX)
            .keepalives(true)
            .keepalives_idle(KEEPALIVE_IDLE)
            .keepalives_interval(KEEPALIVE_INTERVAL)
            .keepalives_retries(3)
            .tcp_user_timeout(UNACKNOWLEDGED_MAX);
        if config.get_application_name().is_none() {
            config.application_name(format!("trailbook {node}"));
        }
        Ok(Self { config, tls })
    }

    /// How connections for a purpose are made.
    pub(super) fn config(&self, purpose: Purpose) -> Config {
        let settings = match purpose {
            Purpose::Read(max) => format!("-c statement_timeout={}", max.as_millis()),
            Purpose::Write { idle_max, lock_max } => format!(
                "-c statement_timeout=0 -c idle_in_transaction_session_timeout={} -c lock_timeout={}",
                idle_max.as_millis(),
                lock_max.as_millis()
            ),
        };
        let mut config = self.config.clone();
        let options = config.get_options().map(|options| format!("{options} "));
        config.options(options.unwrap_or_default() + ALWAYS + &settings);
        config
    }

    pub(super) fn tls(&self) -> Tls {
        self.tls.clone()
    }

    /// Connects to the first server that takes writes.
    pub(super) async fn connect(
        &self,
        purpose: Purpose,
    ) -> Result<(tokio_postgres::Client, Connection<Socket, TlsStream>), ConnectError> {
        match timeout(CONNECT_ALL_MAX, self.config(purpose).connect(self.tls())).await {
            Ok(Ok(connected)) => Ok(connected),
            Ok(Err(error)) => Err(ConnectError::Unreachable(describe(&error))),
            Err(_) => Err(ConnectError::Unreachable("no server answers in time".to_owned())),
        }
    }
}

/// What the URL says that is decided here and not by the client library.
#[derive(Default)]
struct UrlOptions {
    mode: Option<String>,
    authorities: Option<PathBuf>,
}

impl UrlOptions {
    fn tls(self) -> Result<(SslMode, Tls), ConnectError> {
        let verified = self.mode.as_deref() == Some("verify-full");
        if self.authorities.is_some() && !verified {
            return Err(ConnectError::Url(
                "sslrootcert is of use only with sslmode=verify-full".to_owned(),
            ));
        }
        match self.mode.as_deref() {
            Some("disable") => Ok((SslMode::Disable, Tls::with_anybody())),
            None | Some("prefer") => Ok((SslMode::Prefer, Tls::with_anybody())),
            Some("require") => Ok((SslMode::Require, Tls::with_anybody())),
            Some("verify-full") => Ok((SslMode::Require, Tls::verified(self.authorities.as_deref())?)),
            Some(_) => Err(ConnectError::Url(
                "sslmode is one of disable, prefer, require, verify-full".to_owned(),
            )),
        }
    }
}

/// Takes our options out of the URL.
fn split_options(url: &str) -> Result<(String, UrlOptions), ConnectError> {
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(ConnectError::Url("it does not begin with postgres://".to_owned()));
    }
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let (mut options, mut others) = (UrlOptions::default(), Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match name {
            "sslmode" => options.mode = Some(value.to_owned()),
            "sslrootcert" => options.authorities = Some(PathBuf::from(percent_decoded(value)?)),
            _ => others.push(pair),
        }
    }
    let separator = if others.is_empty() { "" } else { "?" };
    Ok((format!("{base}{separator}{}", others.join("&")), options))
}

fn percent_decoded(text: &str) -> Result<String, ConnectError> {
    let malformed = || ConnectError::Url("sslrootcert is not percent-encoded as it should be".to_owned());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        if *first == b'%' {
            let digits = others.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            bytes.push(byte.ok_or_else(malformed)?);
            rest = &others[2..];
        } else {
            bytes.push(*first);
            rest = others;
        }
    }
    String::from_utf8(bytes).map_err(|_| malformed())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn refused(url: &str) -> String {
        Target::parse(url, "node").err().unwrap().to_string()
    }

    #[test]
    fn the_url_says_where_and_how() {
        let url = "postgres://me:s%40cret@one:5433,two:5434/events?sslmode=require&application_name=mine&options=-c%20geqo%3Doff";
        let target = Target::parse(url, "node").unwrap();
        let config = target.config(Purpose::Read(Duration::from_secs(3)));
        assert_eq!((config.get_hosts().len(), config.get_ports()), (2, &[5433, 5434][..]));
        assert_eq!(config.get_password(), Some(&b"s@cret"[..]));
        assert_eq!(config.get_ssl_mode(), SslMode::Require);
        assert_eq!(config.get_application_name(), Some("mine"));
        assert_eq!(
            config.get_options(),
            Some(&*format!("-c geqo=off {ALWAYS}-c statement_timeout=3000"))
        );
        assert_eq!(config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        let plain = Target::parse("postgres://me@one/events", "node-1").unwrap();
        assert_eq!(plain.config.get_ssl_mode(), SslMode::Prefer);
        assert_eq!(plain.config.get_application_name(), Some("trailbook node-1"));
    }

    #[test]
    fn a_url_that_cannot_be_used_is_refused_without_its_password() {
        for url in [
            "mysql://me:hidden@one/events",
            "postgres://me:hidden@one",
            "postgres://me:hidden@/events",
            "postgres://me:hidden@one:port/events",
            "postgres://me:hidden@one/events?sslmode=verify",
            "postgres://me:hidden@one/events?sslrootcert=/authorities.pem",
            "postgres://me:hidden@one/events?sslmode=verify-full&sslrootcert=%2",
            "postgres://me:hidden@one/events?sslmode=verify-full&sslrootcert=/is/not/there.pem",
            "postgres://me:hidden@one/events?colour=green",
        ] {
            let error = refused(url);
            assert!(error.contains("URL") && !error.contains("hidden"), "{url}: {error}");
        }
    }
}
