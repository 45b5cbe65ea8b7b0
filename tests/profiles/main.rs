//! The audit logs of five products, row by row: what each product's page says, and what a log with that product's profile does.
//!
//! A row is a test over HTTP against the real server, or says why there is none. All rows are in docs/profiles.md, which is written from
//! here (`make golden`).
#![allow(
    clippy::disallowed_methods,
    reason = "tests work with real files, processes and time"
)]
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, dead_code)]

mod audit_log_report;
mod book;
mod capillary_intouch;
mod log;
mod moengage;
mod ometria;
mod omni;
#[path = "../../crates/server/tests/http/server.rs"]
mod server;

/// One feature of a product's page.
pub(crate) struct Row {
    /// The name of its test: `o_5` is row O-5.
    pub(crate) name: &'static str,
    /// What the page says, in our words.
    pub(crate) about: &'static str,
    /// What becomes of it here.
    pub(crate) state: State,
}

/// What becomes of a feature.
pub(crate) enum State {
    /// Its test proves it.
    Proven,
    /// A journey on the screen proves it, beside its test if there is one (`true`).
    Shown(bool),
    /// A test in tests/deliveries proves it against a program that is not ours (`file::test`), beside its own test if there is one (`true`).
    Outside(bool, &'static str),
    /// Prose of a help page; the reason.
    Waived(&'static str),
}

/// The rows of a product and their tests. A test gets a running log with the product's profile and its example events. What is
/// `shown` is proven by a journey of that name in a browser, in tests/profiles/screen or web/e2e.
///
/// ```text
/// rows! { "ometria";
///     o_5 "The last 30 days are shown" => |log| { … }
///     o_14 "Preset: today" => |log| { … } shown
///     m_23 "The CSV comes by e-mail" => |log| { … } outside "test_mail::test_the_csv_comes"
///     m_9 "Filters take effect on Apply" => shown
/// }
/// ```
#[macro_export]
macro_rules! rows {
    ($profile:literal; $($rest:tt)*) => {
        $crate::rows!(@rows [] $profile; $($rest)*);
    };
    (@rows [$($done:expr,)*] $profile:literal;) => {
        pub(crate) const ROWS: &[$crate::Row] = &[$($done,)*];
    };
    (@rows [$($done:expr,)*] $profile:literal; $name:ident $about:literal => |$log:ident| $body:block outside $test:literal $($rest:tt)*) => {
        #[test]
        fn $name() {
            let $log = $crate::log::Log::of($profile);
            $body
        }
        $crate::rows!(@rows [$($done,)* $crate::Row { name: stringify!($name), about: $about, state: $crate::State::Outside(true, $test) },] $profile; $($rest)*);
    };
    (@rows [$($done:expr,)*] $profile:literal; $name:ident $about:literal => |$log:ident| $body:block shown $($rest:tt)*) => {
        #[test]
        fn $name() {
            let $log = $crate::log::Log::of($profile);
            $body
        }
        $crate::rows!(@rows [$($done,)* $crate::Row { name: stringify!($name), about: $about, state: $crate::State::Shown(true) },] $profile; $($rest)*);
    };
    (@rows [$($done:expr,)*] $profile:literal; $name:ident $about:literal => |$log:ident| $body:block $($rest:tt)*) => {
        #[test]
        fn $name() {
            let $log = $crate::log::Log::of($profile);
            $body
        }
        $crate::rows!(@rows [$($done,)* $crate::Row { name: stringify!($name), about: $about, state: $crate::State::Proven },] $profile; $($rest)*);
    };
    (@rows [$($done:expr,)*] $profile:literal; $name:ident $about:literal => shown $($rest:tt)*) => {
        $crate::rows!(@rows [$($done,)* $crate::Row { name: stringify!($name), about: $about, state: $crate::State::Shown(false) },] $profile; $($rest)*);
    };
    (@rows [$($done:expr,)*] $profile:literal; $name:ident $about:literal => outside $test:literal $($rest:tt)*) => {
        $crate::rows!(@rows [$($done,)* $crate::Row { name: stringify!($name), about: $about, state: $crate::State::Outside(false, $test) },] $profile; $($rest)*);
    };
    (@rows [$($done:expr,)*] $profile:literal; $name:ident $about:literal => waived $why:literal $($rest:tt)*) => {
        $crate::rows!(@rows [$($done,)* $crate::Row { name: stringify!($name), about: $about, state: $crate::State::Waived($why) },] $profile; $($rest)*);
    };
}
