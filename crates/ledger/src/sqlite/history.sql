-- Version 2 of the embedded database: what history needs. docs/formats/ledger.md says what the columns mean.
CREATE TABLE segments (
    segment INTEGER PRIMARY KEY,
    level INTEGER NOT NULL,
    first_commit INTEGER NOT NULL,
    last_commit INTEGER NOT NULL,
    first_ledger INTEGER NOT NULL,
    last_ledger INTEGER NOT NULL,
    ledger_filter BLOB NOT NULL,
    events INTEGER NOT NULL,
    oldest_occurred_at INTEGER NOT NULL,
    newest_occurred_at INTEGER NOT NULL,
    oldest_received_at INTEGER NOT NULL,
    newest_received_at INTEGER NOT NULL,
    retention_days INTEGER,
    data TEXT NOT NULL,
    data_bytes INTEGER NOT NULL,
    data_sha256 BLOB NOT NULL,
    bundle TEXT NOT NULL,
    bundle_bytes INTEGER NOT NULL,
    bundle_sha256 BLOB NOT NULL
) STRICT;
CREATE TABLE sealed (
    shard INTEGER PRIMARY KEY,
    through INTEGER NOT NULL,
    next_segment INTEGER NOT NULL
) STRICT;
CREATE TABLE garbage (
    object TEXT PRIMARY KEY,
    removable_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE floors (
    ledger INTEGER PRIMARY KEY,
    floor INTEGER NOT NULL,
    received_at INTEGER NOT NULL
) STRICT;
CREATE TABLE tiles (
    ledger INTEGER NOT NULL,
    tile INTEGER NOT NULL,
    pieces BLOB NOT NULL,
    PRIMARY KEY (ledger, tile)
) STRICT, WITHOUT ROWID;
CREATE TABLE retentions (
    project TEXT NOT NULL,
    organization TEXT NOT NULL,
    days INTEGER,
    legal_hold INTEGER NOT NULL,
    pending_days INTEGER,
    pending_at INTEGER,
    PRIMARY KEY (project, organization)
) STRICT, WITHOUT ROWID;
CREATE TABLE redactions (
    ledger INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    secrets BLOB NOT NULL,
    redacted_at INTEGER NOT NULL,
    rewritten INTEGER NOT NULL,
    PRIMARY KEY (ledger, sequence)
) STRICT, WITHOUT ROWID;
CREATE TABLE pins (
    name TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE leases (
    job TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO sealed VALUES (0, 0, 1);
