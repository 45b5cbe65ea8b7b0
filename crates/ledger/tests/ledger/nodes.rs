//! Several nodes on one PostgreSQL database and one store of objects.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use trailbook_ledger::{
    Error, Job, Ledger, Measures, Parts, Postgres, PostgresOptions, Settlement, database::RecordChange,
    recover_in_new_epoch,
};
use trailbook_testkit::{PostgresDatabase, PostgresServer};

use crate::support::{Scratch, close, content, event, event_with_client_id, organization, rows};

/// Nodes to come, and what they share.
struct Cluster {
    scratch: Scratch,
    database: PostgresDatabase,
    _server: PostgresServer,
}

impl Cluster {
    fn new() -> Self {
        let server = PostgresServer::shared();
        let scratch = Scratch::new();
        Self {
            scratch,
            database: server.database(),
            _server: server,
        }
    }

    async fn parts(&self) -> Parts {
        let measures = Arc::new(Measures::default());
        let url = self.database.url();
        let connected = Postgres::connect(&url, PostgresOptions::default(), Arc::clone(&measures));
        self.scratch.parts_on(Arc::new(connected.await.unwrap()), measures)
    }

    async fn node(&self) -> Ledger {
        Ledger::open(self.parts().await).await.unwrap()
    }

    async fn nodes<const N: usize>(&self) -> [Ledger; N] {
        let nodes = join_all((0..N).map(|_| self.node())).await;
        nodes.try_into().ok().unwrap()
    }

    async fn append(&self, node: &Ledger, lines: &str) -> Result<Vec<u64>, Error> {
        let receipt = self.scratch.append(node, lines).await?;
        Ok(receipt.events.iter().map(|stored| stored.sequence).collect())
    }

    /// All nodes say the same of the organizations, and what is stored says so too.
    async fn assert_agreed(&self, nodes: &[Ledger], names: &[&str]) {
        for node in nodes {
            node.catch_up().await.unwrap();
        }
        for name in names {
            let said: Vec<Vec<_>> = nodes
                .iter()
                .map(|node| rows(node, name).iter().map(|row| (row.id, content(row))).collect())
                .collect();
            assert!(said.windows(2).all(|pair| pair[0] == pair[1]), "{name}");
            let numbers = said[0].iter().map(|(_, (sequence, _))| *sequence);
            assert!(numbers.eq(0..said[0].len() as u64), "{name}");
            assert!(said[0].is_sorted_by(|one, next| one.0 < next.0), "ids ascend");
        }
        let report = trailbook_ledger::fsck(&self.parts().await, true).await.unwrap();
        assert!(report.findings.is_empty(), "{:#?}", report.findings);
    }

    async fn sql(&self, statements: &str) {
        let (client, connection) = tokio_postgres::connect(&self.database.url(), tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        client.batch_execute(statements).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_acknowledged_every_node_has_and_numbers_go_on() {
    let cluster = Cluster::new();
    let nodes: [Ledger; 3] = cluster.nodes().await;
    for number in 0..30 {
        let node = &nodes[number % 3];
        let stored = cluster.append(node, &event("acme", number)).await.unwrap();
        assert_eq!(stored, [number as u64]);
        let other = &nodes[(number + 1) % 3];
        other.catch_up().await.unwrap();
        assert_eq!(rows(other, "acme").len(), number + 1);
    }
    // At once, to organizations old and new.
    let writes = (0..60).map(|number| {
        let (cluster, node) = (&cluster, &nodes[number % 3]);
        async move {
            let lines = event("acme", number) + &event(["globex", "initech"][number % 2], number);
            cluster.append(node, &lines).await.unwrap();
        }
    });
    join_all(writes).await;
    cluster.assert_agreed(&nodes, &["acme", "globex", "initech"]).await;
    assert_eq!(rows(&nodes[0], "acme").len(), 90);
    let late = cluster.node().await;
    assert_eq!(rows(&late, "acme").len(), 90);
    join_all(nodes.into_iter().chain([late]).map(close)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_sent_to_all_nodes_at_once_is_stored_once() {
    let cluster = Cluster::new();
    let nodes: [Ledger; 3] = cluster.nodes().await;
    for number in 0..20 {
        let lines = event_with_client_id("acme", &format!("c{number}"), number);
        let receipts = join_all(nodes.iter().map(|node| cluster.scratch.append(node, &lines))).await;
        let receipts: Vec<_> = receipts.into_iter().map(Result::unwrap).collect();
        assert_eq!(receipts.iter().map(|receipt| receipt.accepted()).sum::<usize>(), 1);
        assert!(
            receipts
                .iter()
                .all(|receipt| receipt.events[0].sequence == number as u64)
        );

        let (key, lines) = (format!("k{number}"), event("globex", number));
        let sent = nodes.iter().map(|node| {
            let submission = cluster.scratch.submission(node, &lines, Some((&key, &lines)));
            node.append(submission)
        });
        let receipts: Vec<_> = join_all(sent).await.into_iter().map(Result::unwrap).collect();
        assert!(receipts.iter().all(|receipt| *receipt == receipts[0]), "{receipts:?}");
        // Long after, on a node that did not store it.
        let other = cluster
            .scratch
            .submission(&nodes[number % 3], &lines, Some((&key, "another body")));
        let reused = nodes[number % 3].append(other).await;
        assert!(matches!(reused, Err(Error::IdempotencyKeyReused)), "{reused:?}");
    }
    cluster.assert_agreed(&nodes, &["acme", "globex"]).await;
    assert_eq!(rows(&nodes[2], "globex").len(), 20);
    join_all(nodes.map(close)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_of_many_signers_are_one_line_of_checkpoints() {
    let cluster = Cluster::new();
    let nodes: [Ledger; 3] = cluster.nodes().await;
    let acme = organization("acme");
    let mut signed = Vec::new();
    for number in 0..10 {
        cluster
            .append(&nodes[number % 3], &event("acme", number))
            .await
            .unwrap();
        cluster.scratch.clock.advance(2000);
        let answers = join_all(nodes.iter().map(|node| async {
            node.catch_up().await.unwrap();
            node.checkpoint(&acme).await.unwrap()
        }));
        signed.extend(answers.await);
    }
    for checkpoint in &signed {
        let stored = nodes[0].checkpoint_at(&acme, checkpoint.size).await.unwrap();
        assert_eq!(*checkpoint, stored, "one note for one size");
    }
    assert_eq!(signed.last().unwrap().size, 10);
    cluster.assert_agreed(&nodes, &["acme"]).await;
    join_all(nodes.map(close)).await;
}

/// It used to follow nobody any more: reads missed what others acknowledged, and keys that were revoked went on working there.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_refuses_to_write_for_its_clock_still_reads_what_others_write() {
    let cluster = Cluster::new();
    let right = cluster.node().await;
    cluster.append(&right, &event("acme", 0)).await.unwrap();
    cluster.scratch.clock.set_off_by(-120_000);
    let late = cluster.node().await;
    cluster.scratch.clock.set_off_by(120_000);
    assert!(matches!(late.ready(0), Err(Error::Refused { .. })));
    cluster.append(&right, &event("acme", 1)).await.unwrap();
    late.catch_up().await.unwrap();
    assert_eq!(rows(&late, "acme").len(), 2);
    close(right).await;
    close(late).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_another_key_signs_nothing_that_others_signed_before() {
    let cluster = Cluster::new();
    let right = cluster.node().await;
    let wrong = Parts {
        signing_key: [8; 32],
        ..cluster.parts().await
    };
    let wrong = Ledger::open(wrong).await.unwrap();
    let acme = organization("acme");
    cluster.append(&right, &event("acme", 0)).await.unwrap();
    right.checkpoint(&acme).await.unwrap();
    cluster.append(&wrong, &event("acme", 1)).await.unwrap();
    let refused = wrong.checkpoint(&acme).await;
    assert!(
        matches!(&refused, Err(Error::Refused { reason }) if reason.contains("signing_key")),
        "{refused:?}"
    );
    cluster.scratch.clock.advance(2000);
    right.catch_up().await.unwrap();
    assert_eq!(right.checkpoint(&acme).await.unwrap().size, 2);
    close(right).await;
    close(wrong).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_both_believe_to_own_a_job_do_no_harm() {
    let mut cluster = Cluster::new();
    cluster.scratch.limits.seal_events = 4;
    let nodes: [Ledger; 3] = cluster.nodes().await;
    for round in 0..8 {
        for number in 0..12 {
            let node = &nodes[number % 3];
            cluster.append(node, &event("acme", 12 * round + number)).await.unwrap();
        }
        // Without a look at any lease. Who comes second is refused, and nothing of it is stored.
        let sealed = join_all(nodes.iter().map(Ledger::seal)).await;
        assert!(sealed.iter().any(Result::is_ok), "{sealed:?}");
        let compacted = join_all(nodes.iter().map(Ledger::compact)).await;
        assert!(compacted.iter().any(Result::is_ok), "{compacted:?}");
    }
    cluster.assert_agreed(&nodes, &["acme"]).await;
    assert_eq!(rows(&nodes[1], "acme").len(), 96);
    join_all(nodes.map(close)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_moves_on_from_a_node_that_went_away() {
    let cluster = Cluster::new();
    let [one, other] = cluster.nodes().await;
    let (holder, heir) = (one.new_holder(), other.new_holder());
    assert!(one.lease(Job::Seal.name(), &holder).await.unwrap());
    assert!(!other.lease(Job::Seal.name(), &heir).await.unwrap());
    close(one).await;
    assert!(other.lease(Job::Seal.name(), &heir).await.unwrap(), "it was given back");
    close(other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_heard_of_on_every_node_in_the_order_of_commits() {
    let cluster = Cluster::new();
    let [one, other] = cluster.nodes().await;
    let settle = |version: Option<u64>, value: Option<&str>| Settlement {
        records: vec![RecordChange {
            kind: "thing".to_owned(),
            id: "a".to_owned(),
            expected: version,
            value: value.map(|value| value.as_bytes().to_vec()),
        }],
        ..Settlement::default()
    };
    let first = one.settle(settle(None, Some("1"))).await.unwrap();
    other.catch_up().await.unwrap();
    let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
    let hears = Arc::clone(&heard);
    let observed = other.observe_records(move |commit, records| {
        let values = records.iter().map(|record| (commit, record.value.clone()));
        hears.lock().unwrap().extend(values);
        Ok(())
    });
    observed.await.unwrap();
    let second = one.settle(settle(Some(first), Some("2"))).await.unwrap();
    let third = one.settle(settle(Some(second), None)).await.unwrap();
    other.catch_up().await.unwrap();
    let said = |commit, value: Option<&str>| (commit, value.map(|value| value.as_bytes().to_vec()));
    let expected = [said(first, Some("1")), said(second, Some("2")), said(third, None)];
    assert_eq!(*heard.lock().unwrap(), expected);
    // Who decides on something older is refused.
    let stale = other.settle(settle(Some(first), Some("3"))).await;
    assert!(matches!(stale, Err(Error::Conflict { .. })), "{stale:?}");
    close(one).await;
    close(other).await;
}

/// Takes the newest commits away, as a standby that lagged does: the heads of the ledgers lie beside the commits.
async fn take_away_after(cluster: &Cluster, commit: u64) {
    cluster
        .sql(&format!(
            "UPDATE counter SET number = {commit}, chain = (SELECT chain FROM commits WHERE number = {commit});
             DELETE FROM commits WHERE number > {commit}; DELETE FROM log WHERE number > {commit}"
        ))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_went_back_is_noticed_by_every_node_and_a_new_epoch_is_the_way_out() {
    let cluster = Cluster::new();
    let [knows, idle] = cluster.nodes().await;
    for number in 0..3 {
        cluster.append(&knows, &event("acme", number)).await.unwrap();
    }
    idle.catch_up().await.unwrap();
    let before = *knows.commits().borrow();
    cluster.append(&knows, &event("acme", 3)).await.unwrap();
    take_away_after(&cluster, before).await;

    let refused = cluster.append(&knows, &event("acme", 4)).await.unwrap_err();
    assert!(
        matches!(&refused, Error::Refused { reason } if reason.contains("trailbook recover")),
        "{refused}"
    );
    assert_eq!(rows(&knows, "acme").len(), 4, "reads go on");
    assert!(knows.checkpoint(&organization("acme")).await.is_err());
    // What the first one knows was published: whoever starts finds it, and so does the other one when it looks.
    let late = cluster.node().await;
    assert!(matches!(late.ready(0), Err(Error::Refused { .. })));
    while idle.ready(0).is_ok() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    close(late).await;

    let recovered = recover_in_new_epoch(cluster.parts().await, "a standby lagged")
        .await
        .unwrap();
    assert_eq!((recovered.era, recovered.ledgers), (2, 1));
    for node in [knows, idle] {
        let stopped = node.fatal().wait_for(Option::is_some).await.unwrap().clone();
        assert!(stopped.unwrap().contains("start again"));
        close(node).await;
    }
    let [one, other] = cluster.nodes().await;
    assert_eq!(cluster.append(&one, &event("acme", 5)).await.unwrap(), [4]);
    cluster.assert_agreed(&[one.clone(), other.clone()], &["acme"]).await;
    close(one).await;
    close(other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_whose_history_was_replaced_is_noticed_although_it_is_longer() {
    let cluster = Cluster::new();
    let knows = cluster.node().await;
    for number in 0..3 {
        cluster.append(&knows, &event("acme", number)).await.unwrap();
    }
    let before = *knows.commits().borrow() - 1;
    take_away_after(&cluster, before).await;
    // Somebody who looked before anything was published goes on.
    let unaware = cluster.node().await;
    for number in 10..15 {
        cluster.append(&unaware, &event("acme", number)).await.unwrap();
    }
    let refused = cluster.append(&knows, &event("acme", 4)).await.unwrap_err();
    assert!(matches!(refused, Error::Refused { .. }), "{refused}");
    while unaware.ready(0).is_ok() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    close(knows).await;
    close(unaware).await;
}

/// A node that was paused for minutes was not waited for: what it missed has left the log. It used to answer 503 from then on, for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_missed_what_is_not_remembered_any_more_ends_so_that_it_starts_again() {
    let cluster = Cluster::new();
    let [node] = cluster.nodes().await;
    cluster.append(&node, &event("acme", 0)).await.unwrap();
    // Two commits that are in the table of heads alone.
    cluster.sql("UPDATE counter SET number = number + 2").await;
    let refused = node.catch_up().await.unwrap_err();
    assert!(matches!(refused, Error::Refused { .. }), "{refused}");
    let stopped = node.fatal().wait_for(Option::is_some).await.unwrap().clone();
    assert!(stopped.unwrap().contains("start again"));
}
