//! The statements of history: the manifest, floors, redactions and what else is kept beside the events.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::{read::unsigned, records};
use crate::{
    OrganizationKey, PartSecret, RetentionScope,
    database::{
        Change, Floor, Garbage, LakeVersion, LedgerId, PendingRetention, StoredObject, StoredPin, StoredRedaction,
        StoredRetention, StoredSegment, StoredTile, decode_days, encode_days,
    },
    pieces,
};

/// In place of an organization's name, none of which is empty: the project's retention.
const OF_PROJECT: &str = "";

/// Why a change was not made.
#[derive(Debug)]
pub(super) enum Refused {
    /// What changes is not any more as it was when the change was made.
    Conflict(String),
    /// SQLite refuses.
    Database(rusqlite::Error),
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

/// Makes a change in a commit. Before a seal the heads of its commits have to be in their table; after it `erase` deletes their rows.
pub(super) fn change(transaction: &Transaction<'_>, commit: u64, change: &Change) -> Result<(), Refused> {
    match change {
        Change::Seal {
            after,
            through,
            segments,
        } => seal(transaction, *after, *through, segments),
        Change::Replace {
            remove,
            add,
            removable_at,
        } => replace(transaction, remove, add, *removable_at),
        Change::Floor { ledger, floor, tiles } => move_floor(transaction, *ledger, *floor, tiles),
        Change::Retention(retention) => Ok(set_retention(transaction, retention)?),
        Change::Redact(redaction) => Ok(redact(transaction, redaction)?),
        Change::Rewritten { ledger, redactions } => {
            let mut statement = transaction.prepare_cached(
                "UPDATE redactions SET rewritten = 1 WHERE ledger = ?1 AND sequence = ?2 AND redacted_at = ?3",
            )?;
            for (sequence, redacted_at) in redactions {
                statement.execute(params![*ledger as i64, *sequence as i64, redacted_at])?;
            }
            Ok(())
        }
        Change::Swept { objects } => {
            let mut statement = transaction.prepare_cached("DELETE FROM garbage WHERE object = ?1")?;
            for object in objects {
                statement.execute([object])?;
            }
            Ok(())
        }
        Change::Pin(pin) => {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO pins (name, until) VALUES (?1, ?2)")?
                .execute(params![pin.name, pin.until])?;
            Ok(())
        }
        Change::Unpin { name } => {
            transaction
                .prepare_cached("DELETE FROM pins WHERE name = ?1")?
                .execute([name])?;
            Ok(())
        }
        Change::Record(change) => records::change(transaction, commit, change),
        Change::Lake(version) => add_lake_version(transaction, version),
        Change::LakeForgotten { before } => {
            transaction
                .prepare_cached("DELETE FROM lake WHERE version < min(?1, (SELECT max(version) FROM lake))")?
                .execute([*before as i64])?;
            Ok(())
        }
    }
}

fn seal(transaction: &Transaction<'_>, after: u64, through: u64, segments: &[StoredSegment]) -> Result<(), Refused> {
    let moved = transaction
        .prepare_cached(
            "UPDATE sealed SET through = ?1 WHERE shard = 0 AND through = ?2 AND ?2 < ?1
             AND ?1 < (SELECT number FROM counter WHERE shard = 0)",
        )?
        .execute([through as i64, after as i64])?;
    if moved != 1 {
        return Err(Refused::Conflict(format!(
            "the tail is sealed further, or ends before: after={after} through={through}"
        )));
    }
    add_segments(transaction, segments)
}

fn replace(
    transaction: &Transaction<'_>,
    remove: &[u64],
    add: &[StoredSegment],
    removable_at: i64,
) -> Result<(), Refused> {
    for segment in remove {
        let objects = transaction
            .prepare_cached("DELETE FROM segments WHERE segment = ?1 RETURNING data, bundle")?
            .query_row([*segment as i64], |row| Ok([row.get::<_, String>(0)?, row.get(1)?]))
            .optional()?;
        let Some(objects) = objects else {
            return Err(Refused::Conflict(format!(
                "a segment is not there any more: segment={segment}"
            )));
        };
        let mut statement = transaction.prepare_cached("INSERT INTO garbage (object, removable_at) VALUES (?1, ?2)")?;
        for object in objects {
            statement.execute(params![object, removable_at])?;
        }
    }
    add_segments(transaction, add)
}

fn add_segments(transaction: &Transaction<'_>, segments: &[StoredSegment]) -> Result<(), Refused> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO segments VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)",
    )?;
    let mut count =
        transaction.prepare_cached("UPDATE sealed SET next_segment = ?1 + 1 WHERE shard = 0 AND next_segment <= ?1")?;
    for segment in segments {
        insert.execute(params![
            segment.segment as i64,
            segment.level,
            segment.commits.0 as i64,
            segment.commits.1 as i64,
            segment.ledgers.0 as i64,
            segment.ledgers.1 as i64,
            segment.filter,
            segment.events as i64,
            segment.occurred.0,
            segment.occurred.1,
            segment.received.0,
            segment.received.1,
            segment.retention_days,
            segment.data.name,
            segment.data.bytes as i64,
            segment.data.sha256,
            segment.bundle.name,
            segment.bundle.bytes as i64,
            segment.bundle.sha256,
        ])?;
        count.execute([segment.segment as i64])?;
    }
    Ok(())
}

fn move_floor(
    transaction: &Transaction<'_>,
    ledger: LedgerId,
    floor: Floor,
    tiles: &[StoredTile],
) -> Result<(), Refused> {
    let moved = transaction
        .prepare_cached(
            "INSERT INTO floors (ledger, floor, received_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (ledger) DO UPDATE SET floor = ?2, received_at = ?3 WHERE floor < ?2",
        )?
        .execute(params![ledger as i64, floor.sequence as i64, floor.received_at])?;
    if moved != 1 {
        return Err(Refused::Conflict(format!(
            "a floor only moves up: ledger={ledger} floor={}",
            floor.sequence
        )));
    }
    let mut forget = transaction.prepare_cached("DELETE FROM tiles WHERE ledger = ?1 AND tile = ?2")?;
    let mut keep =
        transaction.prepare_cached("INSERT OR REPLACE INTO tiles (ledger, tile, pieces) VALUES (?1, ?2, ?3)")?;
    for tile in tiles {
        let place = params![ledger as i64, tile.tile as i64];
        if tile.pieces.is_empty() {
            forget.execute(place)?;
        } else {
            keep.execute(params![ledger as i64, tile.tile as i64, pieces::encode(&tile.pieces)])?;
        }
    }
    Ok(())
}

fn set_retention(transaction: &Transaction<'_>, retention: &StoredRetention) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO retentions VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![
            retention.scope.project(),
            retention.scope.organization().unwrap_or(OF_PROJECT),
            encode_days(retention.days),
            retention.legal_hold,
            retention.pending.and_then(|pending| encode_days(pending.days)),
            retention.pending.map(|pending| pending.at),
        ])
        .map(drop)
}

fn redact(transaction: &Transaction<'_>, redaction: &StoredRedaction) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO redactions VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![
            redaction.ledger as i64,
            redaction.sequence as i64,
            PartSecret::encode(&redaction.secrets),
            redaction.redacted_at,
            redaction.rewritten,
        ])
        .map(drop)
}

fn add_lake_version(transaction: &Transaction<'_>, version: &LakeVersion) -> Result<(), Refused> {
    let next = next_lake_version(transaction)?;
    if version.version != next {
        return Err(Refused::Conflict(format!(
            "the lake's next version is another: next={next} version={}",
            version.version
        )));
    }
    transaction
        .prepare_cached("INSERT INTO lake (version, body) VALUES (?1, ?2)")?
        .execute(params![version.version as i64, version.body])?;
    Ok(())
}

/// The number for the lake's next version.
pub(super) fn next_lake_version(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_row("SELECT coalesce(max(version) + 1, 0) FROM lake", [], |row| {
        unsigned(row, 0)
    })
}

pub(super) fn lake(connection: &Connection, first: u64, count: u32) -> rusqlite::Result<Vec<LakeVersion>> {
    connection
        .prepare_cached("SELECT version, body FROM lake WHERE version >= ?1 ORDER BY version LIMIT ?2")?
        .query_map(params![first as i64, count], |row| {
            Ok(LakeVersion {
                version: unsigned(row, 0)?,
                body: row.get(1)?,
            })
        })?
        .collect()
}

fn malformed(what: &'static str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, what.into())
}

pub(super) fn segments(connection: &Connection) -> rusqlite::Result<Vec<StoredSegment>> {
    connection
        .prepare("SELECT * FROM segments ORDER BY segment")?
        .query_map([], |row| {
            Ok(StoredSegment {
                segment: unsigned(row, 0)?,
                level: row.get(1)?,
                commits: (unsigned(row, 2)?, unsigned(row, 3)?),
                ledgers: (unsigned(row, 4)?, unsigned(row, 5)?),
                filter: row.get(6)?,
                events: unsigned(row, 7)?,
                occurred: (row.get(8)?, row.get(9)?),
                received: (row.get(10)?, row.get(11)?),
                retention_days: row.get(12)?,
                data: object(row, 13)?,
                bundle: object(row, 16)?,
            })
        })?
        .collect()
}

fn object(row: &Row<'_>, column: usize) -> rusqlite::Result<StoredObject> {
    Ok(StoredObject {
        name: row.get(column)?,
        bytes: unsigned(row, column + 1)?,
        sha256: row.get(column + 2)?,
    })
}

/// The last sealed commit, and the number for the next segment.
pub(super) fn sealed(connection: &Connection) -> rusqlite::Result<(u64, u64)> {
    connection.query_row("SELECT through, next_segment FROM sealed WHERE shard = 0", [], |row| {
        Ok((unsigned(row, 0)?, unsigned(row, 1)?))
    })
}

pub(super) fn floors(connection: &Connection) -> rusqlite::Result<Vec<(LedgerId, Floor)>> {
    connection
        .prepare("SELECT ledger, floor, received_at FROM floors")?
        .query_map([], |row| {
            let floor = Floor {
                sequence: unsigned(row, 1)?,
                received_at: row.get(2)?,
            };
            Ok((unsigned(row, 0)?, floor))
        })?
        .collect()
}

pub(super) fn retentions(connection: &Connection) -> rusqlite::Result<Vec<StoredRetention>> {
    connection
        .prepare("SELECT project, organization, days, legal_hold, pending_days, pending_at FROM retentions")?
        .query_map([], |row| {
            let (project, organization) = (row.get::<_, String>(0)?, row.get::<_, String>(1)?);
            let pending_days = decode_days(row.get(4)?);
            let pending = row
                .get::<_, Option<i64>>(5)?
                .map(|at| PendingRetention { days: pending_days, at });
            Ok(StoredRetention {
                scope: match organization.as_str() {
                    OF_PROJECT => RetentionScope::Project(project.into()),
                    _ => RetentionScope::Organization(OrganizationKey::new(project, organization)),
                },
                days: decode_days(row.get(2)?),
                legal_hold: row.get(3)?,
                pending,
            })
        })?
        .collect()
}

pub(super) fn redactions(connection: &Connection) -> rusqlite::Result<Vec<StoredRedaction>> {
    connection
        .prepare("SELECT ledger, sequence, secrets, redacted_at, rewritten FROM redactions")?
        .query_map([], |row| {
            let secrets = PartSecret::decode(&row.get::<_, Vec<u8>>(2)?);
            Ok(StoredRedaction {
                ledger: unsigned(row, 0)?,
                sequence: unsigned(row, 1)?,
                secrets: secrets.ok_or_else(|| malformed("a redaction is malformed; run `trailbook fsck`"))?,
                redacted_at: row.get(3)?,
                rewritten: row.get(4)?,
            })
        })?
        .collect()
}

pub(super) fn pins(connection: &Connection) -> rusqlite::Result<Vec<StoredPin>> {
    connection
        .prepare("SELECT name, until FROM pins")?
        .query_map([], |row| {
            Ok(StoredPin {
                name: row.get(0)?,
                until: row.get(1)?,
            })
        })?
        .collect()
}

pub(super) fn tiles(
    connection: &Connection,
    ledger: LedgerId,
    first: u64,
    end: u64,
) -> rusqlite::Result<Vec<StoredTile>> {
    connection
        .prepare_cached("SELECT tile, pieces FROM tiles WHERE ledger = ?1 AND tile >= ?2 AND tile < ?3 ORDER BY tile")?
        .query_map(
            params![ledger as i64, first as i64, end.min(i64::MAX as u64) as i64],
            |row| {
                Ok(StoredTile {
                    ledger,
                    tile: unsigned(row, 0)?,
                    pieces: pieces::decode(&row.get::<_, Vec<u8>>(1)?)
                        .ok_or_else(|| malformed("what is kept of a tile is malformed; run `trailbook fsck`"))?,
                })
            },
        )?
        .collect()
}

/// What may be deleted at `now`; nothing while a backup is under way.
pub(super) fn garbage(connection: &Connection, now: i64) -> rusqlite::Result<Vec<Garbage>> {
    connection
        .prepare_cached(
            "SELECT object, removable_at FROM garbage WHERE removable_at <= ?1
             AND NOT EXISTS (SELECT 1 FROM pins WHERE until > ?1) ORDER BY object",
        )?
        .query_map([now], |row| {
            Ok(Garbage {
                object: row.get(0)?,
                removable_at: row.get(1)?,
            })
        })?
        .collect()
}

/// Takes a lease that nobody else holds.
pub(super) fn lease(connection: &Connection, job: &str, holder: &str, now: i64, until: i64) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(
            "INSERT INTO leases (job, holder, until) VALUES (?1, ?2, ?3)
             ON CONFLICT (job) DO UPDATE SET holder = ?2, until = ?3 WHERE holder = ?2 OR until <= ?4",
        )?
        .execute(params![job, holder, until, now])
        .map(|taken| taken == 1)
}

/// Gives back all leases of a holder.
pub(super) fn release(connection: &Connection, holder: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM leases WHERE holder = ?1")?
        .execute([holder])
        .map(drop)
}
