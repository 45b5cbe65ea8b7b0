//! What an object store lets us do, tried out: `serve` looks before it starts, `trailbook doctor` looks at everything.

use std::{error::Error as _, fmt, time::Duration};

use futures::{StreamExt, TryStreamExt, future::join_all};
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutPayload, path::Path};
use tokio::time::timeout;

/// What one thing that is tried may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Where objects are put that are only tried.
const DIRECTORY: &str = "doctor";
/// Writers that race for one name.
const RACERS: usize = 16;

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Check {
    /// Which.
    pub(crate) name: &'static str,
    /// Whether it is as it must be.
    pub(crate) ok: bool,
    /// What was found.
    pub(crate) detail: String,
    /// What to do; empty when there is nothing to do.
    pub(crate) remedy: String,
}

/// How much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Listing and reading; nothing changes.
    Reading,
    /// Putting, reading back and deleting as well, below `doctor/`, and the race for a name.
    All,
}

/// Tries out a store. `unique` names what is put: the same name is not used twice.
pub(crate) async fn examine(store: &dyn ObjectStore, extent: Extent, unique: &str) -> Vec<Check> {
    let name = Path::from(format!("{DIRECTORY}/{unique}"));
    let mut checks = vec![
        check("list objects", "s3:ListBucket", list(store)).await,
        check("read objects", "s3:GetObject", absent(store, &name)).await,
    ];
    if extent == Extent::Reading || checks.iter().any(|check| !check.ok) {
        return checks;
    }
    checks.push(check("put objects", "s3:PutObject", put(store, &name)).await);
    if checks.iter().all(|check| check.ok) {
        checks.push(check("read what was put", "s3:GetObject", read_back(store, &name)).await);
        checks.push(check("delete objects", "s3:DeleteObject", delete(store, &name)).await);
        checks.push(race(store, &Path::from(format!("{DIRECTORY}/{unique}-race"))).await);
    }
    checks
}

async fn check(name: &'static str, right: &str, work: impl Future<Output = Result<String, Found>>) -> Check {
    let outcome = timeout(PATIENCE, work).await.unwrap_or(Err(Found::Late));
    match outcome {
        Ok(detail) => Check {
            name,
            ok: true,
            detail,
            remedy: String::new(),
        },
        Err(found) => Check {
            name,
            ok: false,
            remedy: found.remedy(right),
            detail: found.to_string(),
        },
    }
}

/// Why something could not be done.
enum Found {
    Store(Error),
    Differs(String),
    Late,
}

impl From<Error> for Found {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl fmt::Display for Found {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(formatter),
            Self::Differs(what) => formatter.write_str(what),
            Self::Late => write!(formatter, "no answer in {} seconds", PATIENCE.as_secs()),
        }
    }
}

impl Found {
    /// What to do, when `right` is what is needed.
    fn remedy(&self, right: &str) -> String {
        let Self::Store(error) = self else {
            return "look at the store's own log; other stores are listed in docs/operate/objects.md".to_owned();
        };
        let said = chain(error);
        if said.contains("RequestTimeTooSkewed") {
            return "set this machine's clock: the store refuses requests whose time is minutes off".to_owned();
        }
        // A list that is refused comes as an error without a kind.
        let is_refused = ["403 Forbidden", "401 Unauthorized"]
            .iter()
            .any(|status| said.contains(status));
        match error {
            Error::NotFound { .. } => no_bucket(),
            _ if said.contains("404 Not Found") => no_bucket(),
            _ if is_refused => format!(
                "correct the keys (objects_access_key, objects_secret_key, objects_credentials) and objects_region, or give them \
                 the right {right}, as in docs/operate/objects.md"
            ),
            _ if said.contains("certificate") || said.contains("TLS") => {
                "the store's certificate is not trusted here: install its authority, or set SSL_CERT_FILE".to_owned()
            }
            _ => "see that this machine reaches the store: objects_endpoint, the network, and the store itself"
                .to_owned(),
        }
    }
}

fn no_bucket() -> String {
    "the bucket is not there: make it, or correct objects and objects_endpoint".to_owned()
}

/// Everything that an error says, with its causes.
fn chain(error: &Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        said.push_str(&format!(": {error}"));
        cause = error.source();
    }
    said
}

async fn list(store: &dyn ObjectStore) -> Result<String, Found> {
    let first = store.list(None).take(1).try_collect::<Vec<_>>().await?;
    Ok(if first.is_empty() {
        "there are none yet"
    } else {
        "there are some"
    }
    .to_owned())
}

/// Whoever may read is told that an object is not there.
async fn absent(store: &dyn ObjectStore, name: &Path) -> Result<String, Found> {
    match store.get(name).await {
        Err(Error::NotFound { .. }) => Ok("an object that is not there is not there".to_owned()),
        Err(error) => Err(error.into()),
        Ok(_) => Err(Found::Differs(format!("{name} is there, which nobody put"))),
    }
}

fn content(name: &Path) -> Vec<u8> {
    format!("put by trailbook doctor: {name}\n").into_bytes()
}

async fn put(store: &dyn ObjectStore, name: &Path) -> Result<String, Found> {
    store.put(name, PutPayload::from(content(name))).await?;
    Ok(format!("{name} was put"))
}

async fn read_back(store: &dyn ObjectStore, name: &Path) -> Result<String, Found> {
    let expected = content(name);
    let whole = store.get(name).await?.bytes().await?;
    let length = store.head(name).await?.size;
    let part = store.get_range(name, 4..8).await?;
    if whole != expected || length != expected.len() as u64 || part != expected[4..8] {
        return Err(Found::Differs("what was read is not what was put".to_owned()));
    }
    let listed: Vec<_> = store.list(Some(&Path::from(DIRECTORY))).try_collect().await?;
    match listed.iter().any(|listed| listed.location == *name) {
        true => Ok("whole, in part, and in the list".to_owned()),
        false => Err(Found::Differs("what was put is not in the list".to_owned())),
    }
}

async fn delete(store: &dyn ObjectStore, name: &Path) -> Result<String, Found> {
    store.delete(name).await?;
    match store.get(name).await {
        Err(Error::NotFound { .. }) => Ok(format!("{name} was deleted")),
        Err(error) => Err(error.into()),
        Ok(_) => Err(Found::Differs("what was deleted is still there".to_owned())),
    }
}

/// Whether one of many writers alone creates a name. Nothing depends on it; it is for whoever puts other tables into the bucket.
async fn race(store: &dyn ObjectStore, name: &Path) -> Check {
    let create = |racer: usize| async move {
        let payload = PutPayload::from(racer.to_string().into_bytes());
        store.put_opts(name, payload, PutMode::Create.into()).await
    };
    let outcomes = timeout(PATIENCE, join_all((0..RACERS).map(create)))
        .await
        .unwrap_or_default();
    let winners = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let unsupported = |error: &Error| matches!(error, Error::NotImplemented { .. } | Error::NotSupported { .. });
    let detail = if outcomes
        .iter()
        .flat_map(|outcome| outcome.as_ref().err())
        .any(unsupported)
        || winners == 0
    {
        "unsupported"
    } else if winners == 1 {
        "atomic"
    } else {
        "not atomic"
    };
    // It is below `doctor/`, and whatever stays there harms nobody.
    let _ = store.delete(name).await;
    Check {
        name: "conditional creation (for information)",
        ok: true,
        detail: detail.to_owned(),
        remedy: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;
    use trailbook_testkit_s3::{Server, Settings};

    use super::{
        super::place::{Given, Place},
        *,
    };
    use crate::config::Secret;

    fn server(directory: &TempDir) -> Server {
        let settings = Settings {
            directory: directory.path().to_owned(),
            bucket: "log".to_owned(),
            access_key: "AK".to_owned(),
            secret_key: "hunter2".to_owned(),
            port: 0,
        };
        Server::start(settings).expect("a server")
    }

    async fn examined(endpoint: &str, url: &str, secret: &str) -> Vec<Check> {
        let place = Place::of(Given {
            url: url.to_owned(),
            endpoint: Some(endpoint.to_owned()),
            access_key: Some("AK".to_owned()),
            secret_key: Some(Secret::new(secret.to_owned())),
            ..Given::default()
        });
        let store = place.expect("a place").open().expect("a store");
        examine(&*store, Extent::All, "of-a-test").await
    }

    #[tokio::test]
    async fn a_store_that_lets_us_do_everything_passes_and_is_left_as_it_was() {
        let directory = TempDir::new().expect("a directory");
        let server = server(&directory);
        let checks = examined(&server.endpoint(), "s3://log/audit", "hunter2").await;
        assert!(checks.iter().all(|check| check.ok), "{checks:#?}");
        assert_eq!(checks.len(), 6);
        assert!(
            ["atomic", "not atomic"].contains(&checks[5].detail.as_str()),
            "{checks:#?}"
        );
        let store = server.store().expect("a store");
        let left: Vec<_> = store.list(None).try_collect().await.expect("a list");
        assert!(left.is_empty(), "{left:?}");
    }

    #[tokio::test]
    async fn what_cannot_be_done_comes_with_its_remedy_and_without_secrets() {
        let directory = TempDir::new().expect("a directory");
        let server = server(&directory);
        let endpoint = server.endpoint();
        for (endpoint, url, secret, remedy) in [
            (endpoint.as_str(), "s3://log", "hunter3", "correct the keys"),
            (endpoint.as_str(), "s3://nowhere", "hunter2", "the bucket is not there"),
            ("http://127.0.0.1:9", "s3://log", "hunter2", "reaches the store"),
        ] {
            let checks = examined(endpoint, url, secret).await;
            let said = format!("{checks:?}");
            assert!(!checks[0].ok && checks[0].remedy.contains(remedy), "{said}");
            assert!(!said.contains(secret), "{said}");
        }
    }
}
