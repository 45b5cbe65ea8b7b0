-- Version 1 of the database in PostgreSQL. docs/formats/ledger.md says what the columns mean.
-- Names sort by their bytes, as in the embedded database.
CREATE TABLE deployment (
    shard smallint PRIMARY KEY,
    name text NOT NULL,
    secret bytea NOT NULL
);
CREATE TABLE counter (
    shard smallint PRIMARY KEY,
    era bigint NOT NULL,
    number bigint NOT NULL,
    chain bytea NOT NULL,
    committed_at bigint NOT NULL,
    heads_at bigint NOT NULL
) WITH (fillfactor = 10);
CREATE TABLE commits (
    number bigint PRIMARY KEY,
    chain bytea NOT NULL,
    token bytea NOT NULL
);
CREATE TABLE log (
    number bigint PRIMARY KEY,
    era bigint NOT NULL,
    chain bytea NOT NULL,
    committed_at bigint NOT NULL,
    body bytea,
    heads bytea NOT NULL,
    rest bytea NOT NULL
);
-- Events are compressed, hashes cannot be.
ALTER TABLE log ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE log ALTER COLUMN heads SET STORAGE EXTERNAL;
CREATE TABLE ledgers (
    ledger bigint PRIMARY KEY,
    project text COLLATE "C" NOT NULL,
    organization text COLLATE "C" NOT NULL,
    epoch bigint NOT NULL,
    size bigint NOT NULL,
    received_at bigint NOT NULL,
    frontier bytea NOT NULL,
    UNIQUE (project, organization)
) WITH (fillfactor = 70);
CREATE TABLE subtrees (
    ledger bigint NOT NULL,
    level smallint NOT NULL,
    position bigint NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (ledger, level, position)
);
CREATE TABLE checkpoints (
    ledger bigint NOT NULL,
    epoch bigint NOT NULL,
    size bigint NOT NULL,
    root bytea NOT NULL,
    note text NOT NULL,
    PRIMARY KEY (ledger, epoch, size)
);
CREATE TABLE answers (
    key bytea PRIMARY KEY,
    body bytea NOT NULL,
    receipt bytea NOT NULL,
    stored_at bigint NOT NULL
);
CREATE INDEX answers_by_age ON answers (stored_at);
CREATE TABLE client_ids (
    hour bigint NOT NULL,
    key bytea NOT NULL,
    content bytea NOT NULL,
    sequence bigint NOT NULL,
    id bytea NOT NULL,
    stored_at bigint NOT NULL,
    PRIMARY KEY (hour, key)
);
CREATE TABLE segments (
    segment bigint PRIMARY KEY,
    level smallint NOT NULL,
    first_commit bigint NOT NULL,
    last_commit bigint NOT NULL,
    first_ledger bigint NOT NULL,
    last_ledger bigint NOT NULL,
    ledger_filter bytea NOT NULL,
    events bigint NOT NULL,
    oldest_occurred_at bigint NOT NULL,
    newest_occurred_at bigint NOT NULL,
    oldest_received_at bigint NOT NULL,
    newest_received_at bigint NOT NULL,
    retention_days bigint,
    data text NOT NULL,
    data_bytes bigint NOT NULL,
    data_sha256 bytea NOT NULL,
    bundle text NOT NULL,
    bundle_bytes bigint NOT NULL,
    bundle_sha256 bytea NOT NULL
);
CREATE TABLE sealed (
    shard smallint PRIMARY KEY,
    through bigint NOT NULL,
    next_segment bigint NOT NULL
);
CREATE TABLE garbage (
    object text COLLATE "C" PRIMARY KEY,
    removable_at bigint NOT NULL
);
CREATE TABLE floors (
    ledger bigint PRIMARY KEY,
    floor bigint NOT NULL,
    received_at bigint NOT NULL
);
CREATE TABLE tiles (
    ledger bigint NOT NULL,
    tile bigint NOT NULL,
    pieces bytea NOT NULL,
    PRIMARY KEY (ledger, tile)
);
CREATE TABLE retentions (
    project text COLLATE "C" NOT NULL,
    organization text COLLATE "C" NOT NULL,
    days bigint,
    legal_hold boolean,
    pending_days bigint,
    pending_at bigint,
    PRIMARY KEY (project, organization)
);
CREATE TABLE redactions (
    ledger bigint NOT NULL,
    sequence bigint NOT NULL,
    secrets bytea NOT NULL,
    redacted_at bigint NOT NULL,
    rewritten boolean NOT NULL,
    PRIMARY KEY (ledger, sequence)
);
CREATE TABLE pins (
    name text COLLATE "C" PRIMARY KEY,
    until bigint NOT NULL
);
CREATE TABLE leases (
    job text COLLATE "C" PRIMARY KEY,
    holder text COLLATE "C" NOT NULL,
    until timestamptz NOT NULL
);
CREATE TABLE records (
    kind text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    value bytea NOT NULL,
    PRIMARY KEY (kind, id)
);
CREATE TABLE lake (
    version bigint PRIMARY KEY,
    body bytea NOT NULL
);
-- The nodes that work on this database, and up to which commit each of them knows everything.
CREATE TABLE nodes (
    node uuid PRIMARY KEY,
    name text NOT NULL,
    version text NOT NULL,
    position bigint NOT NULL,
    seen_at timestamptz NOT NULL
);
INSERT INTO counter VALUES (0, 1, 0, decode(repeat('00', 32), 'hex'), 0, 0);
INSERT INTO sealed VALUES (0, 0, 1);
