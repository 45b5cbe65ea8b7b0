//! A person as a provider describes them.

use chrono::{DateTime, Utc};
use openidconnect::{
    AdditionalClaims, EndUserEmail, EndUserName, LocalizedClaim, UserInfoClaims, core::CoreGenderClaim,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Error, IdTokenClaims};

/// Longest subject, as OpenID Connect bounds it, in bytes.
const SUBJECT_BYTES_MAX: usize = 255;
/// Groups that are looked at; a person in more is refused rather than half known.
const GROUPS_MAX: usize = 10_000;

/// Claims beyond those that OpenID Connect defines, groups among them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct OtherClaims(Map<String, Value>);

impl AdditionalClaims for OtherClaims {}

/// Somebody whom a provider signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// With the subject, who it is.
    pub(crate) issuer: String,
    /// Never given to another person by this issuer.
    pub(crate) subject: String,
    pub(crate) email: Option<Email>,
    pub(crate) name: Option<String>,
    /// As the claim of the connection lists them.
    pub(crate) groups: Vec<String>,
}

/// An e-mail address as a provider tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Email {
    pub(crate) address: String,
    /// Whether the provider says that the person has been shown to read its mail.
    pub(crate) verified: bool,
}

/// The person of a verified ID token and of the userinfo about the same subject. Where both tell, userinfo counts.
pub(super) fn identity(
    issuer: &str,
    groups_claim: &str,
    token: &IdTokenClaims,
    told: Option<&UserInfoClaims<OtherClaims, CoreGenderClaim>>,
) -> Result<Identity, Error> {
    let subject = token.subject().as_str();
    if subject.is_empty() || subject.len() > SUBJECT_BYTES_MAX {
        return Err(Error::Untrusted("its subject has no byte or more than 255"));
    }
    // An address and whether it is verified come from the same place.
    let email = told
        .and_then(|told| email(told.email(), told.email_verified()))
        .or_else(|| email(token.email(), token.email_verified()));
    let name = told.and_then(|told| name(told.name())).or_else(|| name(token.name()));
    let groups = told
        .and_then(|told| told.additional_claims().0.get(groups_claim))
        .or_else(|| token.additional_claims().0.get(groups_claim));
    Ok(Identity {
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
        email,
        name,
        groups: groups.map_or_else(|| Ok(Vec::new()), groups_of)?,
    })
}

/// A time of our clock in the library's words.
pub(super) fn time(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}

fn email(address: Option<&EndUserEmail>, verified: Option<bool>) -> Option<Email> {
    address.map(|address| Email {
        address: address.to_string(),
        verified: verified == Some(true),
    })
}

fn name(claim: Option<&LocalizedClaim<EndUserName>>) -> Option<String> {
    claim?.get(None).map(|name| name.to_string())
}

/// The groups in a claim: a list of texts, or one text.
fn groups_of(claim: &Value) -> Result<Vec<String>, Error> {
    let malformed = || Error::Untrusted("its groups are not a list of texts");
    match claim {
        Value::Null => Ok(Vec::new()),
        Value::String(group) => Ok(vec![group.clone()]),
        Value::Array(groups) if groups.len() <= GROUPS_MAX => groups
            .iter()
            .map(|group| group.as_str().map(str::to_owned).ok_or_else(malformed))
            .collect(),
        _ => Err(malformed()),
    }
}
