//! The machine: its clock, how many files may be open, whether the address is free.

use std::{
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use serde_json::Value;
use trailbook_ledger::{Clock, DATABASE_FILE};
use ureq::Agent;

use super::check::Check;
use crate::{config::Limits, inputs::SystemClock};

/// Files that are open beside connections and segments: the database's, sockets to others, the log.
const OTHER_FILES: u64 = 64;

/// The clock may stand so far before the last write that is stored, milliseconds.
const CLOCK_MS_BEHIND_MAX: i64 = 60_000;

/// What says that something keeps the clock, and what that is.
const KEEPERS: [(&str, &str); 4] = [
    ("/run/systemd/timesync/synchronized", "systemd-timesyncd"),
    ("/run/chrony", "chrony"),
    ("/run/ntpd.pid", "ntpd"),
    ("/run/openntpd", "openntpd"),
];

/// What says that this is a container, whose clock the host keeps.
const CONTAINERS: [&str; 3] = ["/.dockerenv", "/run/.containerenv", "/var/run/secrets/kubernetes.io"];

/// The clock, as far as it can be judged without another one: that of the database is asked with the database.
pub(super) fn clock(data: &Path) -> Check {
    let now = SystemClock::start().now().millis();
    let written = ["", "-wal"].iter().filter_map(|end| {
        let modified = data
            .join(format!("{DATABASE_FILE}{end}"))
            .metadata()
            .ok()?
            .modified()
            .ok()?;
        i64::try_from(modified.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
    });
    let behind = written.max().map_or(0, |written| written - now);
    if behind > CLOCK_MS_BEHIND_MAX {
        let found = format!("it is {} s before the last write of the database", behind / 1_000);
        return Check::failed(
            "clock",
            found,
            "set the clock: the server refuses events while it has gone back",
        );
    }
    if let Some((_, keeper)) = KEEPERS.iter().find(|(path, _)| Path::new(path).exists()) {
        return Check::ok("clock", format!("{keeper} keeps it"));
    }
    if CONTAINERS.iter().any(|path| Path::new(path).exists()) {
        return Check::ok("clock", "this is a container, whose clock the host keeps".into());
    }
    Check::warning(
        "clock",
        "nothing was found that keeps it right".into(),
        "run chrony or systemd-timesyncd: times of receipt are part of what is proven",
    )
}

/// Whether connections and segments find enough file descriptors.
pub(super) fn open_files(limits: &Limits) -> Check {
    let needed = limits.connections as u64 + 2 * limits.open_segments as u64 + OTHER_FILES;
    let allowed = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    match allowed {
        Some(allowed) if allowed < needed => Check::warning(
            "open files",
            format!("{allowed} may be open, connections_max and open_segments_max need {needed}"),
            "raise the limit (LimitNOFILE=65536 in the unit, ulimit -n in a shell), or lower the two settings",
        ),
        Some(allowed) => Check::ok(
            "open files",
            format!("{allowed} may be open, {needed} are needed at most"),
        ),
        None => Check::ok("open files", "any number may be open".into()),
    }
}

/// Whether the address can be listened on, or a server of ours does already.
pub(super) fn address(listen: SocketAddr) -> Check {
    let error = match TcpListener::bind(listen) {
        Ok(_) if listen.ip().is_loopback() => return Check::ok("address", format!("{listen} is free")),
        Ok(_) => {
            let found = format!("{listen} is free, and open to other machines: plain HTTP, behind a proxy with TLS");
            return Check::ok("address", found);
        }
        Err(error) => error,
    };
    if error.kind() == ErrorKind::AddrInUse
        && let Some(version) = answering(listen)
    {
        return Check::ok("address", format!("Trailbook {version} answers on {listen}"));
    }
    Check::failed(
        "address",
        format!("{listen} cannot be listened on: {error}"),
        "stop what listens there, or choose another address with listen",
    )
}

/// The version of the server that answers on an address, when it is one of ours.
fn answering(listen: SocketAddr) -> Option<String> {
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(2)))
        .build()
        .into();
    let mut answer = agent.get(format!("http://{listen}/version")).call().ok()?;
    let answer: Value = answer.body_mut().read_json().ok()?;
    (answer["name"] == "trailbook").then(|| answer["version"].as_str().unwrap_or_default().to_owned())
}
