//! Identity providers as they describe themselves: where their endpoints are, and the keys that they sign with.
//!
//! Invariants
//! - A provider is asked for itself at most once an hour; after a failure, ten seconds later at the earliest.
//! - A token with an unknown key makes at most one request for keys within [`KEYS_AGE`], however many such tokens come.
//! - At most [`PROVIDERS_MAX`] are remembered.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use openidconnect::{
    AdditionalProviderMetadata, IssuerUrl, JsonWebKeySet, ProviderMetadata,
    core::{
        CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
        CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
        CoreSubjectIdentifierType,
    },
};
use serde::{Deserialize, Serialize};
use trailbook_ledger::Clock;

use super::Error;
use trailbook_deliver::outbound::Outbound;

/// How long a description is believed.
const FRESH: Duration = Duration::from_secs(60 * 60);
/// How long after a failure the provider is not asked again.
const FAILED: Duration = Duration::from_secs(10);
/// How long after fetching keys an unknown key does not make us fetch them again.
pub(super) const KEYS_AGE: Duration = Duration::from_secs(30);
/// Providers that are remembered.
const PROVIDERS_MAX: usize = 1_000;

/// A provider's description of itself.
pub(super) type Metadata = ProviderMetadata<
    OtherMetadata,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// What RFC 9207 adds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct OtherMetadata {
    #[serde(default)]
    authorization_response_iss_parameter_supported: Option<bool>,
}

impl AdditionalProviderMetadata for OtherMetadata {}

impl OtherMetadata {
    /// Whether the provider says that it names itself in each answer.
    pub(super) fn names_issuer(&self) -> bool {
        self.authorization_response_iss_parameter_supported == Some(true)
    }
}

/// A provider as it was described at some time.
pub(super) struct Provider {
    pub(super) metadata: Metadata,
}

/// The providers that were asked.
pub(super) struct Providers {
    outbound: Arc<Outbound>,
    clock: Arc<dyn Clock>,
    known: Mutex<HashMap<String, Arc<Entry>>>,
}

/// One provider. The lock is held while it is asked, so that others wait for the same answer.
struct Entry {
    /// When somebody last needed it, for forgetting.
    used: Mutex<Duration>,
    state: tokio::sync::Mutex<State>,
}

#[derive(Default)]
struct State {
    provider: Option<Arc<Provider>>,
    described: Duration,
    keys_fetched: Duration,
    failed: Option<Duration>,
}

impl Providers {
    pub(super) fn new(outbound: Arc<Outbound>, clock: Arc<dyn Clock>) -> Self {
        Self {
            outbound,
            clock,
            known: Mutex::default(),
        }
    }

    /// The provider of this issuer.
    pub(super) async fn get(&self, issuer: &str) -> Result<Arc<Provider>, Error> {
        let entry = self.entry(issuer);
        let mut state = entry.state.lock().await;
        let now = self.clock.monotonic();
        if let Some(provider) = &state.provider
            && now.saturating_sub(state.described) < FRESH
        {
            return Ok(provider.clone());
        }
        if state.failed.is_some_and(|failed| now.saturating_sub(failed) < FAILED) {
            return Err(Error::Unavailable("it failed a moment ago", None));
        }
        match self.describe(issuer).await {
            Ok(metadata) => {
                let provider = Arc::new(Provider { metadata });
                *state = State {
                    provider: Some(provider.clone()),
                    described: now,
                    keys_fetched: now,
                    failed: None,
                };
                Ok(provider)
            }
            Err(error) => {
                state.failed = Some(now);
                Err(error)
            }
        }
    }

    /// The provider with newer keys than `seen` had; `None` when they were fetched too short a time ago.
    pub(super) async fn renewed(&self, issuer: &str, seen: &Arc<Provider>) -> Result<Option<Arc<Provider>>, Error> {
        let entry = self.entry(issuer);
        let mut state = entry.state.lock().await;
        if let Some(newer) = state.provider.as_ref().filter(|provider| !Arc::ptr_eq(provider, seen)) {
            return Ok(Some(newer.clone()));
        }
        let now = self.clock.monotonic();
        if now.saturating_sub(state.keys_fetched) < KEYS_AGE {
            return Ok(None);
        }
        // Whatever comes of it, this was the request of these seconds.
        state.keys_fetched = now;
        let http = self.outbound.client();
        let keys = JsonWebKeySet::fetch_async(seen.metadata.jwks_uri(), &http)
            .await
            .map_err(|error| Error::Unavailable("its keys", Some(error.into())))?;
        let provider = Arc::new(Provider {
            metadata: seen.metadata.clone().set_jwks(keys),
        });
        state.provider = Some(provider.clone());
        Ok(Some(provider))
    }

    fn entry(&self, issuer: &str) -> Arc<Entry> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.monotonic();
        if !known.contains_key(issuer) && known.len() >= PROVIDERS_MAX {
            let used = |entry: &Entry| *entry.used.lock().unwrap_or_else(PoisonError::into_inner);
            let oldest = known.iter().min_by_key(|(_, entry)| used(entry));
            if let Some(oldest) = oldest.map(|(issuer, _)| issuer.clone()) {
                known.remove(&oldest);
            }
        }
        let entry = known.entry(issuer.to_owned()).or_insert_with(|| {
            Arc::new(Entry {
                used: Mutex::new(now),
                state: tokio::sync::Mutex::default(),
            })
        });
        *entry.used.lock().unwrap_or_else(PoisonError::into_inner) = now;
        entry.clone()
    }

    async fn describe(&self, issuer: &str) -> Result<Metadata, Error> {
        let http = self.outbound.client();
        let url = IssuerUrl::new(issuer.to_owned())
            .map_err(|error| Error::Unavailable("the issuer is not a URL", Some(error.into())))?;
        // It also checks that the description names this very issuer.
        let metadata = Metadata::discover_async(url, &http).await.map_err(|error| {
            Error::Unavailable(
                "its description (/.well-known/openid-configuration)",
                Some(error.into()),
            )
        })?;
        // The browser is sent there: http only for a provider that the operator allowed to be asked by http.
        let page = metadata.authorization_endpoint().url();
        if page.scheme() != "https" && !(page.scheme() == "http" && issuer.starts_with("http://")) {
            return Err(Error::Untrusted("its page for signing in is not https"));
        }
        Ok(metadata)
    }
}
