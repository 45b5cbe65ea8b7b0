//! A history as it would arrive: batches over a few connections, each event new, made while others are sent.
//!
//! Invariants
//! - Memory does not grow with the number of events.
//! - A request that the server refuses at its limit is sent again until it is stored; its acknowledgement counts from the first try.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::{
        Mutex,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow, ensure};

use crate::{
    Stream,
    answer::{Answer, Arrival},
    outcome::Timed,
    requests::{Request, batch_body},
};

/// Past this the server counts as hung.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two tries while the server is at a limit.
const PAUSE: Duration = Duration::from_millis(10);
/// Requests that are made ahead of each connection.
const AHEAD: usize = 8;

/// Sends everything and waits for the last answer.
pub(crate) fn run(stream: &Stream) -> anyhow::Result<Timed> {
    ensure!(
        stream.batch > 0 && stream.connections > 0,
        "--batch and --connections are at least 1"
    );
    ensure!(
        stream.count.is_multiple_of(stream.batch as u64),
        "--events is a multiple of --batch"
    );
    let (made, waiting) = sync_channel(AHEAD * stream.connections);
    let waiting = Mutex::new(waiting);
    let parts = thread::scope(|scope| {
        let threads: Vec<_> = (0..stream.connections)
            .map(|_| scope.spawn(|| connection(stream, &waiting)))
            .collect();
        make(stream, &made)?;
        drop(made);
        threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| anyhow!("a connection's thread panicked"))?)
            .collect::<anyhow::Result<Vec<_>>>()
    })?;
    Timed::together(parts, stream.batch as u64)
}

/// Makes the requests in order; ends early when no connection is left, which then tells why.
fn make(stream: &Stream, made: &SyncSender<Request>) -> anyhow::Result<()> {
    let mut events = stream.events.generator(false)?;
    let started = Instant::now();
    for number in 0..stream.count / stream.batch as u64 {
        if let Some(rate) = stream.rate {
            let due = Duration::from_secs_f64((number * stream.batch as u64) as f64 / f64::from(rate));
            thread::sleep(due.saturating_sub(started.elapsed()));
        }
        let body = batch_body(events.by_ref().take(stream.batch));
        if made.send(Request::new(&stream.target, &body)).is_err() {
            break;
        }
    }
    Ok(())
}

fn connection(stream: &Stream, waiting: &Mutex<Receiver<Request>>) -> anyhow::Result<Timed> {
    let mut socket = TcpStream::connect(stream.target.server).context("the server cannot be reached")?;
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut answer = Answer::new();
    let mut timed = Timed::starting()?;
    loop {
        let next = waiting.lock().map_err(|_| anyhow!("another connection failed"))?.recv();
        let Ok(request) = next else {
            return Ok(timed);
        };
        let sent = Instant::now();
        while !stored(&mut socket, &request, &mut answer, stream.batch)? {
            ensure!(sent.elapsed() < PATIENCE, "the server stays at its limit");
            timed.waited();
            thread::sleep(PAUSE);
        }
        timed.acknowledged(sent)?;
    }
}

/// One try; false when the server is at a limit.
fn stored(socket: &mut TcpStream, request: &Request, answer: &mut Answer, events: usize) -> anyhow::Result<bool> {
    socket.write_all(&request.bytes)?;
    loop {
        let bytes = socket.read(answer.room()).context("no answer came")?;
        match answer.arrival(bytes, events)? {
            Arrival::Pending => {}
            Arrival::Stored => return Ok(true),
            Arrival::Busy => return Ok(false),
        }
    }
}
