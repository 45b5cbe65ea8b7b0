//! Names that are close to a mistyped one.

/// The names nearest to `text` (which they begin with, or at most two typing errors away); at most three.
pub(crate) fn near<'n>(text: &str, names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let text = text.to_lowercase();
    let mut found: Vec<(usize, &str)> = names
        .map(|name| {
            (
                if name.starts_with(&text) {
                    1
                } else {
                    distance(&text, name)
                },
                name,
            )
        })
        .filter(|(distance, name)| !text.is_empty() && *distance <= 2 && *distance < name.len())
        .collect();
    let nearest = found.iter().map(|(distance, _)| *distance).min().unwrap_or_default();
    found.retain(|(distance, _)| *distance == nearest);
    found.dedup();
    found.truncate(3);
    found.into_iter().map(|(_, name)| name).collect()
}

/// Levenshtein's distance in characters.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, from) in left.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], above + 1);
        for (column, to) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_and_beginnings_are_near() {
        let names = ["action", "actor", "area", "before"];
        for (text, want) in [
            ("actr", vec!["actor"]),
            ("Actoin", vec!["action", "actor"]),
            ("bef", vec!["before"]),
            ("zzz", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(near(text, names.into_iter()), want, "{text}");
        }
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
