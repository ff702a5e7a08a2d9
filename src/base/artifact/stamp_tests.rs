//! What a stamp says, and what is told of a folder that is not what was sealed.

use super::*;

fn sealed() -> (tempfile::TempDir, Stamp) {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [("a.json", "[1, 2]"), ("all/b", "b"), ("all/c/d", "")] {
        file::write(&folder.path().join(name), content.as_bytes()).unwrap();
    }
    let stamp = Stamp::new(1)
        .with("config", Fingerprint::of(&"a"))
        .of_settings("config", &serde_json::json!({"training": {"lr": 0.01, "epochs": 2}}));
    stamp.seal(folder.path(), &["a.json", "all"], "cpu").unwrap();
    (folder, stamp)
}

#[test]
fn a_folder_is_fresh_only_with_the_same_stamp() {
    let (folder, stamp) = sealed();
    let other = |stamp: Stamp| matches!(stamp.state(folder.path()), State::Stale(_));
    assert!(stamp.matches(folder.path()));
    assert!(other(Stamp::new(1).with("config", Fingerprint::of(&"b"))));
    assert!(other(Stamp::new(2).with("config", Fingerprint::of(&"a"))));
    Stamp::clear(folder.path()).unwrap();
    Stamp::clear(folder.path()).unwrap();
    assert!(matches!(stamp.state(folder.path()), State::Unfinished));
}

#[test]
fn files_are_read_as_they_were_sealed() {
    let (folder, _) = sealed();
    let sealed = Sealed::open(folder.path()).unwrap();
    assert_eq!(sealed.json::<Vec<u32>>("a.json").unwrap(), [1, 2]);
    assert_eq!(sealed.read("all/b").unwrap(), b"b");
    assert_eq!(sealed.path("all/c/d").unwrap(), folder.path().join("all/c/d"));
    assert_eq!((sealed.bytes(), sealed.damage()), (7, vec![]));
    let unknown = sealed.read("stamp.json").unwrap_err();
    assert!(unknown.to_string().contains("does not know of it"), "{unknown}");
}

#[test]
fn every_damage_is_seen() {
    let (folder, stamp) = sealed();
    let at = |name: &str| folder.path().join(name);
    let names = ["a.json", "all/b", RUN, STAMP];
    for name in names {
        let before = std::fs::read(at(name)).unwrap();
        let flipped: Vec<u8> = before.iter().map(|byte| byte ^ 1).collect();
        let appended = [&before[..], b" "].concat();
        let swapped = std::fs::read(at(names[usize::from(name == names[0])])).unwrap();
        let mutilations: [(&str, Option<&[u8]>); 6] = [
            ("flip", Some(&flipped)),
            ("cut", Some(&before[..before.len() / 2])),
            ("append", Some(&appended)),
            ("empty", Some(b"")),
            ("swap", Some(&swapped)),
            ("delete", None),
        ];
        for (what, bytes) in mutilations {
            match bytes {
                Some(bytes) => std::fs::write(at(name), bytes).unwrap(),
                None => std::fs::remove_file(at(name)).unwrap(),
            }
            let state = stamp.state(folder.path());
            let by_digest = Sealed::open(folder.path()).map(|sealed| sealed.damage().len());
            match (name, what) {
                // Whitespace means nothing in it.
                (STAMP, "append") => assert!(matches!(state, State::Fresh)),
                (STAMP, "delete") => assert!(matches!(state, State::Unfinished)),
                (STAMP, _) => assert!(matches!(state, State::Damaged(_)), "{name} {what}"),
                // No result is less for what is known of its run.
                (RUN, _) => {
                    assert!(matches!(state, State::Fresh), "{name} {what}");
                    let told = usize::from(!matches!(what, "append" | "delete"));
                    assert_eq!(by_digest.unwrap(), told, "{name} {what}");
                }
                (_, "flip") => assert_eq!(by_digest.unwrap(), 1, "{name} {what}"),
                _ => {
                    assert!(matches!(state, State::Damaged(_)), "{name} {what}");
                    assert_eq!(by_digest.unwrap(), 1, "{name} {what}");
                }
            }
            std::fs::write(at(name), &before).unwrap();
            assert!(stamp.matches(folder.path()));
        }
    }
}

#[test]
fn every_byte_of_a_stamp_counts() {
    let (folder, stamp) = sealed();
    let path = folder.path().join(STAMP);
    let before = std::fs::read(&path).unwrap();
    for at in 0..before.len() {
        let mut bytes = before.clone();
        bytes[at] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let state = stamp.state(folder.path());
        let space = before[at].is_ascii_whitespace();
        assert!(matches!(state, State::Damaged(_)) || space, "byte {at}: {state:?}");
    }
}

#[test]
fn a_stamp_does_not_depend_on_the_run() {
    let (folder, stamp) = sealed();
    let before = std::fs::read(folder.path().join(STAMP)).unwrap();
    let run = Sealed::open(folder.path()).unwrap().run().unwrap().unwrap();
    assert_eq!((run.version.as_str(), run.device.as_str()), (env!("CARGO_PKG_VERSION"), "cpu"));
    stamp.seal(folder.path(), &["a.json", "all"], "cuda:0, a card").unwrap();
    let run = Sealed::open(folder.path()).unwrap().run().unwrap().unwrap();
    assert_eq!(run.device, "cuda:0, a card");
    stamp.seal_found(folder.path(), &["a.json", "all"]).unwrap();
    assert_eq!(Sealed::open(folder.path()).unwrap().run(), Ok(None));
    assert_eq!(std::fs::read(folder.path().join(STAMP)).unwrap(), before);
}

#[test]
fn what_changed_is_told() {
    let (folder, _) = sealed();
    let sealed = Sealed::open(folder.path()).unwrap();
    let now = Stamp::new(1)
        .with("config", Fingerprint::of(&"b"))
        .with("dataset", Fingerprint::of(&"x"))
        .of_settings("config", &serde_json::json!({"training": {"lr": 0.02, "epochs": 2}}));
    let told = ["training.lr is 0.02, it was 0.01", "the dataset changed"];
    assert_eq!(sealed.changes(&now), told);
}

#[test]
fn the_same_result_of_other_inputs_has_the_same_content() {
    let (folder, _) = sealed();
    let content = |files: &[&str]| Sealed::open(folder.path()).unwrap().content(files);
    let (before, part) = (content(&["a.json", "all/b"]), content(&["a.json"]));
    Stamp::new(7).seal(folder.path(), &["a.json", "all"], "cpu").unwrap();
    assert_eq!(content(&["a.json", "all/b"]), before);
    file::write(&folder.path().join("all/b"), b"c").unwrap();
    Stamp::new(7).seal(folder.path(), &["a.json", "all"], "cpu").unwrap();
    assert_ne!(content(&["a.json", "all/b"]), before);
    assert_eq!(content(&["a.json"]), part);
}

#[test]
fn a_stamp_of_version_0_1_still_counts() {
    let folder = tempfile::tempdir().unwrap();
    let stamp = Stamp::new(3).with("dataset", Fingerprint::of(&1));
    file::write_json(&folder.path().join(STAMP), &stamp).unwrap();
    file::write(&folder.path().join("a.json"), b"1").unwrap();
    assert!(stamp.matches(folder.path()));
    let sealed = Sealed::open(folder.path()).unwrap();
    assert!(!sealed.is_measured() && sealed.json::<u32>("a.json").unwrap() == 1);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_damage_and_not_waited_for() {
    let (folder, stamp) = sealed();
    for name in [STAMP, RUN, "a.json"] {
        let path = folder.path().join(name);
        let before = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        let told = match (name, Sealed::open(folder.path())) {
            (STAMP, opened) => format!("{:#}", opened.err().unwrap()),
            (RUN, opened) => opened.unwrap().run().unwrap_err().to_string(),
            (_, opened) => format!("{:#}", opened.unwrap().read(name).unwrap_err()),
        };
        assert!(told.contains("not a file but a device"), "{name}: {told}");
        assert_eq!(stamp.matches(folder.path()), name == RUN, "{name}");
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, before).unwrap();
    }
}
