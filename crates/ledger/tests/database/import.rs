//! A deployment moves from one machine to PostgreSQL: everything is there, and it goes on.

use trailbook_ledger::{
    ImportError, OpenError, OrganizationKey, PartSecret, RetentionScope,
    database::{
        Change, Database, Floor, Group, PendingRetention, StoredPin, StoredRedaction, StoredRetention, StoredTile,
    },
    import,
};
use trailbook_merkle::Hash;

use crate::{
    follow::everything,
    support::{Scratch, Served, changes, client, events, group, load, segment, tail},
};

/// Something in every table.
async fn fill(database: &dyn Database) {
    load(database).await;
    database.commit(everything(1)).await.unwrap();
    database.commit(events(2, 3)).await.unwrap();
    let retention = |scope, legal_hold| StoredRetention {
        scope,
        days: Some(None),
        legal_hold,
        pending: Some(PendingRetention {
            days: Some(Some(30)),
            at: 7,
        }),
    };
    let acme = RetentionScope::Organization(OrganizationKey::new("default", "acme"));
    let floor = Change::Floor {
        ledger: 1,
        floor: Floor {
            sequence: 300,
            received_at: -5,
        },
        tiles: vec![StoredTile {
            ledger: 1,
            tile: 0,
            pieces: vec![(3, 2, Hash([1; 32]))],
        }],
    };
    let redaction = StoredRedaction {
        ledger: 1,
        sequence: 1,
        secrets: Box::new([PartSecret::Salt([4; 32]); 5]),
        redacted_at: 8,
        rewritten: true,
    };
    let kept = [
        Change::Seal {
            after: 0,
            through: 1,
            segments: vec![segment(1, (1, 1)), segment(2, (1, 1))],
        },
        Change::Replace {
            remove: vec![2],
            add: vec![segment(3, (1, 1))],
            removable_at: 5,
        },
        floor,
        Change::Retention(retention(acme, Some(true))),
        Change::Retention(retention(RetentionScope::Project("default".into()), None)),
        Change::Redact(redaction),
        Change::Pin(StoredPin {
            name: "backup".to_owned(),
            until: 4,
        }),
    ];
    database.commit(changes(3, kept)).await.unwrap();
    database.commit(events(4, 5)).await.unwrap();
}

/// What a database answers, as text.
async fn says(database: &dyn Database) -> Vec<String> {
    let records = database.records().await.unwrap();
    vec![
        format!("{:?}", load(database).await),
        format!("{:?}", tail(database).await),
        format!("{:?}", records.iter().map(|record| &record.value).collect::<Vec<_>>()),
        format!("{records:?}"),
        format!("{:?}", database.lake(0, 10).await.unwrap()),
        format!("{:?}", database.garbage(5).await.unwrap()),
        format!("{:?}", database.tiles(1, 0, 9).await.unwrap()),
        format!("{:?}", database.subtrees(1, 1, 0, 9).await.unwrap()),
        format!("{:?}", database.checkpoints(1).await.unwrap()),
        format!("{:?}", database.answer([1; 32]).await.unwrap()),
        format!("{:?}", database.client_ids(vec![[5; 16]], 0).await.unwrap()),
        format!("{:?}", database.remembered(0).await.unwrap()),
        format!("{:?}", database.chain(2).await.unwrap()),
        format!("{:?}", database.committed([2; 16]).await.unwrap()),
    ]
}

#[tokio::test]
async fn everything_is_there_after_a_move_and_it_goes_on() {
    let (scratch, place) = (Scratch::new(), Served::new());
    let (url, sqlite) = (place.database.url(), scratch.sqlite());
    fill(&sqlite).await;
    let before = says(&sqlite).await;
    let in_use = import(scratch.directory(), &url).await;
    assert!(matches!(in_use, Err(ImportError::Source(OpenError::InUse { .. }))));
    drop(sqlite);

    let imported = import(scratch.directory(), &url).await.unwrap();
    assert_eq!(format!("{:?}", imported.source), before[0]);
    assert_eq!(format!("{:?}", imported.target), before[0]);
    let database = place.postgres().await;
    assert_eq!(says(&database).await, before);
    assert_eq!(says(&scratch.sqlite()).await, before, "the source stays as it is");

    assert_eq!(database.lock(4).await.unwrap().1, []);
    database.commit(events(5, 6)).await.unwrap();
    let seal = Change::Seal {
        after: 1,
        through: 5,
        segments: vec![segment(4, (2, 5))],
    };
    database.commit(changes(6, [seal])).await.unwrap();
    let twice = import(scratch.directory(), &url).await;
    assert!(matches!(twice, Err(ImportError::NotEmpty(name)) if name == "trailbook/000000000000"));
    assert_eq!(load(&database).await.head.commit, 6);
}

#[tokio::test]
async fn a_move_that_breaks_off_leaves_the_target_empty() {
    let (scratch, place) = (Scratch::new(), Served::new());
    let sqlite = scratch.sqlite();
    fill(&sqlite).await;
    drop(sqlite);
    // The last table of all is in the way of what comes into it.
    drop(place.postgres().await);
    let admin = client(&place.database.url()).await;
    admin
        .batch_execute("INSERT INTO lake VALUES (0, 'in the way')")
        .await
        .unwrap();
    let failed = import(scratch.directory(), &place.database.url()).await;
    assert!(matches!(failed, Err(ImportError::Target(_))));
    admin.batch_execute("DELETE FROM lake").await.unwrap();
    let database = place.postgres().await;
    let loaded = load(&database).await;
    assert_eq!(
        (loaded.head.commit, loaded.heads.len(), loaded.segments.len()),
        (0, 0, 0)
    );
    database.commit(Group { era: 1, ..group(1) }).await.unwrap();
}

#[tokio::test]
async fn a_directory_without_a_deployment_is_not_moved() {
    let (scratch, place) = (Scratch::new(), Served::new());
    let failed = import(scratch.directory(), &place.database.url()).await;
    assert!(matches!(failed, Err(ImportError::Source(_))));
    load(&place.postgres().await).await;
}
