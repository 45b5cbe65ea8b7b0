//! Questions held against plain loops over a vector: whatever the index does, the answer is that of trying the filter on
//! every event.
#![allow(
    clippy::disallowed_methods,
    reason = "tests work with real files, processes and time"
)]
#![allow(clippy::unwrap_used)]

mod aggregates;
mod damage;
mod histograms;
mod live;
mod opened;
mod pages;
mod plain;
mod random;
mod rebuilt;
mod sealing;
mod simulation;
mod stored;
mod traces;
