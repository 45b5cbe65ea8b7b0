//! Syslog by RFC 5424 with octet counting, over TLS (RFC 5425) or plain TCP (RFC 6587). A connection carries one batch.
//!
//! Syslog has no acknowledgement. Delivered means: all bytes were written, the connection was ended from our side, and within
//! [`GOODBYE`] the receiver did not say that anything went wrong with it. What a receiver loses after that nobody can know.
//!
//! Not here: what a message looks like (`payload`).

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use trailbook_access::records::SyslogFormat;
use trailbook_event::{Fault, Pointer};

use super::{Batch, Failure, Record, Refused, Sink, client::sentence_of};
use crate::{
    Error,
    json::Envelope,
    outbound::{self, Authorities, Connection, Outbound, Server},
    payload::{cef, syslog},
};

/// How long the receiver is listened to after the last byte.
const GOODBYE: Duration = Duration::from_secs(2);
/// What is sent as the machine that messages come from.
const HOSTNAME: &str = "trailbook";

/// A receiver.
pub(super) struct Syslog {
    outbound: Arc<Outbound>,
    server: Server,
    authorities: Option<Authorities>,
    format: SyslogFormat,
}

impl Syslog {
    pub(super) fn new(
        (host, port, tls): (&str, u16, bool),
        ca: Option<&str>,
        format: SyslogFormat,
        outbound: &Arc<Outbound>,
    ) -> Result<Self, Fault> {
        let at = Pointer::root().child("destination");
        let server = Server::named(host, port, tls).ok_or_else(|| {
            let detail =
                "It is not the name or address of a server, or the port is 0; give one such as syslog.example.com.";
            Fault::new(at.child("host"), detail)
        })?;
        outbound
            .check(&server)
            .map_err(|error| Fault::new(at.child("host"), sentence_of(&error)))?;
        let authorities = match ca {
            Some(_) if !tls => {
                let detail = "A certificate authority goes with `tls`; switch that on, or leave this out.";
                return Err(Fault::new(at.child("ca"), detail));
            }
            Some(text) => Some(Authorities::from_pem(text).ok_or_else(|| {
                let detail =
                    "It holds no certificate in PEM; paste the authority's, from BEGIN CERTIFICATE to END CERTIFICATE.";
                Fault::new(at.child("ca"), detail)
            })?),
            None => None,
        };
        Ok(Self {
            outbound: outbound.clone(),
            server,
            authorities,
            format,
        })
    }

    async fn exchange(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut connection = self.outbound.connect(&self.server, self.authorities.as_ref()).await?;
        let written = async {
            connection.write_all(bytes).await?;
            connection.flush().await?;
            connection.shutdown().await
        };
        let heard = match written.await {
            Ok(()) => timeout(GOODBYE, until_the_end(&mut *connection))
                .await
                .unwrap_or(Ok(())),
            Err(error) => Err(error),
        };
        heard.map_err(|_| Failure::later("The destination broke the connection off before everything was delivered."))
    }
}

#[async_trait]
impl Sink for Syslog {
    async fn send(&self, batch: &Batch<'_>) -> Result<Vec<Refused>, Failure> {
        let mut refused = Vec::new();
        let mut bytes = Vec::new();
        for record in batch.records {
            match message(batch, record, self.format) {
                Ok(message) => {
                    bytes.extend_from_slice(format!("{} ", message.len()).as_bytes());
                    bytes.extend_from_slice(&message);
                }
                Err(_) => refused.push(Refused::unreadable(record)),
            }
        }
        match timeout(self.outbound.timeout(), self.exchange(&bytes)).await {
            Ok(exchanged) => exchanged.map(|()| refused),
            Err(_) => Err(outbound::Error::Unreachable.into()),
        }
    }
}

/// Reads what a receiver has to say, which is nothing, or that it did not like something. A receiver that ends the connection
/// without TLS's goodbye is no failure.
async fn until_the_end(connection: &mut dyn Connection) -> std::io::Result<()> {
    let mut ignored = [0; 256];
    loop {
        match connection.read(&mut ignored).await {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// One message of RFC 5424, without its length.
fn message(batch: &Batch<'_>, record: &Record, format: SyslogFormat) -> Result<Vec<u8>, Error> {
    let text = match format {
        SyslogFormat::Json => String::from_utf8_lossy(&record.payload),
        SyslogFormat::Cef => {
            let envelope = Envelope {
                project: batch.project,
                kept_ms: batch.kept_ms,
            };
            cef(&record.row, &envelope, env!("CARGO_PKG_VERSION"))?.into()
        }
    };
    syslog(&record.row, HOSTNAME, &text)
}
