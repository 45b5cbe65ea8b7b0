//! A real ledger, on SQLite and a directory of objects, held step by step against a plain vector of events.
//!
//! Time is virtual, and every choice is drawn from a seed: the same seed takes the same steps. A seed that fails is printed with
//! what it did. `make simulate SEEDS=500` tries many; `SEED=17` takes one again.

mod gate;
mod jobs;
mod model;
mod proofs;
mod questions;
mod steps;
mod world;

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use trailbook_testkit::Random;

use steps::Simulation;

/// Seeds that are tried when nothing is said.
const SEEDS: u64 = 4;

/// Everything that is drawn.
struct Draw {
    choices: Random,
    values: TestRunner,
}

impl Draw {
    fn new(seed: u64) -> Self {
        let mut choices = Random::new(seed);
        let bytes: Vec<u8> = (0..4).flat_map(|_| choices.next_u64().to_le_bytes()).collect();
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        Self {
            choices,
            values: TestRunner::new_with_rng(Config::default(), rng),
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        self.choices.below(bound as u64) as usize
    }

    fn percent(&mut self, percent: u64) -> bool {
        self.choices.percent(percent)
    }

    fn of<S: Strategy>(&mut self, strategy: &S) -> S::Value {
        strategy.new_tree(&mut self.values).unwrap().current()
    }
}

/// What a seed has done so far; told when it fails.
struct Story {
    seed: u64,
    steps: Vec<String>,
}

impl Story {
    fn tell(&mut self, step: impl Into<String>) {
        self.steps.push(step.into());
    }
}

impl Drop for Story {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let (seed, steps) = (self.seed, self.steps.join("\n  "));
            eprintln!(
                "seed {seed} failed after these steps:\n  {steps}\nto take them again: SEED={seed} cargo test -p trailbook-query --test query simulation"
            );
        }
    }
}

fn seeds() -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().unwrap());
    match number("SEED") {
        Some(seed) => vec![seed],
        None => (0..number("SEEDS").unwrap_or(SEEDS)).collect(),
    }
}

#[test]
fn simulation_answers_as_a_plain_vector_does() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    for seed in seeds() {
        runtime.block_on(async {
            let mut simulation = Simulation::new(seed).await;
            for _ in 0..simulation.length {
                simulation.step().await;
            }
            simulation.end().await;
        });
    }
}
