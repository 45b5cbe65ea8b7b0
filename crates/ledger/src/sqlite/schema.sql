-- Version 1 of the embedded database; history.sql makes it version 2. docs/formats/ledger.md says what the columns mean.
CREATE TABLE deployment (
    only INTEGER PRIMARY KEY CHECK (only = 0),
    name TEXT NOT NULL,
    secret BLOB NOT NULL
) STRICT;
CREATE TABLE counter (
    shard INTEGER PRIMARY KEY,
    era INTEGER NOT NULL,
    number INTEGER NOT NULL,
    chain BLOB NOT NULL,
    committed_at INTEGER NOT NULL,
    heads_at INTEGER NOT NULL
) STRICT;
CREATE TABLE commits (
    number INTEGER PRIMARY KEY,
    chain BLOB NOT NULL,
    token BLOB NOT NULL
) STRICT;
CREATE TABLE tail (
    number INTEGER PRIMARY KEY,
    body BLOB NOT NULL,
    heads BLOB NOT NULL
) STRICT;
CREATE TABLE ledgers (
    ledger INTEGER PRIMARY KEY,
    project TEXT NOT NULL,
    organization TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    size INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    frontier BLOB NOT NULL,
    UNIQUE (project, organization)
) STRICT;
CREATE TABLE subtrees (
    ledger INTEGER NOT NULL,
    level INTEGER NOT NULL,
    position INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (ledger, level, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoints (
    ledger INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (ledger, epoch, size)
) STRICT, WITHOUT ROWID;
CREATE TABLE answers (
    key BLOB PRIMARY KEY,
    body BLOB NOT NULL,
    receipt BLOB NOT NULL,
    stored_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX answers_by_age ON answers (stored_at);
CREATE TABLE client_ids (
    hour INTEGER NOT NULL,
    key BLOB NOT NULL,
    content BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    id BLOB NOT NULL,
    stored_at INTEGER NOT NULL,
    PRIMARY KEY (hour, key)
) STRICT, WITHOUT ROWID;
INSERT INTO counter VALUES (0, 1, 0, zeroblob(32), 0, 0);
