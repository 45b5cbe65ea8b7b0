//! One event a request over many connections: one thread that waits for readiness, because a thread for each connection
//! would spend the machine on switching between them.

use std::{
    io::{ErrorKind, Read, Write},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use mio::{Events, Interest, Poll, Token, net::TcpStream};

use crate::{Single, answer::Answer, outcome::Timed, requests::Request};

/// Past this the server counts as hung.
const PATIENCE: Duration = Duration::from_secs(60);

struct Connection {
    stream: TcpStream,
    answer: Answer,
    sent: Instant,
}

impl Connection {
    fn open(single: &Single, poll: &Poll, number: usize) -> anyhow::Result<Self> {
        let stream = std::net::TcpStream::connect(single.target.server).context("the server cannot be reached")?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        poll.registry()
            .register(&mut stream, Token(number), Interest::READABLE)?;
        Ok(Self {
            stream,
            answer: Answer::new(),
            sent: Instant::now(),
        })
    }

    /// A request is far smaller than an empty send buffer, so it is taken whole.
    fn send(&mut self, request: &Request) -> anyhow::Result<()> {
        self.sent = Instant::now();
        let taken = self.stream.write(&request.bytes)?;
        ensure!(taken == request.bytes.len(), "the request does not fit the send buffer");
        Ok(())
    }

    /// True when the answer is complete.
    fn receive(&mut self) -> anyhow::Result<bool> {
        match self.stream.read(self.answer.room()) {
            Ok(bytes) => self.answer.arrived(bytes, 1),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Sends everything and waits for the last answer.
pub(crate) fn run(single: &Single, requests: &[Request]) -> anyhow::Result<Timed> {
    let mut poll = Poll::new()?;
    let mut connections = (0..single.connections)
        .map(|number| Connection::open(single, &poll, number))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut waiting = (0..single.count).map(|number| &requests[number as usize % requests.len()]);
    let mut ready = Events::with_capacity(single.connections);
    let mut timed = Timed::starting()?;
    for (connection, request) in connections.iter_mut().zip(waiting.by_ref().take(single.connections)) {
        connection.send(request)?;
    }
    while timed.requests() < single.count {
        poll.poll(&mut ready, Some(PATIENCE))?;
        ensure!(!ready.is_empty(), "no answer came");
        for event in &ready {
            let connection = &mut connections[event.token().0];
            if connection.receive()? {
                timed.acknowledged(connection.sent)?;
                if let Some(request) = waiting.next() {
                    connection.send(request)?;
                }
            }
        }
    }
    Timed::together(vec![timed], 1)
}
