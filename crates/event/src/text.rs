//! How text is compared: whole values without case, words without case or accents.
//!
//! Invariants
//! - Case folding works character by character, so that a folded prefix is a prefix of the folded whole.
//! - `tokens` of a text and of any word typed into the search box come from the same code: index and evaluation agree.
//!
//! Not here: which texts of an event are searched (`filter::searched_texts`).
//! See docs/query-language.md.

use std::borrow::Cow;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Longest token in bytes; a longer run of letters becomes several consecutive tokens.
pub const TOKEN_BYTES_MAX: usize = 255;

/// The text in lower case, for comparing whole values. Both forms of the small sigma are one.
pub fn fold_case(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().flat_map(lower).collect())
    }
}

/// Whether `text`, folded, equals `folded`, which [`fold_case`] made. Allocates nothing.
pub fn equals_folded(text: &str, folded: &str) -> bool {
    if text.is_ascii() {
        text.eq_ignore_ascii_case(folded)
    } else {
        text.chars().flat_map(lower).eq(folded.chars())
    }
}

/// Whether `text`, folded, begins with `folded`, which [`fold_case`] made. Allocates nothing.
pub fn begins_folded(text: &str, folded: &str) -> bool {
    let mut characters = text.chars().flat_map(lower);
    folded.chars().all(|wanted| characters.next() == Some(wanted))
}

/// The text without case and accents: decomposed (NFKD), accents dropped, lower case, recomposed (NFC).
pub fn fold_word(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        fold_case(text)
    } else {
        Cow::Owned(folded_characters(text).collect())
    }
}

/// Hands over the words of a text in their order, folded as by [`fold_word`].
///
/// A word is a run of letters and digits. In scripts that put no spaces between words (Han, kana, Thai, Lao, Khmer,
/// Burmese) every letter is a token of its own, so that words inside a sentence are found.
pub fn tokens(text: &str, each: &mut dyn FnMut(&str)) {
    if text.is_ascii() {
        ascii_tokens(text, each);
    } else {
        unicode_tokens(text, each);
    }
}

fn ascii_tokens(text: &str, each: &mut dyn FnMut(&str)) {
    let lower = text.to_ascii_lowercase();
    let mut emit = |from: usize, to: usize| {
        let mut start = from;
        while start < to {
            let end = to.min(start + TOKEN_BYTES_MAX);
            each(&lower[start..end]);
            start = end;
        }
    };
    let mut start = 0;
    for (position, byte) in lower.bytes().enumerate() {
        if !byte.is_ascii_alphanumeric() {
            emit(start, position);
            start = position + 1;
        }
    }
    emit(start, lower.len());
}

fn unicode_tokens(text: &str, each: &mut dyn FnMut(&str)) {
    let mut token = String::new();
    let mut alone = false;
    for character in folded_characters(text) {
        let continues = !token.is_empty() && is_combining_mark(character);
        let is_letter = character.is_alphanumeric();
        let stands_alone = is_letter && !continues && is_unspaced(character);
        let is_full = token.len() + character.len_utf8() > TOKEN_BYTES_MAX;
        if !token.is_empty() && (is_full || !continues && (alone || stands_alone || !is_letter)) {
            each(&token);
            token.clear();
        }
        if is_letter || continues {
            token.push(character);
            alone = if continues { alone } else { stands_alone };
        }
    }
    if !token.is_empty() {
        each(&token);
    }
}

fn folded_characters(text: &str) -> impl Iterator<Item = char> {
    text.nfkd()
        .filter(|character| !is_accent(*character))
        .flat_map(lower)
        .flat_map(spelled_out)
        .nfc()
}

fn lower(character: char) -> impl Iterator<Item = char> {
    character
        .to_lowercase()
        .map(|lower| if lower == 'ς' { 'σ' } else { lower })
}

/// Letters that people without them on their keyboard replace by others, and that do not decompose.
fn spelled_out(character: char) -> impl Iterator<Item = char> {
    let (first, second) = match character {
        'ß' => ('s', Some('s')),
        'æ' => ('a', Some('e')),
        'œ' => ('o', Some('e')),
        'þ' => ('t', Some('h')),
        'ø' => ('o', None),
        'ł' => ('l', None),
        'đ' | 'ð' => ('d', None),
        'ı' => ('i', None),
        other => (other, None),
    };
    std::iter::once(first).chain(second)
}

/// Marks that a reader may leave out (accents, Hebrew and Arabic vowel points) and characters that are not seen. Vowel
/// signs of Indic scripts and the voicing marks of kana change the letter and stay.
fn is_accent(character: char) -> bool {
    matches!(character,
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}' | '\u{5c5}'
        | '\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{670}'
        | '\u{ad}' | '\u{200c}' | '\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{e0100}'..='\u{e01ef}')
}

/// Letters of scripts that are written without spaces between words.
fn is_unspaced(character: char) -> bool {
    matches!(character,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3005}'..='\u{3007}'
        | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{1b000}'..='\u{1b16f}' | '\u{20000}'..='\u{323af}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        tokens(text, &mut |token| found.push(token.to_owned()));
        found
    }

    #[test]
    fn words_are_runs_of_letters_and_digits_without_case_or_accents() {
        let cases: [(&str, &[&str]); 14] = [
            ("", &[]),
            ("-- ..", &[]),
            ("Changed role number 77.", &["changed", "role", "number", "77"]),
            ("user.role_updated", &["user", "role", "updated"]),
            ("Zoë MÜLLER", &["zoe", "muller"]),
            ("Zoe\u{308} Łukasz Straße", &["zoe", "lukasz", "strasse"]),
            ("İstanbul ΟΔΟΣ οδος", &["istanbul", "οδοσ", "οδοσ"]),
            ("日本語abc", &["日", "本", "語", "abc"]),
            ("ガード が", &["ガ", "ー", "ド", "が"]),
            ("ｶﾞｰﾄﾞ Ａ１", &["ガ", "ー", "ド", "a1"]),
            ("역할 변경", &["역할", "변경"]),
            ("हिन्दी", &["हिन्दी"]),
            ("é— x", &["e", "x"]),
            ("co\u{ad}operate", &["cooperate"]),
        ];
        for (text, want) in cases {
            assert_eq!(words(text), want, "{text}");
        }
    }

    #[test]
    fn long_runs_are_cut_at_the_same_place_in_both_paths() {
        let long = "a".repeat(600);
        let lengths = |text: &str| words(text).iter().map(String::len).collect::<Vec<_>>();
        assert_eq!(lengths(&long), [255, 255, 90]);
        assert_eq!(lengths(&format!("{long} é")), [255, 255, 90, 1]);
    }

    #[test]
    fn case_folding_compares_without_allocating_as_it_does_with() {
        for (text, other) in [
            ("ZOË", "zoë"),
            ("Straße", "STRAßE"),
            ("ΟΔΟΣ", "οδος"),
            ("Plain", "pLAIN"),
            ("İx", "i̇X"),
        ] {
            let folded = fold_case(other);
            assert_eq!(fold_case(text), folded);
            assert!(equals_folded(text, &folded) && begins_folded(text, &folded), "{text}");
        }
        assert!(begins_folded("Müller", "mü") && !begins_folded("M", "mü") && !equals_folded("Müller", "mü"));
    }
}
