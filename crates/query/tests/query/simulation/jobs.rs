//! The work in the background, alone or stopped half way while other things happen.

use trailbook_ledger::{Error, Ledger};

use super::steps::Simulation;

/// A piece of work that writes segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    Seal,
    Compact,
    CarryOut,
    Expire,
}

impl Work {
    pub(super) const ALL: [Work; 4] = [Work::Seal, Work::Compact, Work::CarryOut, Work::Expire];

    /// Does it; `false` when there was nothing to do.
    pub(super) async fn run(self, ledger: &Ledger) -> Result<bool, Error> {
        match self {
            Work::Seal => Ok(ledger.seal().await?.is_some()),
            Work::Compact => Ok(ledger.compact().await?.is_some()),
            Work::CarryOut => ledger.carry_out_redactions().await,
            Work::Expire => ledger.expire().await,
        }
    }

    /// Does it until nothing is left.
    pub(super) async fn run_all(self, ledger: &Ledger) {
        while self.run(ledger).await.unwrap() {}
    }
}

impl Simulation {
    /// Begins a piece of work, lets other things happen when it comes to put an object, and lets it go on.
    pub(super) async fn interleaved(&mut self) {
        let work = Work::ALL[self.draw.below(4)];
        let (reached, open) = self.world.gate.close(self.draw.below(3));
        let ledger = self.world.ledger().clone();
        let mut job = tokio::spawn(async move { work.run(&ledger).await });
        let ended = tokio::select! {
            biased;
            _ = reached => None,
            ended = &mut job => Some(ended),
        };
        if let Some(ended) = ended {
            self.world.gate.forget();
            ended.unwrap().unwrap();
            return;
        }
        self.tell(format!("{work:?} is under way"));
        let mut replaced = false;
        for _ in 0..=self.draw.below(5) {
            replaced |= self.meanwhile(work).await;
        }
        open.send(()).unwrap();
        let outcome = job.await.unwrap();
        self.tell(format!("{work:?} ends: {outcome:?}"));
        // Another may have replaced what it worked on.
        match outcome {
            Err(Error::Storage {
                operation: "commit", ..
            }) => assert!(replaced && work != Work::Seal),
            outcome => drop(outcome.unwrap()),
        }
    }

    /// Something that happens while `work` is under way; whether segments were replaced.
    async fn meanwhile(&mut self, work: Work) -> bool {
        match self.draw.below(9) {
            0..4 => self.write().await,
            4 => self.advance_floors().await,
            5 => self.sweep().await,
            6..8 => {
                let other = Work::ALL[self.draw.below(4)];
                if other != work {
                    self.tell(format!("{other:?}"));
                    let done = other.run(self.world.ledger()).await.unwrap();
                    return done && other != Work::Seal;
                }
            }
            _ => self.question().await,
        }
        false
    }
}
