//! Logs on standard error: readable on a terminal, JSON otherwise.
//!
//! Invariant: no event, query string, header or key is ever logged. Panics are logged by place only, because their
//! messages may quote data.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, fmt};

/// Starts logging with `directives`, such as `info` or `info,trailbook=debug`; the directives' fault otherwise.
pub(crate) fn start(directives: &str) -> Result<(), String> {
    let filter = EnvFilter::try_new(directives).map_err(|error| format!("log: {error}."))?;
    // It tells every notice of the server, and below that the values of statements, hashes of passwords among them.
    let filter = filter.add_directive(
        "tokio_postgres=warn"
            .parse()
            .map_err(|error| format!("log: {error}."))?,
    );
    let subscriber = fmt().with_env_filter(filter).with_writer(stderr);
    if stderr().is_terminal() {
        subscriber.with_target(false).init();
    } else {
        subscriber
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .init();
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(|| "unknown".to_owned(), ToString::to_string);
        tracing::error!(%place, "panic");
    }));
    Ok(())
}
