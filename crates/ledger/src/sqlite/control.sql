-- Version 3 of the embedded database: control records, and retentions by scope. docs/formats/ledger.md says what the columns mean.
CREATE TABLE records (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
ALTER TABLE retentions RENAME TO retentions_of_organizations;
CREATE TABLE retentions (
    project TEXT NOT NULL,
    organization TEXT NOT NULL,
    days INTEGER,
    legal_hold INTEGER,
    pending_days INTEGER,
    pending_at INTEGER,
    PRIMARY KEY (project, organization)
) STRICT, WITHOUT ROWID;
-- Days are for ever where they were null. That there is no hold was not said of anything above an organization.
INSERT INTO retentions SELECT project, organization, coalesce(days, 0), nullif(legal_hold, 0), pending_days, pending_at
    FROM retentions_of_organizations;
DROP TABLE retentions_of_organizations;
