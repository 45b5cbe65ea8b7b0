//! How fast one core makes leaves: part commitments of a typical event, and leaf records hashed onto a frontier.
//! `cargo run --release --example append_speed -p trailbook-merkle`
#![allow(clippy::disallowed_methods, reason = "a measurement")]

use std::hint::black_box;
use std::time::Instant;

use trailbook_merkle::{Frontier, Hash, LeafRecord, commitments};

const ROUNDS: u64 = 1_000_000;

fn main() {
    // The lengths of core, actor, targets, context and details in an event of 650 canonical bytes.
    let bytes = [b'x'; 280];
    let parts = [280, 100, 90, 90, 90].map(|length| &bytes[..length]);
    print_rate("events committed", || {
        for round in 0..u128::from(ROUNDS) {
            black_box(commitments(black_box(&round.to_be_bytes()), black_box(parts)));
        }
    });

    let mut record = LeafRecord {
        epoch: 1,
        sequence: 0,
        received_at_millis: 1_795_166_047_482,
        id: [7; 16],
        commitments: [Hash([9; 32]); 5],
    };
    print_rate("leaves appended", || {
        let (mut frontier, mut rows) = (Frontier::new(), 0);
        for sequence in 0..ROUNDS {
            record.sequence = sequence;
            frontier.append(record.leaf_hash(), &mut |_| rows += 1);
        }
        black_box((frontier.root(), rows));
    });
}

/// Runs `work`, which does something `ROUNDS` times, and prints its rate.
fn print_rate(what: &str, work: impl FnOnce()) {
    let start = Instant::now();
    work();
    let nanos = start.elapsed().as_nanos() as f64 / ROUNDS as f64;
    println!("{what}: {:.2} million a second, {nanos:.0} ns each", 1000.0 / nanos);
}
