//! Notes and checkpoints: the published example holds, and no altered, re-signed or ill-formed note is believed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use trailbook_merkle::note::{self, NOTE_BYTES_MAX, Signer, VerifierKey};
use trailbook_merkle::{Checkpoint, Error, Hash, SIZE_MAX, empty_root};

/// The example key and note of the note format's documentation.
const EXAMPLE_SECRET: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const EXAMPLE_VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const EXAMPLE_TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const EXAMPLE_SIGNATURE: &str =
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

const TEXT: &str = "log.example/acme\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";

fn signer(name: &str, secret: u8) -> Signer {
    Signer::new(name, &[secret; 32]).unwrap()
}

fn acme() -> Signer {
    signer("log.example/acme", 1)
}

/// The last line of a note.
fn signature_line(note: &str) -> &str {
    let start = note.trim_end().rfind('\n').unwrap() + 1;
    &note[start..]
}

#[test]
fn the_published_example_holds() {
    let secret: [u8; 32] = STANDARD.decode(EXAMPLE_SECRET).unwrap()[1..].try_into().unwrap();
    let signer = Signer::new("PeterNeumann", &secret).unwrap();
    assert_eq!(signer.verifier().to_string(), EXAMPLE_VKEY);
    let note = signer.sign(EXAMPLE_TEXT).unwrap();
    assert_eq!(note, format!("{EXAMPLE_TEXT}\n{EXAMPLE_SIGNATURE}"));
    assert_eq!(
        note::open(note.as_bytes(), &[VerifierKey::parse(EXAMPLE_VKEY).unwrap()]),
        Ok(EXAMPLE_TEXT)
    );
}

#[test]
fn no_byte_of_a_note_can_be_altered_dropped_or_added() {
    let note = acme().sign(TEXT).unwrap();
    let keys = [acme().verifier().clone()];
    assert_eq!(note::open(note.as_bytes(), &keys), Ok(TEXT));
    for position in 0..note.len() {
        for bit in 0..8 {
            let mut flipped = note.clone().into_bytes();
            flipped[position] ^= 1 << bit;
            assert!(note::open(&flipped, &keys).is_err(), "bit {bit} of byte {position}");
        }
        let mut dropped = note.clone().into_bytes();
        dropped.remove(position);
        assert!(note::open(&dropped, &keys).is_err(), "without byte {position}");
        assert!(
            note::open(&note.as_bytes()[..position], &keys).is_err(),
            "cut to {position} bytes"
        );
        for added in [b'\n', b' ', b'A', 0, 0xff] {
            let mut grown = note.clone().into_bytes();
            grown.insert(position, added);
            assert!(note::open(&grown, &keys).is_err(), "{added} before byte {position}");
        }
    }
}

#[test]
fn ill_formed_notes_are_invalid() {
    let note = acme().sign(TEXT).unwrap();
    let line = signature_line(&note);
    let encoded = line.trim_end().rsplit(' ').next().unwrap();
    for ill in [
        String::new(),
        "\n\n".to_owned(),
        note.replace('\n', "\r\n"),
        note.replace("\n\n", "\n"),
        note.trim_end().to_owned(),
        format!("{note}\n"),
        format!("{note}trailing text\n"),
        format!("{TEXT}\n"),
        note.replace('—', "-"),
        note.replace("— ", "—"),
        note.replace("— ", "—  "),
        note.replace(encoded, encoded.trim_end_matches('=')),
        note.replace(encoded, &format!(" {encoded}")),
        note.replace(encoded, &encoded[..4]),
        note.replace(encoded, "AAAAAA=="),
        note.replace("— log", "— lo+g"),
        note.replace("— log.example/acme", "— "),
        note.replace(".example", ".exam\tple"),
        format!("\u{1}{note}"),
    ] {
        let answer = note::open(ill.as_bytes(), &[acme().verifier().clone()]);
        assert!(matches!(answer, Err(Error::Invalid(_))), "{ill:?}: {answer:?}");
    }
}

#[test]
fn unknown_keys_are_ignored_even_if_they_share_a_name_or_an_id() {
    let (note, line) = (
        acme().sign(TEXT).unwrap(),
        signature_line(&acme().sign(TEXT).unwrap()).to_owned(),
    );
    let other_name = line.replace("log.example/acme", "log.example/other");
    let other_key = signature_line(&signer("log.example/acme", 2).sign(TEXT).unwrap()).to_owned();
    let other_algorithm = format!("— witness.example {}\n", STANDARD.encode([6; 2424]));
    for foreign in [other_name, other_key, other_algorithm] {
        let alone = format!("{TEXT}\n{foreign}");
        assert_eq!(
            note::open(alone.as_bytes(), &[acme().verifier().clone()]),
            Err(Error::Unsigned)
        );
        for both in [format!("{note}{foreign}"), format!("{TEXT}\n{foreign}{line}")] {
            assert_eq!(note::open(both.as_bytes(), &[acme().verifier().clone()]), Ok(TEXT));
        }
    }
    assert_eq!(note::open(note.as_bytes(), &[]), Err(Error::Unsigned));
}

#[test]
fn one_bad_signature_by_a_known_key_refuses_the_whole_note() {
    let (old, new) = (acme(), signer("log.example/acme", 2));
    let keys = [old.verifier().clone(), new.verifier().clone()];
    let (note, second) = (old.sign(TEXT).unwrap(), new.sign(TEXT).unwrap());
    let both = format!("{note}{}", signature_line(&second));
    assert_eq!(note::open(both.as_bytes(), &keys), Ok(TEXT));

    let other_text = new.sign("another text\n").unwrap();
    let short = format!("— log.example/acme {}\n", {
        let line = signature_line(&second).trim_end();
        let bytes = STANDARD.decode(line.rsplit(' ').next().unwrap()).unwrap();
        STANDARD.encode(&bytes[..67])
    });
    for bad in [signature_line(&other_text), &short] {
        let spoiled = format!("{note}{bad}");
        assert!(matches!(note::open(spoiled.as_bytes(), &keys), Err(Error::Mismatch(_))));
        // Who does not know the second key cannot judge it.
        assert_eq!(note::open(spoiled.as_bytes(), &keys[..1]), Ok(TEXT));
    }
}

#[test]
fn a_repeated_signature_says_nothing_new_and_a_bad_repetition_is_seen() {
    let note = acme().sign(TEXT).unwrap();
    let keys = [acme().verifier().clone()];
    let twice = format!("{note}{}", signature_line(&note));
    assert_eq!(note::open(twice.as_bytes(), &keys), Ok(TEXT));
    let elsewhere = acme().sign("another text\n").unwrap();
    let spoiled = format!("{note}{}", signature_line(&elsewhere));
    assert!(matches!(note::open(spoiled.as_bytes(), &keys), Err(Error::Mismatch(_))));
}

#[test]
fn notes_are_bounded() {
    let note = acme().sign(TEXT).unwrap();
    let line = signature_line(&note);
    let keys = [acme().verifier().clone()];
    let foreign = line.replace("acme", "other");
    for (count, read) in [(15, true), (99, true), (100, false), (1000, false)] {
        let many = format!("{note}{}", foreign.repeat(count));
        assert_eq!(
            note::open(many.as_bytes(), &keys).is_ok(),
            read,
            "{} signatures",
            count + 1
        );
    }
    let room = NOTE_BYTES_MAX - (note.len() - TEXT.len());
    let longest = format!("{}\n", "x".repeat(room - 1));
    assert_eq!(
        note::open(acme().sign(&longest).unwrap().as_bytes(), &keys),
        Ok(longest.as_str())
    );
    assert!(acme().sign(&format!("x{longest}")).is_err());
    assert!(matches!(
        note::open(&vec![b'\n'; NOTE_BYTES_MAX + 1], &keys),
        Err(Error::Invalid(_))
    ));
}

#[test]
fn texts_with_blank_lines_are_signed_whole() {
    for text in ["\n", "\n\n", "one\n\ntwo\n", "one\n\n\n", "— looks like a line\n"] {
        let note = acme().sign(text).unwrap();
        assert_eq!(note::open(note.as_bytes(), &[acme().verifier().clone()]), Ok(text));
    }
    for text in ["", "no newline", "carriage\r\n", "nul\0\n"] {
        assert!(acme().sign(text).is_err(), "{text:?}");
    }
}

#[test]
fn verifier_keys_have_one_spelling_and_are_never_weak() {
    let vkey = acme().verifier().to_string();
    assert_eq!(VerifierKey::parse(&vkey).unwrap().to_string(), vkey);
    for position in 0..vkey.len() {
        for bit in 0..7 {
            let mut flipped = vkey.clone().into_bytes();
            flipped[position] ^= 1 << bit;
            let flipped = String::from_utf8(flipped).unwrap();
            assert!(VerifierKey::parse(&flipped).is_err(), "{flipped:?}");
        }
    }
    let upper = EXAMPLE_VKEY.replace("c74f20a3", "C74F20A3");
    for ill in [
        "",
        "name",
        "name+00000000",
        "name+00000000+",
        "+c74f20a3+ARpc",
        &upper,
        &format!("{EXAMPLE_VKEY}\n"),
    ] {
        assert!(VerifierKey::parse(ill).is_err(), "{ill:?}");
    }
    // The neutral element as a public key, under its right id, would let one signature fit every text.
    let mut weak = [0; 33];
    (weak[0], weak[1]) = (1, 1);
    assert!(VerifierKey::parse(&format!("weak+8b94416d+{}", STANDARD.encode(weak))).is_err());
    for name in ["", "a b", "a+b", "a\u{a0}b", "a\nb", "a\0b", "a\u{2003}b"] {
        assert!(Signer::new(name, &[1; 32]).is_err(), "{name:?}");
    }
}

#[test]
fn secrets_are_not_shown() {
    let shown = format!("{:?}", signer("log.example/acme", 0xab));
    assert!(shown.contains("log.example/acme"));
    assert!(!shown.contains("171, 171") && !shown.contains("abab"), "{shown}");
}

#[test]
fn checkpoints_are_read_in_one_spelling_only() {
    let checkpoint = Checkpoint::new("log.example/acme/e2".to_owned(), 20_852_163, empty_root()).unwrap();
    let text = checkpoint.to_text();
    assert_eq!(
        text,
        "log.example/acme/e2\n20852163\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    );
    assert_eq!(Checkpoint::parse(&text), Ok(checkpoint));
    assert_eq!(Checkpoint::parse(TEXT).map(|checkpoint| checkpoint.size()), Ok(0));
    let largest = text.replace("20852163", &SIZE_MAX.to_string());
    assert_eq!(
        Checkpoint::parse(&largest).map(|checkpoint| checkpoint.size()),
        Ok(SIZE_MAX)
    );
    for size in [
        "",
        "00",
        "020852163",
        "+1",
        "-1",
        " 1",
        "1 ",
        "0x1",
        "1e3",
        "1_000",
        "٣",
        "9223372036854775808",
        "18446744073709551616",
    ] {
        assert!(Checkpoint::parse(&text.replace("20852163", size)).is_err(), "{size:?}");
    }
    for ill in [
        "",
        "\n\n\n",
        text.trim_end(),
        &format!("{text}\n"),
        &format!("{text}extension\n"),
        &format!("\n{text}"),
        &text.replace('\n', "\r\n"),
        &text.replace("uFU=", "uFV="),
        &text.replace("uFU=", "uF="),
        &text.replace("log.example", "log example"),
        &text.replace("log.example", "log+example"),
        &text.replace("log.example/acme/e2", ""),
    ] {
        assert!(Checkpoint::parse(ill).is_err(), "{ill:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes: Vec<u8>, text in "\\PC{0,200}") {
        let keys = [acme().verifier().clone()];
        prop_assert!(note::open(&bytes, &keys).is_err());
        prop_assert!(note::open(text.as_bytes(), &keys).is_err());
        let _ = Checkpoint::parse(&text);
        prop_assert!(VerifierKey::parse(&text).is_err());
    }

    #[test]
    fn any_checkpoint_survives_signing(size in 0..=SIZE_MAX, root: [u8; 32], origin in "[a-z0-9./_-]{1,60}") {
        let checkpoint = Checkpoint::new(origin.clone(), size, Hash(root)).unwrap();
        let signer = signer(&origin, 9);
        let note = signer.sign(&checkpoint.to_text()).unwrap();
        let text = note::open(note.as_bytes(), &[signer.verifier().clone()]).unwrap();
        prop_assert_eq!(Checkpoint::parse(text), Ok(checkpoint));
    }
}
