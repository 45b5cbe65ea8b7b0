//! Who asks: the credential of a request, and what it allows in general. Deny by default.
//!
//! Invariants
//! - Every path needs a credential unless [`is_public`] names it.
//! - A credential is looked for only where it belongs: a session's secret is of no use in a header, a token's in a cookie.
//! - A session changes nothing unless the request proves that our own page made it.
//!
//! Not here: what a caller may do in an organization (`ask`, `trailbook_access`).

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::http::{HeaderMap, HeaderName, Method, header};
use trailbook_access::{
    Caller, DEFAULT_PROJECT, Origin, Principal, SYSTEM,
    records::{ApiKey, Session, User, UserState, ViewerToken},
    secret::SecretHash,
};

use super::{App, body::single, problem::Problem};

/// Which project a request means whose credential does not say.
const PROJECT_HEADER: HeaderName = HeaderName::from_static("trailbook-project");
/// What our own page sends with a session: another origin's page cannot without being asked about first.
const CONSOLE_HEADER: HeaderName = HeaderName::from_static("trailbook-console");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The session's cookie. The prefix makes browsers insist on Secure, on the whole path and on no domain.
pub(crate) const SESSION_COOKIE: &str = "__Host-trailbook";
/// Characters kept of a user agent.
const USER_AGENT_MAX: usize = 512;

/// Whether a path may be seen without a credential: health, signing in, the description of the API and the page's own files.
/// Everything under `/v1/` needs one, known or not.
pub(crate) fn is_public(path: &str) -> bool {
    const PRIVATE: [&str; 3] = ["/v1", "/otlp", "/metrics"];
    !PRIVATE.iter().any(|root| {
        path.strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// The caller of a request that needs a credential.
pub(crate) fn check(app: &App, method: &Method, headers: &HeaderMap, peer: SocketAddr) -> Result<Caller, Problem> {
    let origin = origin(app, headers, peer);
    if !headers.contains_key(header::AUTHORIZATION)
        && let Some(caller) = session(app, method, headers, &origin)?
    {
        return Ok(caller);
    }
    let credential = bearer(headers).map(SecretHash::of).ok_or_else(Problem::unproven)?;
    let principal = principal(app, &credential).ok_or_else(Problem::unproven)?;
    let project = project(app, headers, &principal)?;
    Ok(Caller {
        principal,
        project,
        credential: *credential.bytes(),
        origin,
    })
}

/// Metrics are for the operator: from this machine, or with the root key.
pub(crate) fn check_metrics(app: &App, headers: &HeaderMap, peer: SocketAddr) -> Result<(), Problem> {
    // What a proxy on this machine passes on does not come from this machine.
    if peer.ip().to_canonical().is_loopback() && !headers.contains_key(FORWARDED_FOR) {
        return Ok(());
    }
    let caller = check(app, &Method::GET, headers, peer)?;
    if caller.is_root() {
        Ok(())
    } else {
        Err(Problem::forbidden("Metrics are for the root key."))
    }
}

/// The caller whose session a cookie names; `None` without a cookie that is valid. The session was used then.
///
/// # Errors
/// As [`check_console`]; when the request names a project that the caller has nothing to do with.
pub(crate) fn session(
    app: &App,
    method: &Method,
    headers: &HeaderMap,
    origin: &Origin,
) -> Result<Option<Caller>, Problem> {
    let Some(credential) = cookie(headers, SESSION_COOKIE).map(SecretHash::of) else {
        return Ok(None);
    };
    let directory = &app.directory;
    let Some(session) = directory.by_credential::<Session>(credential.bytes()) else {
        return Ok(None);
    };
    let Some(user) = directory.get::<User>(&session.user) else {
        return Ok(None);
    };
    if user.state != UserState::Active || !directory.is_alive(&session) {
        return Ok(None);
    }
    check_console(method, headers)?;
    let id = session.id.clone();
    let principal = Principal::User(user, session);
    let project = project(app, headers, &principal)?;
    // Not before: what is refused must not make a session last.
    directory.touch(&id);
    Ok(Some(Caller {
        principal,
        project,
        credential: *credential.bytes(),
        origin: origin.clone(),
    }))
}

/// Refuses what a page of another origin could have made a browser send with the session's cookie.
pub(crate) fn check_console(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    let refused = |detail| Err(Problem::forbidden(detail));
    if let Some(site) = headers.get(SEC_FETCH_SITE)
        && !matches!(site.as_bytes(), b"same-origin" | b"none")
    {
        return refused("The request comes from a page of another site.");
    }
    if let Some(from) = headers.get(header::ORIGIN) {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let from = from.to_str().ok().and_then(|from| from.split_once("://"));
        if from.map(|(_, authority)| authority) != host {
            return refused("The request comes from a page of another origin.");
        }
    }
    let changes = !matches!(*method, Method::GET | Method::HEAD);
    if changes && headers.get(CONSOLE_HEADER).is_none_or(|value| value != "1") {
        return refused("With a session, send the header Trailbook-Console: 1.");
    }
    Ok(())
}

/// Where a request came from. Only what trusted proxies added to X-Forwarded-For is believed.
pub(crate) fn origin(app: &App, headers: &HeaderMap, peer: SocketAddr) -> Origin {
    let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Origin {
        ip: Some(client(headers, peer.ip().to_canonical(), app.trusted_proxies)),
        // A header that is text is ASCII.
        user_agent: user_agent.map(|text| text.get(..USER_AGENT_MAX).unwrap_or(text).into()),
    }
}

/// The address that the outermost of `trusted` proxies saw.
fn client(headers: &HeaderMap, peer: IpAddr, trusted: usize) -> IpAddr {
    let Some(hops) = trusted.checked_sub(1) else {
        return peer;
    };
    let lists = headers.get_all(FORWARDED_FOR).iter().rev();
    let mut named = lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.rsplit(','));
    let seen = named.nth(hops).and_then(|text| text.trim().parse::<IpAddr>().ok());
    seen.map_or(peer, |ip| ip.to_canonical())
}

fn principal(app: &App, credential: &SecretHash) -> Option<Principal> {
    if app.root_key.is(credential) {
        return Some(Principal::Root);
    }
    let (directory, now) = (&app.directory, app.clock.now().millis());
    if let Some(key) = directory.by_credential::<ApiKey>(credential.bytes()) {
        let alive = key.expires_at.is_none_or(|at| now < at);
        return alive.then(|| {
            directory.touch(&key.id);
            Principal::Key(key)
        });
    }
    let token = directory.by_credential::<ViewerToken>(credential.bytes())?;
    (now < token.expires_at).then_some(Principal::Viewer(token))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, more) = (values.next()?, values.next());
    let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
    (more.is_none() && scheme.eq_ignore_ascii_case("bearer")).then_some(key.trim())
}

/// The value of a cookie that was sent exactly once.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lists = headers.get_all(header::COOKIE).iter();
    let mut found = lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name);
    let (value, more) = (found.next()?.1, found.next());
    more.is_none().then_some(value)
}

/// The project that a request means.
fn project(app: &App, headers: &HeaderMap, principal: &Principal) -> Result<Arc<str>, Problem> {
    let named = single(headers, &PROJECT_HEADER)?;
    let own = match principal {
        Principal::Root => None,
        Principal::Key(key) => Some((key.project.as_str(), true)),
        Principal::Viewer(token) => Some((token.project.as_str(), true)),
        // Operators work for all projects.
        Principal::User(user, _) if user.project == DEFAULT_PROJECT && user.organization == SYSTEM => None,
        Principal::User(user, _) => Some((user.project.as_str(), false)),
    };
    match (named, own) {
        (Some(named), Some((own, _))) if named == own => Ok(own.into()),
        (Some(_), Some((_, true))) => Err(Problem::forbidden("The credential belongs to another project.")),
        (Some(_), Some((_, false))) => Err(Problem::not_found()),
        (None, Some((own, _))) => Ok(own.into()),
        (Some(named), None) => Ok(named.into()),
        (None, None) => Ok(app.default_project.clone()),
    }
}

#[cfg(test)]
mod tests {
    use trailbook_access::people::NewUser;
    use trailbook_ledger::OrganizationKey;

    use super::*;

    #[test]
    fn paths_below_the_api_are_private_however_they_are_spelt() {
        for path in [
            "/v1",
            "/v1/",
            "/v1/events",
            "/v1/nothing/here",
            "/otlp/v1/logs",
            "/metrics",
        ] {
            assert!(!is_public(path), "{path}");
        }
        for path in [
            "/",
            "/healthz",
            "/v1x",
            "/assets/index.js",
            "/metricsx",
            "/auth/sign-in",
        ] {
            assert!(is_public(path), "{path}");
        }
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().expect("visible"));
        }
        headers
    }

    #[test]
    fn only_one_bearer_credential_and_one_cookie_count() {
        assert_eq!(bearer(&headers(&[])), None);
        assert_eq!(bearer(&headers(&[("authorization", "bearer key")])), Some("key"));
        let two = headers(&[("authorization", "bearer key"), ("authorization", "Bearer key")]);
        assert_eq!(bearer(&two), None);
        assert_eq!(cookie(&headers(&[("cookie", "a=1; b=2")]), "b"), Some("2"));
        assert_eq!(cookie(&headers(&[("cookie", "b=1; b=2")]), "b"), None);
        assert_eq!(cookie(&headers(&[("cookie", "b=1"), ("cookie", "b=2")]), "b"), None);
    }

    #[test]
    fn a_client_cannot_say_where_it_comes_from() {
        let peer: IpAddr = "192.0.2.1".parse().expect("an address");
        let forged = headers(&[("x-forwarded-for", "203.0.113.7, 198.51.100.2")]);
        assert_eq!(client(&forged, peer, 0), peer);
        assert_eq!(client(&forged, peer, 1).to_string(), "198.51.100.2");
        assert_eq!(client(&forged, peer, 2).to_string(), "203.0.113.7");
        assert_eq!(client(&forged, peer, 3), peer, "fewer proxies than there should be");
        let lists = headers(&[
            ("x-forwarded-for", "203.0.113.7, 198.51.100.2"),
            ("x-forwarded-for", "192.0.2.9"),
        ]);
        let seen = [1, 2, 3].map(|trusted| client(&lists, peer, trusted).to_string());
        assert_eq!(
            seen,
            ["192.0.2.9", "198.51.100.2", "203.0.113.7"],
            "each proxy may begin a line"
        );
    }

    #[test]
    fn another_sites_page_cannot_use_a_session() {
        let own = [
            ("host", "log.example"),
            ("origin", "https://log.example"),
            ("sec-fetch-site", "same-origin"),
            ("trailbook-console", "1"),
        ];
        assert!(check_console(&Method::POST, &headers(&own)).is_ok());
        let refused = |change: (&'static str, Option<&'static str>)| {
            let mut pairs: Vec<_> = own.iter().copied().filter(|(name, _)| *name != change.0).collect();
            pairs.extend(change.1.map(|value| (change.0, value)));
            check_console(&Method::POST, &headers(&pairs)).is_err()
        };
        assert!(refused(("origin", Some("https://evil.example"))));
        assert!(refused(("origin", Some("null"))));
        assert!(refused(("sec-fetch-site", Some("cross-site"))));
        assert!(refused(("sec-fetch-site", Some("same-site"))));
        assert!(refused(("trailbook-console", None)));
        assert!(!refused(("origin", None)), "no browser sent it");
        let read: Vec<_> = own
            .iter()
            .copied()
            .filter(|(name, _)| *name != "trailbook-console")
            .collect();
        assert!(check_console(&Method::GET, &headers(&read)).is_ok());
    }

    #[tokio::test]
    async fn what_is_refused_does_not_make_a_session_last() {
        let directory = tempfile::tempdir().expect("a directory");
        let app = super::super::tests::app(directory.path()).await;
        let root = Caller {
            principal: Principal::Root,
            project: DEFAULT_PROJECT.into(),
            credential: [0; 32],
            origin: Origin::default(),
        };
        let new = NewUser {
            email: "ann@acme.example".into(),
            name: None,
            role: "owner".into(),
            permissions: Vec::new(),
            password: Some("a fine long password".into()),
            mailed: false,
        };
        let manager = app.people.manager(&root, OrganizationKey::new(DEFAULT_PROJECT, SYSTEM));
        let (ann, _) = manager.expect("root").create(&new).await.expect("created");
        let mut change = app.directory.change().await;
        let secret = app.people.open_session(&mut change, &ann, None).expect("a session");
        change.commit().await.expect("committed");
        let session = app.directory.of::<Session>(&ann.id).remove(0);

        let mut sent = headers(&[("host", "log.example"), ("origin", "https://evil.example")]);
        let cookie = format!("{SESSION_COOKIE}={}", secret.expose());
        sent.insert(header::COOKIE, cookie.parse().expect("visible"));
        let peer = SocketAddr::from(([127, 0, 0, 1], 1));
        let used = || app.directory.last_used(&session.id, None).is_some();
        assert!(check(&app, &Method::GET, &sent, peer).is_err() && !used());
        sent.remove(header::ORIGIN);
        sent.insert(CONSOLE_HEADER, "2".parse().expect("visible"));
        assert!(check(&app, &Method::POST, &sent, peer).is_err() && !used());
        assert!(check(&app, &Method::GET, &sent, peer).is_ok() && used());
    }
}
