//! Download links: an export's id and the time until which the link is good, under a MAC.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use trailbook_access::records::Export;

use crate::http::App;

const MAC_BYTES: usize = 16;

/// What the deployment's secret of links is for.
pub(crate) fn downloads_secret(ledger: &trailbook_ledger::Ledger) -> [u8; 32] {
    ledger.secret("export downloads")
}

/// The link of an export that is ready, below the server's address.
pub(crate) fn link(app: &App, export: &Export) -> Option<String> {
    let until = export.expires_at()?;
    let body = format!("{until}.{}", export.id);
    let mac = mac(app, &body).finalize().into_bytes();
    let token = [&mac[..MAC_BYTES], body.as_bytes()].concat();
    Some(format!(
        "{}/downloads/{}",
        app.public_url,
        BASE64_URL_SAFE_NO_PAD.encode(token)
    ))
}

/// The export that a link's token names, while the link is good.
pub(super) fn opened(app: &App, token: &str) -> Option<String> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
    let (sent, body) = bytes.split_first_chunk::<MAC_BYTES>()?;
    let body = std::str::from_utf8(body).ok()?;
    mac(app, body).verify_truncated_left(sent).ok()?;
    let (until, id) = body.split_once('.')?;
    let until: i64 = until.parse().ok()?;
    (app.clock.now().millis() < until).then(|| id.to_owned())
}

fn mac(app: &App, body: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&app.downloads_secret).expect("HMAC takes keys of any length");
    mac.update(body.as_bytes());
    mac
}
