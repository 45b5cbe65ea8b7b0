//! What a node does beside its work: hears that others committed, says that it is still there, erases what nobody needs.
//!
//! Invariant: whoever waits for news hears within a second of a commit, also when what the server makes known is lost.

use std::{
    future::poll_fn,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{task::JoinSet, time::sleep};
use tokio_postgres::AsyncMessage;

use super::{
    connect::{Purpose, Target},
    error::ConnectError,
    nodes,
    shared::Shared,
    write::NEWS,
};

/// How often the newest commit is asked for, should what is made known be lost.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How long to wait before listening again; doubles up to the maximum.
const AGAIN_FIRST: Duration = Duration::from_millis(100);
const AGAIN_MAX: Duration = Duration::from_secs(5);
/// How long a statement may take.
const STATEMENT_MAX: Duration = Duration::from_secs(10);

/// Starts it; it ends when the answer is dropped.
pub(super) fn start(shared: &Arc<Shared>) -> JoinSet<()> {
    let mut work = JoinSet::new();
    work.spawn(listen(Arc::clone(shared)));
    work.spawn(ask(Arc::clone(shared)));
    work.spawn(keep(Arc::clone(shared)));
    work
}

async fn listen(shared: Arc<Shared>) {
    let mut pause = AGAIN_FIRST;
    loop {
        match hear(&shared, &shared.target).await {
            Ok(()) => pause = AGAIN_FIRST,
            Err(error) => tracing::warn!(%error, "news of other nodes' commits come by asking alone for now"),
        }
        sleep(pause).await;
        pause = (pause * 2).min(AGAIN_MAX);
    }
}

/// Hears until the connection ends.
async fn hear(shared: &Shared, target: &Target) -> Result<(), ConnectError> {
    let (client, mut connection) = target.connect(Purpose::Read(STATEMENT_MAX)).await?;
    let listening = async {
        let listened = client.batch_execute(&format!("LISTEN {NEWS}")).await;
        // What was committed before is found by asking.
        listened.map(|()| std::future::pending::<()>())?.await;
        Ok(())
    };
    let hearing = async {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let AsyncMessage::Notification(notification) = message
                && notification.process_id() != shared.process.load(Ordering::Relaxed)
                && let Ok(number) = notification.payload().parse()
            {
                shared.tell(number);
            }
        }
    };
    tokio::select! {
        listened = listening => listened,
        () = hearing => Ok(()),
    }
}

async fn ask(shared: Arc<Shared>) {
    loop {
        sleep(ASK_EVERY).await;
        // Whoever reads is told of a failure; nobody waits here.
        if let Ok(newest) = super::read::newest(&shared.pool).await
            && newest.commit != shared.position.load(Ordering::Relaxed)
        {
            shared.tell(newest.commit);
        }
    }
}

async fn keep(shared: Arc<Shared>) {
    loop {
        sleep(shared.options.seen_every).await;
        if !shared.is_entered.load(Ordering::Relaxed) {
            continue;
        }
        let kept = async {
            shared.enter().await?;
            nodes::erase(&shared.pool).await
        };
        if let Err(error) = kept.await {
            tracing::warn!(%error, "this node could not say that it is there");
        }
    }
}
