//! Where a browser goes after signing in: a place on this server and nowhere else.

use serde::{Deserialize, Serialize};
use url::Url;

/// Longest place, in bytes; it travels in a cookie.
const BYTES_MAX: usize = 1_024;

/// A path of this server, with query and fragment, such as `/?q=action:user`. Browsers cannot read it as another server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LocalPath(String);

impl LocalPath {
    /// The path in `text`, unless it may lead elsewhere.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // Browsers drop tabs and line breaks inside a URL and read a backslash as a slash.
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let local = text.starts_with('/') && !text.starts_with("//") && text.len() <= BYTES_MAX;
        if !plain || !local {
            return None;
        }
        let here = Url::parse("https://here.invalid/auth/callback").expect("a URL");
        let there = here.join(text).ok()?;
        (there.origin() == here.origin()).then(|| Self(text.to_owned()))
    }

    /// The text for the header `Location`.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for LocalPath {
    /// The screen.
    fn default() -> Self {
        Self("/".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_server_are_taken() {
        for local in [
            "/",
            "/?q=action:user&from=2026-01-01",
            "/events/1#x",
            "/%2F%2Fevil.example",
            "/%5Cevil.example",
            "/a//evil.example",
            "/https://evil.example",
        ] {
            assert_eq!(LocalPath::parse(local).expect(local).as_str(), local);
        }
        for elsewhere in [
            "",
            "evil.example",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r/evil.example",
            "\t//evil.example",
            " //evil.example",
            "/ /evil.example",
            "https:evil.example",
            "https://evil.example",
            "https:/evil.example",
            "javascript:alert(1)",
            "%2F%2Fevil.example",
            "%5C%5Cevil.example",
            "@evil.example",
            "?next=//evil.example",
            "/ä",
            "/\u{2028}",
            "/\0",
        ] {
            assert_eq!(LocalPath::parse(elsewhere), None, "{elsewhere:?}");
        }
        assert_eq!(LocalPath::parse(&format!("/{}", "x".repeat(BYTES_MAX))), None);
    }
}
