//! The statements of history: the manifest, floors, redactions, control records and what else is kept beside the events.

use deadpool_postgres::{ClientWrapper, GenericClient};
use tokio_postgres::Row;

use super::{
    pool::{Pool, Value},
    read::{Answer, all, fixed, get, signed, unsigned},
};
use crate::{
    OrganizationKey, PartSecret, RetentionScope,
    database::{
        Change, DatabaseError, Floor, Garbage, LakeVersion, LedgerId, PendingRetention, RecordChange, StoredObject,
        StoredPin, StoredRecord, StoredRedaction, StoredRetention, StoredSegment, StoredTile, decode_days, encode_days,
    },
    pieces,
};

/// In place of an organization's name, none of which is empty: the project's retention.
const OF_PROJECT: &str = "";

/// Why a change was not made.
pub(super) enum Refused {
    /// What changes is not any more as it was when the change was made.
    Conflict(String),
    /// The statement failed.
    Database(tokio_postgres::Error),
}

impl From<tokio_postgres::Error> for Refused {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

type Changed = Result<(), Refused>;

/// Runs a statement; answers how many rows it changed.
async fn run(client: &ClientWrapper, sql: &'static str, values: &[Value<'_>]) -> Result<u64, tokio_postgres::Error> {
    let statement = client.prepare_cached(sql).await?;
    client.execute(&statement, values).await
}

/// Makes a change in a commit.
pub(super) async fn change(client: &ClientWrapper, commit: u64, change: &Change) -> Changed {
    match change {
        Change::Seal {
            after,
            through,
            segments,
        } => seal(client, *after, *through, segments).await,
        Change::Replace {
            remove,
            add,
            removable_at,
        } => replace(client, remove, add, *removable_at).await,
        Change::Floor { ledger, floor, tiles } => move_floor(client, *ledger, *floor, tiles).await,
        Change::Retention(retention) => set_retention(client, retention).await,
        Change::Redact(redaction) => redact(client, redaction).await,
        Change::Rewritten { ledger, redactions } => rewritten(client, *ledger, redactions).await,
        Change::Swept { objects } => {
            run(client, "DELETE FROM garbage WHERE object = ANY ($1)", &[objects]).await?;
            Ok(())
        }
        Change::Pin(pin) => {
            let sql = "INSERT INTO pins (name, until) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET until = $2";
            run(client, sql, &[&pin.name, &pin.until]).await?;
            Ok(())
        }
        Change::Unpin { name } => {
            run(client, "DELETE FROM pins WHERE name = $1", &[name]).await?;
            Ok(())
        }
        Change::Record(change) => change_record(client, commit, change).await,
        Change::Lake(version) => add_lake_version(client, version).await,
        Change::LakeForgotten { before } => {
            let sql = "DELETE FROM lake WHERE version < least($1, (SELECT max(version) FROM lake))";
            run(client, sql, &[&signed(*before)]).await?;
            Ok(())
        }
    }
}

async fn seal(client: &ClientWrapper, after: u64, through: u64, segments: &[StoredSegment]) -> Changed {
    let sql = "UPDATE sealed SET through = $1 WHERE shard = 0 AND through = $2 AND $2 < $1
               AND $1 < (SELECT number FROM counter WHERE shard = 0)";
    if run(client, sql, &[&signed(through), &signed(after)]).await? != 1 {
        return Err(Refused::Conflict(format!(
            "the tail is sealed further, or ends before: after={after} through={through}"
        )));
    }
    add_segments(client, segments).await
}

async fn replace(client: &ClientWrapper, remove: &[u64], add: &[StoredSegment], removable_at: i64) -> Changed {
    for segment in remove {
        let sql = "WITH gone AS (DELETE FROM segments WHERE segment = $1 RETURNING data, bundle)
                   INSERT INTO garbage (object, removable_at)
                   SELECT unnest(ARRAY[data, bundle]), $2 FROM gone";
        if run(client, sql, &[&signed(*segment), &removable_at]).await? == 0 {
            return Err(Refused::Conflict(format!(
                "a segment is not there any more: segment={segment}"
            )));
        }
    }
    add_segments(client, add).await
}

/// Adds segments to the manifest and moves the next number beyond theirs.
pub(super) async fn add_segments(client: &ClientWrapper, segments: &[StoredSegment]) -> Changed {
    for segment in segments {
        let (data, bundle) = (&segment.data, &segment.bundle);
        let values: [Value<'_>; 19] = [
            &signed(segment.segment),
            &i16::from(segment.level),
            &signed(segment.commits.0),
            &signed(segment.commits.1),
            &signed(segment.ledgers.0),
            &signed(segment.ledgers.1),
            &segment.filter,
            &signed(segment.events),
            &segment.occurred.0,
            &segment.occurred.1,
            &segment.received.0,
            &segment.received.1,
            &segment.retention_days.map(i64::from),
            &data.name,
            &signed(data.bytes),
            &&data.sha256[..],
            &bundle.name,
            &signed(bundle.bytes),
            &&bundle.sha256[..],
        ];
        let sql = "INSERT INTO segments VALUES
                   ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";
        run(client, sql, &values).await?;
        let sql = "UPDATE sealed SET next_segment = $1::bigint + 1 WHERE shard = 0 AND next_segment <= $1::bigint";
        run(client, sql, &[&signed(segment.segment)]).await?;
    }
    Ok(())
}

/// Moves a floor up and keeps what is left of its tiles.
pub(super) async fn move_floor(
    client: &ClientWrapper,
    ledger: LedgerId,
    floor: Floor,
    tiles: &[StoredTile],
) -> Changed {
    let sql = "INSERT INTO floors AS stored (ledger, floor, received_at) VALUES ($1, $2, $3)
               ON CONFLICT (ledger) DO UPDATE SET floor = $2, received_at = $3 WHERE stored.floor < $2";
    let values: [Value<'_>; 3] = [&signed(ledger), &signed(floor.sequence), &floor.received_at];
    if run(client, sql, &values).await? != 1 {
        return Err(Refused::Conflict(format!(
            "a floor only moves up: ledger={ledger} floor={}",
            floor.sequence
        )));
    }
    let all: Vec<i64> = tiles.iter().map(|tile| signed(tile.tile)).collect();
    let sql = "DELETE FROM tiles WHERE ledger = $1 AND tile = ANY ($2)";
    run(client, sql, &[&signed(ledger), &all]).await?;
    let kept = tiles.iter().filter(|tile| !tile.pieces.is_empty());
    let (kept, pieces): (Vec<i64>, Vec<Vec<u8>>) = kept
        .map(|tile| (signed(tile.tile), pieces::encode(&tile.pieces)))
        .unzip();
    let sql = "INSERT INTO tiles (ledger, tile, pieces) SELECT $1, * FROM unnest($2::bigint[], $3::bytea[])";
    run(client, sql, &[&signed(ledger), &kept, &pieces]).await?;
    Ok(())
}

/// Sets a retention in place of what was set for its scope.
pub(super) async fn set_retention(client: &ClientWrapper, retention: &StoredRetention) -> Changed {
    let sql = "INSERT INTO retentions VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (project, organization)
               DO UPDATE SET days = $3, legal_hold = $4, pending_days = $5, pending_at = $6";
    let pending_days = retention.pending.and_then(|pending| encode_days(pending.days));
    let values: [Value<'_>; 6] = [
        &retention.scope.project(),
        &retention.scope.organization().unwrap_or(OF_PROJECT),
        &encode_days(retention.days).map(i64::from),
        &retention.legal_hold,
        &pending_days.map(i64::from),
        &retention.pending.map(|pending| pending.at),
    ];
    run(client, sql, &values).await?;
    Ok(())
}

/// Stores a redaction in place of an earlier one of the same event.
pub(super) async fn redact(client: &ClientWrapper, redaction: &StoredRedaction) -> Changed {
    let sql = "INSERT INTO redactions VALUES ($1, $2, $3, $4, $5) ON CONFLICT (ledger, sequence)
               DO UPDATE SET secrets = $3, redacted_at = $4, rewritten = $5";
    let values: [Value<'_>; 5] = [
        &signed(redaction.ledger),
        &signed(redaction.sequence),
        &PartSecret::encode(&redaction.secrets),
        &redaction.redacted_at,
        &redaction.rewritten,
    ];
    run(client, sql, &values).await?;
    Ok(())
}

async fn rewritten(client: &ClientWrapper, ledger: LedgerId, redactions: &[(u64, i64)]) -> Changed {
    let (sequences, moments): (Vec<i64>, Vec<i64>) = redactions.iter().map(|(at, when)| (signed(*at), *when)).unzip();
    let sql =
        "UPDATE redactions SET rewritten = true FROM unnest($2::bigint[], $3::bigint[]) AS done (sequence, redacted_at)
               WHERE redactions.ledger = $1 AND redactions.sequence = done.sequence
               AND redactions.redacted_at = done.redacted_at";
    run(client, sql, &[&signed(ledger), &sequences, &moments]).await?;
    Ok(())
}

async fn change_record(client: &ClientWrapper, commit: u64, change: &RecordChange) -> Changed {
    let RecordChange {
        kind,
        id,
        expected,
        value,
    } = change;
    let statement = client
        .prepare_cached("SELECT version FROM records WHERE kind = $1 AND id = $2")
        .await?;
    let found = client.query_opt(&statement, &[kind, id]).await?;
    let found = found
        .map(|row| row.try_get::<_, i64>(0))
        .transpose()?
        .map(|found| found as u64);
    if found != *expected {
        return Err(Refused::Conflict(format!(
            "a record is not at the version that its change was made from: kind={kind} id={id} expected={expected:?} found={found:?}"
        )));
    }
    match value {
        Some(value) => {
            let sql = "INSERT INTO records (kind, id, version, value) VALUES ($1, $2, $3, $4)
                       ON CONFLICT (kind, id) DO UPDATE SET version = $3, value = $4";
            run(client, sql, &[kind, id, &signed(commit), value]).await?
        }
        None => run(client, "DELETE FROM records WHERE kind = $1 AND id = $2", &[kind, id]).await?,
    };
    Ok(())
}

const NEXT_LAKE_VERSION: &str = "SELECT coalesce(max(version) + 1, 0) FROM lake";

async fn add_lake_version(client: &ClientWrapper, version: &LakeVersion) -> Changed {
    let statement = client.prepare_cached(NEXT_LAKE_VERSION).await?;
    let next: i64 = client.query_one(&statement, &[]).await?.try_get(0)?;
    if signed(version.version) != next {
        return Err(Refused::Conflict(format!(
            "the lake's next version is another: next={next} version={}",
            version.version
        )));
    }
    let sql = "INSERT INTO lake (version, body) VALUES ($1, $2)";
    run(client, sql, &[&signed(version.version), &version.body]).await?;
    Ok(())
}

/// The number for the lake's next version.
pub(super) async fn next_lake_version(client: &impl GenericClient) -> Answer<u64> {
    unsigned(&client.query_one(NEXT_LAKE_VERSION, &[]).await?, 0)
}

pub(super) async fn lake(pool: &Pool, first: u64, count: u32) -> Answer<Vec<LakeVersion>> {
    let sql = "SELECT version, body FROM lake WHERE version >= $1 ORDER BY version LIMIT $2";
    let rows = pool.rows(sql, &[&signed(first), &i64::from(count)]).await?;
    all(&rows, |row| {
        Ok(LakeVersion {
            version: unsigned(row, 0)?,
            body: get(row, 1)?,
        })
    })
}

pub(super) async fn records(pool: &Pool) -> Answer<Vec<StoredRecord>> {
    let rows = pool
        .rows("SELECT kind, id, version, value FROM records ORDER BY kind, id", &[])
        .await?;
    all(&rows, |row| {
        Ok(StoredRecord {
            kind: get(row, 0)?,
            id: get(row, 1)?,
            version: unsigned(row, 2)?,
            value: get(row, 3)?,
        })
    })
}

pub(super) async fn segments(client: &impl GenericClient) -> Answer<Vec<StoredSegment>> {
    let rows = client.query("SELECT * FROM segments ORDER BY segment", &[]).await?;
    all(&rows, |row| {
        Ok(StoredSegment {
            segment: unsigned(row, 0)?,
            level: get::<i16>(row, 1)? as u8,
            commits: (unsigned(row, 2)?, unsigned(row, 3)?),
            ledgers: (unsigned(row, 4)?, unsigned(row, 5)?),
            filter: get(row, 6)?,
            events: unsigned(row, 7)?,
            occurred: (get(row, 8)?, get(row, 9)?),
            received: (get(row, 10)?, get(row, 11)?),
            retention_days: get::<Option<i64>>(row, 12)?.map(|days| days as u32),
            data: object(row, 13)?,
            bundle: object(row, 16)?,
        })
    })
}

fn object(row: &Row, column: usize) -> Answer<StoredObject> {
    Ok(StoredObject {
        name: get(row, column)?,
        bytes: unsigned(row, column + 1)?,
        sha256: fixed(row, column + 2)?,
    })
}

/// The last sealed commit, and the number for the next segment.
pub(super) async fn sealed(client: &impl GenericClient) -> Answer<(u64, u64)> {
    let row = client
        .query_one("SELECT through, next_segment FROM sealed WHERE shard = 0", &[])
        .await?;
    Ok((unsigned(&row, 0)?, unsigned(&row, 1)?))
}

pub(super) async fn floors(client: &impl GenericClient) -> Answer<Vec<(LedgerId, Floor)>> {
    let rows = client
        .query("SELECT ledger, floor, received_at FROM floors ORDER BY ledger", &[])
        .await?;
    all(&rows, |row| {
        let floor = Floor {
            sequence: unsigned(row, 1)?,
            received_at: get(row, 2)?,
        };
        Ok((unsigned(row, 0)?, floor))
    })
}

pub(super) async fn retentions(client: &impl GenericClient) -> Answer<Vec<StoredRetention>> {
    let sql = "SELECT project, organization, days, legal_hold, pending_days, pending_at FROM retentions
               ORDER BY project, organization";
    let days = |row: &Row, column| Answer::Ok(decode_days(get::<Option<i64>>(row, column)?.map(|days| days as u32)));
    all(&client.query(sql, &[]).await?, |row| {
        let (project, organization): (String, String) = (get(row, 0)?, get(row, 1)?);
        let pending_days = days(row, 4)?;
        Ok(StoredRetention {
            scope: match organization.as_str() {
                OF_PROJECT => RetentionScope::Project(project.into()),
                _ => RetentionScope::Organization(OrganizationKey::new(project, organization)),
            },
            days: days(row, 2)?,
            legal_hold: get(row, 3)?,
            pending: get::<Option<i64>>(row, 5)?.map(|at| PendingRetention { days: pending_days, at }),
        })
    })
}

pub(super) async fn redactions(client: &impl GenericClient) -> Answer<Vec<StoredRedaction>> {
    let sql = "SELECT ledger, sequence, secrets, redacted_at, rewritten FROM redactions ORDER BY ledger, sequence";
    all(&client.query(sql, &[]).await?, |row| {
        Ok(StoredRedaction {
            ledger: unsigned(row, 0)?,
            sequence: unsigned(row, 1)?,
            secrets: PartSecret::decode(get(row, 2)?)
                .ok_or_else(|| DatabaseError("a redaction is malformed; run `trailbook fsck`".to_owned()))?,
            redacted_at: get(row, 3)?,
            rewritten: get(row, 4)?,
        })
    })
}

pub(super) async fn pins(client: &impl GenericClient) -> Answer<Vec<StoredPin>> {
    let rows = client.query("SELECT name, until FROM pins ORDER BY name", &[]).await?;
    all(&rows, |row| {
        Ok(StoredPin {
            name: get(row, 0)?,
            until: get(row, 1)?,
        })
    })
}

pub(super) async fn tiles(pool: &Pool, ledger: LedgerId, first: u64, end: u64) -> Answer<Vec<StoredTile>> {
    let sql = "SELECT tile, pieces FROM tiles WHERE ledger = $1 AND tile >= $2 AND tile < $3 ORDER BY tile";
    let rows = pool.rows(sql, &[&signed(ledger), &signed(first), &signed(end)]).await?;
    all(&rows, |row| {
        Ok(StoredTile {
            ledger,
            tile: unsigned(row, 0)?,
            pieces: pieces::decode(get(row, 1)?)
                .ok_or_else(|| DatabaseError("what is kept of a tile is malformed; run `trailbook fsck`".to_owned()))?,
        })
    })
}

/// What may be deleted at `now`; nothing while a backup is under way.
pub(super) async fn garbage(pool: &Pool, now: i64) -> Answer<Vec<Garbage>> {
    let sql = "SELECT object, removable_at FROM garbage WHERE removable_at <= $1
               AND NOT EXISTS (SELECT 1 FROM pins WHERE until > $1) ORDER BY object";
    all(&pool.rows(sql, &[&now]).await?, |row| {
        Ok(Garbage {
            object: get(row, 0)?,
            removable_at: get(row, 1)?,
        })
    })
}

/// Takes a lease that nobody else holds, for so long by the server's clock: the nodes' clocks differ.
pub(super) async fn lease(pool: &Pool, job: &str, holder: &str, milliseconds: i64) -> Answer<bool> {
    let sql =
        "INSERT INTO leases AS held (job, holder, until) VALUES ($1, $2, clock_timestamp() + $3 * interval '1 ms')
               ON CONFLICT (job) DO UPDATE SET holder = excluded.holder, until = excluded.until
               WHERE held.holder = excluded.holder OR held.until <= clock_timestamp() RETURNING job";
    let rows = pool.rows(sql, &[&job, &holder, &(milliseconds as f64)]).await?;
    Ok(!rows.is_empty())
}

/// Gives back all leases of a holder.
pub(super) async fn release(pool: &Pool, holder: &str) -> Answer<()> {
    pool.rows("DELETE FROM leases WHERE holder = $1", &[&holder])
        .await
        .map(drop)
}
