//! Cells that a spreadsheet would run as a formula, made harmless.
//!
//! Whatever a cell holds and wherever it comes from, if its first character is `=`, `+`, `-`, `@`, tab, carriage return, line
//! feed, or a full-width `＝ ＋ － ＠`, an apostrophe goes in front. That includes a metadata value of -5: a file that is safe to
//! open is worth more than one number that is not a text; JSON lines carry it unchanged.

/// Puts an apostrophe in front of a cell that a spreadsheet might run.
pub fn neutralise(cell: &mut String) {
    let runs = |first| {
        matches!(
            first,
            '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠'
        )
    };
    if cell.starts_with(runs) {
        cell.insert(0, '\'');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_character_decides() {
        for (cell, expected) in [
            ("=1+1", "'=1+1"),
            ("+44 20", "'+44 20"),
            ("-5", "'-5"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("\n=1", "'\n=1"),
            ("＝1+1", "'＝1+1"),
            ("", ""),
            ("a=1", "a=1"),
            ("'=1", "'=1"),
            ("2026-11-20", "2026-11-20"),
        ] {
            let mut text = cell.to_owned();
            neutralise(&mut text);
            assert_eq!(text, expected);
        }
    }
}
