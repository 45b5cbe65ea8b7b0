//! Batches over a few connections: one blocking thread each, closed loop.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow};

use crate::{Ingest, answer::Answer, outcome::Timed, requests::Request};

/// Past this the server counts as hung.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends everything and waits for the last answer.
pub(crate) fn run(ingest: &Ingest, requests: Vec<Vec<Request>>) -> anyhow::Result<Timed> {
    let per_connection = ingest.count.div_ceil((ingest.batch * ingest.connections) as u64);
    let ready = Barrier::new(ingest.connections);
    let parts = thread::scope(|scope| {
        let threads: Vec<_> = requests
            .into_iter()
            .enumerate()
            .map(|(number, own)| {
                let first_id = number as u64 * per_connection * ingest.batch as u64;
                let ready = &ready;
                scope.spawn(move || connection(ingest, own, per_connection, first_id, ready))
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| anyhow!("a connection's thread panicked"))?)
            .collect::<anyhow::Result<Vec<_>>>()
    })?;
    Timed::together(parts, ingest.batch as u64)
}

fn connection(
    ingest: &Ingest,
    mut requests: Vec<Request>,
    count: u64,
    first_id: u64,
    ready: &Barrier,
) -> anyhow::Result<Timed> {
    let connected = TcpStream::connect(ingest.target.server);
    // Everybody waits here, those without a connection too, or the others would wait for ever.
    ready.wait();
    let mut stream = connected.context("the server cannot be reached")?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut answer = Answer::new();
    let mut timed = Timed::starting()?;
    for number in 0..count {
        let place = number as usize % requests.len();
        let request = &mut requests[place];
        request.renumber(first_id + number * ingest.batch as u64);
        let sent = Instant::now();
        stream.write_all(&request.bytes)?;
        loop {
            let bytes = stream.read(answer.room()).context("no answer came")?;
            if answer.arrived(bytes, ingest.batch)? {
                break;
            }
        }
        timed.acknowledged(sent)?;
    }
    Ok(timed)
}
