//! Signing in at an organization's own identity provider: OpenID Connect, authorization code with PKCE.
//!
//! [`SingleSignOn::begin`] sends a browser to the provider; the browser comes back with a code, and
//! [`SingleSignOn::finish`] turns the code into an [`Identity`]. Between the two nothing is kept here: what the attempt
//! must remember travels in a cookie that only this deployment can read or make, so strangers who begin and never
//! return cost nothing, and any node can finish what another began.
//!
//! Invariants
//! - An identity is an issuer and a subject. An e-mail address is only something that the issuer says.
//! - The browser that finishes is the one that began, within [`ATTEMPT_MS`], once.
//! - Nothing that a provider answered is believed unless its issuer, audience, nonce, times and signature hold.
//!
//! Not here: which organization has which connection, users and sessions; the requests themselves (`outbound`).

mod attempt;
mod claims;
mod provider;
mod return_to;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use openidconnect::{
    AccessTokenHash, AuthType, AuthenticationFlow, AuthorizationCode, CsrfToken, EmptyExtraTokenFields,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, StandardErrorResponse, StandardTokenResponse,
    TokenResponse, UserInfoClaims,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreClientAuthMethod, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
        CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreResponseType, CoreRevocableToken,
        CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use subtle::ConstantTimeEq;
use trailbook_access::records;
use trailbook_deliver::outbound::Outbound;
use trailbook_ledger::{Clock, Random};
use url::Url;

use self::{
    attempt::Attempts,
    claims::OtherClaims,
    provider::{Metadata, Provider, Providers},
};
pub(crate) use self::{
    attempt::{ATTEMPT_MS, Attempt},
    claims::Identity,
    return_to::LocalPath,
};
use crate::{
    config::Secret,
    encryption::{self, EncryptionKey},
};

/// Signatures that ID tokens may have. `none` and those with a shared secret are not among them.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 3] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EdDsa,
];
/// How far a provider's clock may be from ours, in milliseconds.
const SKEW_MS: i64 = 60_000;
/// What client secrets are encrypted for.
const SECRET_PURPOSE: &str = "single sign-on client secret";
/// Longest code or state that is looked at, in bytes.
const PARAMETER_BYTES_MAX: usize = 4_096;

type Fields = IdTokenFields<
    OtherClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Tokens = StandardTokenResponse<Fields, CoreTokenType>;
type Client = openidconnect::Client<
    OtherClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;
type IdToken =
    openidconnect::IdToken<OtherClaims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;
type IdTokenClaims = openidconnect::IdTokenClaims<OtherClaims, CoreGenderClaim>;

/// An organization's registration at its identity provider.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    /// The provider's issuer, exactly as in its tokens.
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
    /// The claim that lists a person's groups.
    pub(crate) groups_claim: String,
}

/// Where the browser goes, and what it must bring back.
#[derive(Debug)]
pub(crate) struct Begun {
    /// The provider's page.
    pub(crate) location: Url,
    /// The value of the cookie that binds the attempt to the browser.
    pub(crate) cookie: String,
}

/// What the browser brought from the provider, as in the callback's query.
#[derive(Debug, Default)]
pub(crate) struct Callback {
    pub(crate) state: Option<String>,
    pub(crate) code: Option<String>,
    /// The issuer that answered (RFC 9207).
    pub(crate) iss: Option<String>,
    /// Why the provider refused.
    pub(crate) error: Option<String>,
}

/// Why nobody was signed in. The messages are for the person at the browser and hold nothing that a provider sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Without the cookie, or with another attempt's.
    #[error("this sign-in was not begun in this browser: begin again")]
    AnotherBrowser,
    /// After [`ATTEMPT_MS`], or a second time.
    #[error("this sign-in is over: begin again")]
    Over,
    /// The organization's settings are others than at the beginning.
    #[error("single sign-on was changed in between: begin again")]
    Changed,
    /// The provider answered with an error.
    #[error("the identity provider refused to sign in")]
    Refused,
    /// The provider could not be asked.
    #[error("the identity provider cannot be reached or does not answer as OpenID Connect asks: {0}")]
    Unavailable(&'static str, #[source] Option<Box<dyn std::error::Error + Send + Sync>>),
    /// An answer that must not be believed.
    #[error("what the identity provider answered cannot be trusted: {0}")]
    Untrusted(&'static str),
}

/// What is encrypted with what.
pub(crate) struct Keys {
    /// Client secrets, in the database.
    pub(crate) secrets: EncryptionKey,
    /// Attempts, in browsers' cookies.
    pub(crate) attempts: EncryptionKey,
}

/// Signs people in at identity providers.
pub(crate) struct SingleSignOn {
    outbound: Arc<Outbound>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    attempts: Attempts,
    secrets: EncryptionKey,
    providers: Providers,
    redirect: RedirectUrl,
}

impl SingleSignOn {
    /// `redirect` is the URL of our callback, as registered at the providers.
    pub(crate) fn new(
        outbound: Arc<Outbound>,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
        keys: Keys,
        redirect: Url,
    ) -> Self {
        Self {
            attempts: Attempts::new(keys.attempts),
            secrets: keys.secrets,
            providers: Providers::new(outbound.clone(), clock.clone()),
            redirect: RedirectUrl::from_url(redirect),
            outbound,
            clock,
            random,
        }
    }

    /// A client secret as it is stored: of use for this organization, issuer and client only.
    pub(crate) fn seal_secret(&self, organization: &str, issuer: &str, client_id: &str, secret: &Secret) -> String {
        let place = [SECRET_PURPOSE, organization, issuer, client_id];
        self.secrets.seal(secret.expose().as_bytes(), &place, &*self.random)
    }

    /// The connection that is stored.
    pub(crate) fn connection(&self, record: &records::SingleSignOn) -> Result<Connection, encryption::Error> {
        let organization = format!("{}/{}", record.project, record.organization);
        let place = [SECRET_PURPOSE, &organization, &record.issuer, &record.client_id];
        let secret = self.secrets.open(&record.client_secret, &place)?;
        let secret = String::from_utf8(secret).map_err(|_| encryption::Error::Damaged)?;
        Ok(Connection {
            issuer: record.issuer.clone(),
            client_id: record.client_id.clone(),
            client_secret: Secret::new(secret),
            groups_claim: record.groups_claim.clone(),
        })
    }

    /// Asks a provider for its description, so that a wrong issuer is noticed before anybody wants to sign in.
    pub(crate) async fn describe(&self, issuer: &str) -> Result<(), Error> {
        self.providers.get(issuer).await.map(drop)
    }

    /// Begins to sign somebody in to `organization` (any name by which the caller finds the connection again).
    pub(crate) async fn begin(
        &self,
        organization: &str,
        connection: &Connection,
        return_to: LocalPath,
    ) -> Result<Begun, Error> {
        let provider = self.providers.get(&connection.issuer).await?;
        let attempt = Attempt::new(organization, connection, return_to, self.clock.now(), &*self.random);
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(attempt.verifier.clone()));
        let client = self.client(&provider, connection);
        let (state, nonce) = (attempt.state.clone(), attempt.nonce.clone());
        let (location, ..) = client
            .authorize_url(
                AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
                || CsrfToken::new(state),
                || Nonce::new(nonce),
            )
            .add_scopes(["email", "profile"].map(|scope| Scope::new(scope.into())))
            // Providers that know a scope for groups do not tell groups without it; others refuse scopes that they do not know.
            .add_scopes(
                provider
                    .metadata
                    .scopes_supported()
                    .and_then(|known| known.iter().find(|scope| ***scope == connection.groups_claim).cloned()),
            )
            .set_pkce_challenge(challenge)
            .url();
        let cookie = self.attempts.seal(&attempt, &*self.random);
        Ok(Begun { location, cookie })
    }

    /// The attempt that this browser began and the provider now answers. It cannot be opened again.
    pub(crate) fn open(&self, cookie: Option<&str>, callback: &Callback) -> Result<Attempt, Error> {
        let (Some(cookie), Some(state)) = (cookie, callback.state.as_deref()) else {
            return Err(Error::AnotherBrowser);
        };
        self.attempts.open(cookie, state, self.clock.now())
    }

    /// Who signed in, by the provider's word. `connection` is the one of the attempt's organization now.
    pub(crate) async fn finish(
        &self,
        attempt: Attempt,
        connection: &Connection,
        callback: Callback,
    ) -> Result<Identity, Error> {
        if attempt.issuer != connection.issuer || attempt.client_id != connection.client_id {
            return Err(Error::Changed);
        }
        let provider = self.providers.get(&connection.issuer).await?;
        // Another provider's answer must not reach this one (mix-up), its error no more than its code.
        check_issuer(&callback, connection, &provider.metadata)?;
        if callback.error.is_some() {
            return Err(Error::Refused);
        }
        let code = callback
            .code
            .filter(|code| code.len() <= PARAMETER_BYTES_MAX)
            .ok_or(Error::Refused)?;
        let client = self.client(&provider, connection);
        let http = self.outbound.client();
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| Error::Unavailable("it names no token endpoint", Some(error.into())))?
            .set_pkce_verifier(PkceCodeVerifier::new(attempt.verifier.clone()))
            .request_async(&http)
            .await
            .map_err(|error| match error {
                RequestTokenError::Request(error) => Error::Unavailable("its token endpoint", Some(error.into())),
                RequestTokenError::ServerResponse(_) => Error::Untrusted("it did not take its own code"),
                _ => Error::Untrusted("its tokens are not well-formed"),
            })?;
        let token = tokens.id_token().ok_or(Error::Untrusted("it sent no ID token"))?;
        let claims = self.verified(provider, connection, token, &tokens, &attempt).await?;
        let told = match client.user_info(tokens.access_token().clone(), Some(claims.subject().clone())) {
            // The request compares the subject with that of the ID token.
            Ok(request) => {
                let told: Result<UserInfoClaims<OtherClaims, CoreGenderClaim>, _> = request.request_async(&http).await;
                Some(told.map_err(|_| Error::Untrusted("its userinfo is not about the person of the ID token"))?)
            }
            // A provider without the endpoint puts everything into the ID token.
            Err(_) => None,
        };
        claims::identity(&connection.issuer, &connection.groups_claim, &claims, told.as_ref())
    }

    fn client(&self, provider: &Provider, connection: &Connection) -> Client {
        let secret = openidconnect::ClientSecret::new(connection.client_secret.expose().to_owned());
        let client_id = openidconnect::ClientId::new(connection.client_id.clone());
        let client = Client::from_provider_metadata(provider.metadata.clone(), client_id, Some(secret))
            .set_redirect_uri(self.redirect.clone());
        // `client_secret_basic` is what a provider supports that does not say.
        let methods = provider.metadata.token_endpoint_auth_methods_supported();
        let only_in_body = methods.is_some_and(|methods| {
            !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
                && methods.contains(&CoreClientAuthMethod::ClientSecretPost)
        });
        client.set_auth_type(if only_in_body {
            AuthType::RequestBody
        } else {
            AuthType::BasicAuth
        })
    }

    /// The ID token's claims; a key that is not known may be new, then the keys are fetched again.
    async fn verified(
        &self,
        provider: Arc<Provider>,
        connection: &Connection,
        token: &IdToken,
        tokens: &Tokens,
        attempt: &Attempt,
    ) -> Result<IdTokenClaims, Error> {
        match self.check(&provider, connection, token, tokens, attempt) {
            Err(Unverified::UnknownKey) => {}
            checked => return checked.map_err(Unverified::error),
        }
        let unknown = Unverified::UnknownKey.error();
        let renewed = self
            .providers
            .renewed(&connection.issuer, &provider)
            .await?
            .ok_or(unknown)?;
        self.check(&renewed, connection, token, tokens, attempt)
            .map_err(Unverified::error)
    }

    fn check(
        &self,
        provider: &Provider,
        connection: &Connection,
        token: &IdToken,
        tokens: &Tokens,
        attempt: &Attempt,
    ) -> Result<IdTokenClaims, Unverified> {
        let now = self.clock.now().millis();
        let client = self.client(provider, connection);
        let verifier = client
            .id_token_verifier()
            .set_allowed_algs(ALGORITHMS)
            .set_time_fn(|| claims::time(now - SKEW_MS))
            .set_issue_time_verifier_fn(|issued| {
                let early = issued <= claims::time(now + SKEW_MS);
                early.then_some(()).ok_or_else(|| "issued in the future".into())
            });
        let expected = |nonce: Option<&Nonce>| {
            let same = nonce.is_some_and(|nonce| nonce.secret().as_bytes().ct_eq(attempt.nonce.as_bytes()).into());
            if same { Ok(()) } else { Err("another nonce".to_owned()) }
        };
        let claims = token.claims(&verifier, expected)?;
        let party = claims.authorized_party();
        if party.is_some_and(|party| **party != connection.client_id) {
            return Err(Unverified::Claim("its ID token is for another client"));
        }
        if let Some(hash) = claims.access_token_hash() {
            let unhashed = |_| Unverified::Claim("the hash of its access token cannot be checked");
            let algorithm = token.signing_alg().map_err(|_| Unverified::Signature)?;
            let key = token.signing_key(&verifier).map_err(|_| Unverified::Signature)?;
            if AccessTokenHash::from_token(tokens.access_token(), algorithm, key).map_err(unhashed)? != *hash {
                return Err(Unverified::Claim("its ID token belongs to another access token"));
            }
        }
        Ok(claims.clone())
    }
}

fn check_issuer(callback: &Callback, connection: &Connection, metadata: &Metadata) -> Result<(), Error> {
    match &callback.iss {
        Some(issuer) if *issuer != connection.issuer => Err(Error::Untrusted("another issuer answered")),
        None if metadata.additional_metadata().names_issuer() => {
            Err(Error::Untrusted("it did not name itself in its answer"))
        }
        _ => Ok(()),
    }
}

/// Why an ID token is not believed.
enum Unverified {
    UnknownKey,
    Signature,
    Claim(&'static str),
}

impl Unverified {
    fn error(self) -> Error {
        Error::Untrusted(match self {
            Self::UnknownKey => "its ID token is signed by a key that it does not publish",
            Self::Signature => "its ID token is not signed by RS256, ES256 or EdDSA with one of its keys",
            Self::Claim(why) => why,
        })
    }
}

impl From<openidconnect::ClaimsVerificationError> for Unverified {
    fn from(error: openidconnect::ClaimsVerificationError) -> Self {
        use openidconnect::{ClaimsVerificationError as Claims, SignatureVerificationError as Signature};
        match error {
            Claims::SignatureVerification(Signature::NoMatchingKey) => Self::UnknownKey,
            Claims::SignatureVerification(_) => Self::Signature,
            Claims::InvalidIssuer(_) => Self::Claim("its ID token names another issuer"),
            Claims::InvalidAudience(_) => Self::Claim("its ID token is for another client"),
            Claims::InvalidNonce(_) => Self::Claim("its ID token answers another attempt (nonce)"),
            Claims::Expired(_) => Self::Claim("its ID token is expired or from the future"),
            _ => Self::Claim("its ID token is not well-formed"),
        }
    }
}
