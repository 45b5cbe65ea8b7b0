use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);

#[test]
fn every_built_in_profile_is_whole() {
    assert_eq!(names().count(), 5);
    for name in names() {
        let profile = open(&name, NOW).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(profile.name, name, "named as its file");
        let missing = complete::missing(&profile);
        assert!(missing.is_empty(), "{name}:{}", listed(&missing));
    }
}
