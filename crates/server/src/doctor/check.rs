//! What was looked at, and the verdict.

use std::{fmt::Write as _, process::ExitCode};

use serde::Serialize;

/// How something stands; the later, the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// As it should be.
    Ok,
    /// It works, but not as well as promised, or not for long.
    Warning,
    /// It does not work, or loses data.
    Failed,
}

/// One thing that was looked at.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    /// What, in a few words.
    pub(super) name: &'static str,
    /// How it stands.
    pub(super) verdict: Verdict,
    /// What was found, without secrets.
    pub(super) found: String,
    /// What to do; none when all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remedy: Option<String>,
}

impl Check {
    /// As it should be.
    pub(super) fn ok(name: &'static str, found: String) -> Self {
        Self {
            name,
            verdict: Verdict::Ok,
            found,
            remedy: None,
        }
    }

    /// Works, but deserves attention.
    pub(super) fn warning(name: &'static str, found: String, remedy: &str) -> Self {
        Self {
            name,
            verdict: Verdict::Warning,
            found,
            remedy: Some(remedy.to_owned()),
        }
    }

    /// Must be put right.
    pub(super) fn failed(name: &'static str, found: String, remedy: &str) -> Self {
        Self {
            verdict: Verdict::Failed,
            ..Self::warning(name, found, remedy)
        }
    }
}

/// The checks for people, one a line, with what to do below.
pub(super) fn table(checks: &[Check]) -> String {
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
    let mut out = String::new();
    for check in checks {
        let verdict = match check.verdict {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Failed => "FAILED",
        };
        let mut line = |text: std::fmt::Arguments<'_>| writeln!(out, "{text}").expect("a string takes all text");
        line(format_args!("{verdict:<8} {:<width$}  {}", check.name, check.found));
        if let Some(remedy) = &check.remedy {
            line(format_args!("{:<8} {:<width$}  → {remedy}", "", ""));
        }
    }
    out
}

/// 0, 1 or 2, by the worst verdict.
pub(super) fn exit_code(checks: &[Check]) -> ExitCode {
    match checks.iter().map(|check| check.verdict).max() {
        None | Some(Verdict::Ok) => ExitCode::SUCCESS,
        Some(Verdict::Warning) => ExitCode::from(1),
        Some(Verdict::Failed) => ExitCode::from(2),
    }
}
