//! How alerts tell people and programs: letters by the mail server, requests through the door to customers' servers.
//!
//! Not here: when alerts fire and whom they tell (`trailbook_deliver::alert`), who sets them up (`http::alerts`).

mod letter;

use std::sync::Arc;

use async_trait::async_trait;
use trailbook_access::{act, records::Alert};
use trailbook_deliver::{
    alert::{self, Notice},
    labels::Labels,
    sink::Failure,
};

use crate::{
    deliveries::Workshop,
    mail::{NotSent, NotTaken, Post, Subject},
};

/// Tells what alerts found.
pub(crate) struct Messenger {
    workshop: Arc<Workshop>,
    post: Post,
}

impl Messenger {
    /// With the door and the secrets of deliveries, and the way to the mail server.
    pub(crate) fn new(workshop: Arc<Workshop>, post: Post) -> Self {
        Self { workshop, post }
    }

    /// What people of the alert's organization see for the values of its events.
    fn labels(&self, notice: &Notice) -> Labels {
        let workshop = &self.workshop;
        let vocabulary = workshop.catalogs.of(&workshop.directory, &notice.alert.project);
        let catalog = vocabulary.map(|vocabulary| vocabulary.catalog.clone());
        let words = notice.policy.labels.clone();
        let catalogs = catalog.into_iter().chain([act::catalog()]);
        Labels::new(catalogs.collect(), words.fields, words.values)
    }
}

#[async_trait]
impl alert::Messenger for Messenger {
    async fn mail(&self, to: &str, notice: &Notice) -> Result<(), Failure> {
        let refused = |reason: &str| Failure::Refused {
            reason: reason.to_owned(),
        };
        let place = self.post.reserve(to).map_err(|why| match why {
            NotSent::NoServer => Failure::later("No mail server is set up (smtp_url)."),
            NotSent::Full => Failure::later("Too many letters wait to be sent."),
            NotSent::Address => refused("It is not an e-mail address."),
        })?;
        let report = letter::report(notice, &self.labels(notice));
        let link = notice.link.clone().unwrap_or_default();
        let delivered = place.deliver(Subject::Report(Box::new(report)), link, notice.id.clone());
        delivered.await.map_err(|why| match why {
            NotTaken::Later(reason) => Failure::later(format!("The mail server did not take the letter ({reason}).")),
            NotTaken::Never => refused("The mail server does not take letters to this address."),
        })
    }

    async fn webhook(&self, alert: &Alert, id: &str, body: Vec<u8>) -> Result<(), Failure> {
        let webhook = self.workshop.webhook_of(alert).map_err(Failure::later)?;
        webhook.send_json(id, body).await
    }
}
