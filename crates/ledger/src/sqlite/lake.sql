-- Version 4 of the embedded database: versions of the lake's table. docs/formats/ledger.md says what the columns mean.
CREATE TABLE lake (
    version INTEGER PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;
