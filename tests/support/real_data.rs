//! Real data sets, for tests.

/// A folder of the real data sets that some tests use, when it is there: `$UNIT_ATLAS_DATA/<name>` or
/// `../shared/data/<name>` beside the project. Says so when such a test is skipped.
pub(crate) fn folder(name: &str) -> Option<std::path::PathBuf> {
    let beside = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let root = std::env::var_os("UNIT_ATLAS_DATA").map_or(beside, Into::into);
    let folder = root.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("UNIT_ATLAS_DATA").is_none(), "{} is not there", folder.display());
    // Written past the test harness, which hides what passing tests print.
    let _ = std::io::Write::write_fmt(
        &mut std::io::stderr(),
        format_args!("skipped: {} is not there\n", folder.display()),
    );
    None
}
