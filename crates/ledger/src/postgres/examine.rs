//! Whether a server is fit for what is promised, and how it stands: what connecting requires and what `trailbook doctor` shows.

use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::{Client, Row};

use super::{
    connect::{Purpose, Target},
    error::ConnectError,
};
use crate::Clock;

/// The oldest version of PostgreSQL that is supported, as the server gives it.
const VERSION_MIN: i32 = 130_000;
/// A node's clock may differ from the server's by so much, milliseconds.
const CLOCK_MS_MAX: i64 = 1_000;
/// Connections that a node uses, with room for an operator's.
const CONNECTIONS_MIN: i64 = 20;
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What, in a few words.
    pub name: &'static str,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// What to do when it is not as it should be.
    pub remedy: &'static str,
}

/// Refuses a server that may lose what it acknowledged; answers the server's process behind the connection.
pub(super) async fn require_fit(client: &Client) -> Result<i32, ConnectError> {
    let (checks, process) = timeout(ANSWER_MAX, required(client)).await.map_err(|_| silent())??;
    let failed = checks.into_iter().find(|check| !check.ok);
    failed.map_or(Ok(process), |check| {
        Err(ConnectError::Unfit {
            what: check.detail,
            remedy: check.remedy.to_owned(),
        })
    })
}

/// What connecting requires, and the server's process behind the connection.
async fn required(client: &Client) -> Result<(Vec<Check>, i32), ConnectError> {
    let row = client
        .query_one(
            "SELECT current_setting('server_version_num')::int, pg_is_in_recovery(), current_setting('fsync'),
             current_setting('full_page_writes'), current_setting('synchronous_commit'), current_setting('server_encoding'),
             current_setting('server_version'), pg_backend_pid()",
            &[],
        )
        .await?;
    let version: i32 = row.try_get(0)?;
    let in_recovery: bool = row.try_get(1)?;
    let text = |column: usize| row.try_get::<_, String>(column);
    let is = |column, expected: &str| Ok::<_, ConnectError>(text(column)? == expected);
    let checks = vec![
        Check {
            name: "server version",
            ok: version >= VERSION_MIN,
            detail: format!("the server is PostgreSQL {}", text(6)?),
            remedy: "use PostgreSQL 13 or later",
        },
        Check {
            name: "primary",
            ok: !in_recovery,
            detail: format!("the server is a {}", if in_recovery { "standby" } else { "primary" }),
            remedy: "name the primary in the URL, or all servers one after the other: postgres://…@one,two/…",
        },
        Check {
            name: "fsync",
            ok: is(2, "on")?,
            detail: format!("fsync is {}", text(2)?),
            remedy: "set fsync=on in postgresql.conf: without it a power failure loses what was acknowledged",
        },
        Check {
            name: "full_page_writes",
            ok: is(3, "on")?,
            detail: format!("full_page_writes is {}", text(3)?),
            remedy: "set full_page_writes=on in postgresql.conf: without it a power failure damages pages",
        },
        Check {
            name: "synchronous_commit",
            ok: is(4, "on")?,
            detail: format!("synchronous_commit is {} in our session", text(4)?),
            remedy: "connect to the server itself: a pooler between drops the settings of the session",
        },
        Check {
            name: "encoding",
            ok: is(5, "UTF8")?,
            detail: format!("the database's encoding is {}", text(5)?),
            remedy: "create the database with ENCODING 'UTF8' TEMPLATE template0",
        },
    ];
    Ok((checks, row.try_get(7)?))
}

/// Looks at the database of a URL as `trailbook doctor` does; writes nothing. When it cannot be reached that is the only check.
pub async fn examine(url: &str, clock: &dyn Clock) -> Vec<Check> {
    match look(url, clock).await {
        Ok(checks) => checks,
        Err(error) => vec![Check {
            name: "connection",
            ok: false,
            detail: error.to_string(),
            remedy: "check the URL, that the server runs, that it lets this user in, and the network between",
        }],
    }
}

async fn look(url: &str, clock: &dyn Clock) -> Result<Vec<Check>, ConnectError> {
    let target = Target::parse(url, "doctor")?;
    let (client, connection) = target.connect(Purpose::Read(ANSWER_MAX)).await?;
    let work = tokio::spawn(connection);
    let checks = async {
        let (mut checks, _) = required(&client).await?;
        checks.push(clocks(&client, clock).await?);
        checks.extend(standing(&client).await?);
        Ok(checks)
    };
    let checks = timeout(ANSWER_MAX, checks).await;
    work.abort();
    checks.map_err(|_| silent())?
}

fn silent() -> ConnectError {
    ConnectError::Unreachable("the server accepts connections and does not answer".to_owned())
}

async fn clocks(client: &Client, clock: &dyn Clock) -> Result<Check, ConnectError> {
    let before = clock.now().millis();
    let row = client
        .query_one("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint", &[])
        .await?;
    let after = clock.now().millis();
    let difference = row.try_get::<_, i64>(0)? - (before + (after - before) / 2);
    Ok(Check {
        name: "clock",
        ok: difference.abs() <= CLOCK_MS_MAX,
        detail: format!(
            "the server's clock is {} ms {} this machine's",
            difference.abs(),
            if difference < 0 { "behind" } else { "ahead of" }
        ),
        remedy: "keep the clocks of the server and of all nodes by NTP",
    })
}

async fn standing(client: &Client) -> Result<Vec<Check>, ConnectError> {
    let row = client
        .query_one(
            "SELECT current_setting('synchronous_standby_names'),
             (SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')),
             (SELECT count(*) FROM pg_stat_replication),
             current_setting('max_connections')::bigint, (SELECT sum(numbackends)::bigint FROM pg_stat_database),
             has_schema_privilege(current_schema(), 'CREATE'), current_schema(),
             has_table_privilege(to_regclass('counter'), 'UPDATE')",
            &[],
        )
        .await?;
    Ok(vec![standbys(&row)?, connections(&row)?, privileges(&row)?])
}

fn standbys(row: &Row) -> Result<Check, ConnectError> {
    let (names, synchronous, all): (String, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let detail = match (names.is_empty(), synchronous, all) {
        (true, _, 0) => "there is no standby: what was acknowledged is on this server alone".to_owned(),
        (true, _, _) => format!("{all} standbys follow asynchronously: a fail-over may lose what was acknowledged"),
        (false, 0, _) => "a synchronous standby is required and none is connected: commits wait for it".to_owned(),
        (false, synchronous, _) => format!("{synchronous} synchronous standbys have what was acknowledged"),
    };
    Ok(Check {
        name: "standby",
        ok: if names.is_empty() { all == 0 } else { synchronous > 0 },
        detail,
        remedy: "set synchronous_standby_names, and have that standby running, so that a fail-over loses nothing",
    })
}

fn connections(row: &Row) -> Result<Check, ConnectError> {
    let (max, used): (i64, i64) = (row.try_get(3)?, row.try_get(4)?);
    Ok(Check {
        name: "connections",
        ok: max - used >= CONNECTIONS_MIN,
        detail: format!("{used} of {max} connections are in use; each node takes up to 8"),
        remedy: "raise max_connections",
    })
}

fn privileges(row: &Row) -> Result<Check, ConnectError> {
    let (create, schema): (Option<bool>, Option<String>) = (row.try_get(5)?, row.try_get(6)?);
    let update: Option<bool> = row.try_get(7)?;
    let schema = schema.unwrap_or_else(|| "(none)".to_owned());
    let (ok, detail) = match (create, update) {
        (_, Some(false)) => (false, format!("this user may not write the tables in schema {schema}")),
        (Some(true), _) => (
            true,
            format!("this user may create and write tables in schema {schema}"),
        ),
        _ => (false, format!("this user may not create tables in schema {schema}")),
    };
    Ok(Check {
        name: "privileges",
        ok,
        detail,
        remedy: "make this user the owner of the database, or grant it CREATE and USAGE on the schema",
    })
}
