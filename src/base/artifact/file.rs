//! Files that are written whole or not at all.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use memmap2::Mmap;
use serde::Serialize;

use crate::input;

/// The most bytes of a stamp, record or document: that of a million files is a tenth of this.
const LARGEST: u64 = 1 << 30;
/// How the names of files and folders that are being written begin and end.
const TEMPORARY: [&str; 2] = [".unit-atlas-", ".tmp"];

/// Writes a file whole or not at all: to a temporary file beside it, then renamed over it. When this returns,
/// the file outlasts a loss of power.
///
/// # Errors
/// Names the file, when its folder cannot be made or written; an error of `write` itself passes as it is.
pub fn write_with(
    path: &Path,
    write: impl FnOnce(&mut io::BufWriter<Watched<'_>>) -> Result<()>,
) -> Result<()> {
    let mut failed_otherwise = None;
    let replaced = replace(path, |folder| {
        let mut file = temporary().tempfile_in(folder)?;
        let writing_failed = Cell::new(false);
        let watched = Watched { file: file.as_file_mut(), failed: &writing_failed };
        let mut buffer = io::BufWriter::with_capacity(1 << 20, watched);
        let written = write(&mut buffer).and_then(|()| Ok(buffer.flush()?));
        // What is left in the buffer of a file that is given up need not be written.
        let _ = buffer.into_parts();
        written.or_else(|error| match writing_failed.get() {
            true => Err(error),
            false => {
                failed_otherwise = Some(error);
                bail!("given up")
            }
        })?;
        file.as_file().sync_all()?;
        persist(file, path)?;
        sync_folder(folder)
    });
    // What went into the file may come from others: then it is these that failed.
    match failed_otherwise {
        Some(error) => Err(error),
        None => replaced,
    }
}

/// Files that are brought to the disk together: each for itself would wait for it, and a hundred thousand for
/// hours. What is written has its name once [`Batch::finish`] has returned, and outlasts a loss of power then.
#[derive(Debug, Default)]
pub struct Batch {
    /// Written, without their names.
    pending: Mutex<Vec<(tempfile::NamedTempFile, PathBuf)>>,
}

impl Batch {
    /// How many wait for the disk at once, and are open meanwhile.
    const TOGETHER: usize = 128;
    /// How many ask the disk at the same time: it answers them together.
    const ASKING: usize = 16;

    /// Writes a file, from any thread.
    ///
    /// # Errors
    /// Names a file that cannot be written: this one, or one before it.
    pub fn write(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let mut written = None;
        replace(path, |folder| {
            let mut file = temporary().tempfile_in(folder)?;
            file.write_all(bytes)?;
            written = Some(file);
            Ok(())
        })?;
        let full = {
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            pending.extend(written.map(|file| (file, path.to_owned())));
            if pending.len() < Self::TOGETHER { Vec::new() } else { std::mem::take(&mut *pending) }
        };
        Self::settle(full)
    }

    /// Brings what is left to the disk.
    ///
    /// # Errors
    /// Names a file that cannot be written.
    pub fn finish(self) -> Result<()> {
        Self::settle(self.pending.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Files first, then their names, then the folders that have them.
    fn settle(files: Vec<(tempfile::NamedTempFile, PathBuf)>) -> Result<()> {
        let named = |path: &Path| format!("cannot write {}", path.display());
        let share = files.len().div_ceil(Self::ASKING).max(1);
        std::thread::scope(|scope| {
            let sync = |some: &[(tempfile::NamedTempFile, PathBuf)]| -> Result<()> {
                some.iter().try_for_each(|(file, path)| {
                    file.as_file().sync_all().with_context(|| named(path))
                })
            };
            let asking: Vec<_> =
                files.chunks(share).map(|some| scope.spawn(move || sync(some))).collect();
            asking.into_iter().try_for_each(|thread| match thread.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            })
        })?;
        let mut folders = BTreeSet::new();
        for (file, path) in files {
            folders.insert(path.parent().unwrap_or(Path::new(".")).to_owned());
            persist(file, &path).with_context(|| named(&path))?;
        }
        folders.iter().try_for_each(|folder| sync_folder(folder))
    }
}

/// A file that remembers whether writing to it failed.
#[derive(Debug)]
pub struct Watched<'a> {
    file: &'a mut std::fs::File,
    failed: &'a Cell<bool>,
}

impl Watched<'_> {
    fn noted<T>(&self, result: io::Result<T>) -> io::Result<T> {
        // What is interrupted is tried again.
        if result.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted) {
            self.failed.set(true);
        }
        result
    }
}

impl io::Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.file.write(bytes);
        self.noted(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.file.flush();
        self.noted(result)
    }
}

impl io::Seek for Watched<'_> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let result = self.file.seek(to);
        self.noted(result)
    }
}

/// Lets `make` fill a file by its path in a temporary folder, then renames it to `path`: for writers that
/// insist on opening the file themselves, and on temporary files of their own beside it. When this returns,
/// the file outlasts a loss of power.
///
/// # Errors
/// As [`write_with`].
pub fn write_at(path: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    replace(path, |folder| {
        let mut builder = tempfile::Builder::new();
        let own = builder.prefix(TEMPORARY[0]).suffix(TEMPORARY[1]).tempdir_in(folder)?;
        let made = own.path().join("file");
        make(&made)?;
        // Such a writer may have meant it for the owner's eyes alone.
        #[cfg(unix)]
        fs_err::set_permissions(&made, std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        File::open(&made)?.sync_all()?;
        fs_err::rename(&made, path)?;
        sync_folder(folder)
    })
}

/// A temporary file as any program would make it, so that a web server may read the site.
fn temporary() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY[0]).suffix(TEMPORARY[1]);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    builder
}

/// Where something goes, beside where it is, that is to be removed: what is left of it is litter.
pub(super) fn temporary_beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{}{name}{}", TEMPORARY[0], TEMPORARY[1]))
}

/// Gives a temporary file its name, by a call that can be watched: `tempfile` asks the kernel directly.
fn persist(file: tempfile::NamedTempFile, path: &Path) -> Result<()> {
    let (_, mut temporary) = file.into_parts();
    fs_err::rename(&temporary, path)?;
    temporary.disable_cleanup(true);
    Ok(())
}

fn replace(path: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let attempt = || -> Result<()> {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs_err::create_dir_all(folder)?;
        fill(folder)
    };
    attempt().with_context(|| format!("cannot write {}", path.display()))
}

/// Removes a file, if it is there; the removal outlasts a loss of power.
pub(super) fn remove(path: &Path) -> Result<()> {
    match fs_err::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
        Ok(()) => sync_folder(path.parent().unwrap_or(Path::new("."))),
    }
}

/// Makes what was renamed or removed in a folder outlast a loss of power.
pub(super) fn sync_folder(folder: &Path) -> Result<()> {
    // Elsewhere a folder cannot be opened, and the file system keeps the order itself.
    #[cfg(unix)]
    fs_err::File::open(folder)?.sync_all()?;
    Ok(())
}

/// The bytes of a file that the program wrote: anything but a regular file, which would be waited for or never end,
/// is refused.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    input::read(path, LARGEST)
}

/// Maps a file into memory, to read what is needed of it.
///
/// # Errors
/// When the system refuses.
pub fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: everything here replaces a file by renaming another over it, never by writing into it, so what
    // is mapped does not change, and bytes are only read. A file that another program cuts short meanwhile
    // stops the process, as a failing disk would.
    unsafe { Mmap::map(file) }
}

/// Writes `bytes` whole or not at all.
///
/// # Errors
/// As [`write_with`].
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_with(path, |file| Ok(file.write_all(bytes)?))
}

/// Writes `bytes` unless the file already holds them, so that an unchanged file keeps its time.
/// Returns whether it wrote. Such files can be made again in seconds: a loss of power may take them.
///
/// # Errors
/// As [`write_with`].
pub fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<bool> {
    let same = std::fs::metadata(path).is_ok_and(|m| m.len() == bytes.len() as u64)
        && std::fs::read(path).is_ok_and(|old| old == bytes);
    if !same {
        replace(path, |folder| {
            let mut file = temporary().tempfile_in(folder)?;
            file.write_all(bytes)?;
            persist(file, path)
        })?;
    }
    Ok(!same)
}

/// Writes `value` as indented JSON with a final line break.
///
/// # Errors
/// As [`write_with`].
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    write_with(path, |file| {
        serde_json::to_writer_pretty(&mut *file, value)?;
        Ok(file.write_all(b"\n")?)
    })
}

/// How old litter is that nobody can be writing any more.
const ABANDONED: Duration = Duration::from_secs(3600);

/// That this process writes files of a folder where others may do so too, until it is dropped: they do not take its
/// half written files for litter ([`tidy`]).
#[derive(Debug)]
#[must_use]
pub struct Writing {
    _folder: Option<File>,
}

impl Writing {
    /// In a folder, which is made where there is none.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn into(folder: &Path) -> Result<Self> {
        fs_err::create_dir_all(folder)?;
        // Where a folder cannot be opened or locked, litter must be old before it goes.
        let shared = |folder: File| folder.lock_shared().is_ok().then_some(folder);
        Ok(Self { _folder: File::open(folder).ok().and_then(shared) })
    }
}

/// Removes what killed programs left half written in a folder, at once where nobody is [`Writing`] there.
///
/// # Errors
/// When it cannot be removed.
pub fn tidy(folder: &Path) -> Result<()> {
    let opened = File::open(folder).ok();
    let alone = opened.as_ref().is_some_and(|folder| folder.try_lock().is_ok());
    remove_litter(folder, if alone { Duration::ZERO } else { ABANDONED })
}

/// Whether something is, by its name, being written or was left half written.
pub fn is_litter(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with(TEMPORARY[0]) && name.ends_with(TEMPORARY[1])
}

/// Removes what killed runs left half written anywhere below `folder`, if it is as old as `age`: where another
/// program may be writing, old enough that it is not.
///
/// # Errors
/// When it cannot be removed.
pub fn remove_litter(folder: &Path, age: Duration) -> Result<()> {
    let mut entries = walkdir::WalkDir::new(folder).into_iter();
    while let Some(entry) = entries.next() {
        let Ok(entry) = entry else { continue };
        if !is_litter(entry.file_name()) {
            continue;
        }
        let written = entry.metadata().ok().and_then(|found| found.modified().ok());
        if written.and_then(|at| at.elapsed().ok()).is_some_and(|found| found < age) {
            continue;
        }
        if entry.file_type().is_dir() {
            entries.skip_current_dir();
            fs_err::remove_dir_all(entry.path())?;
        } else {
            fs_err::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_names_its_files_when_they_are_on_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let path = |n: usize| folder.path().join(format!("{}/{n}", n % 3));
        let (batch, count) = (Batch::default(), 2 * Batch::TOGETHER + 7);
        for n in 0..count {
            batch.write(&path(n), n.to_string().as_bytes()).unwrap();
        }
        let named = (0..count).filter(|n| path(*n).exists()).count();
        assert_eq!(named, 2 * Batch::TOGETHER);
        batch.finish().unwrap();
        for n in 0..count {
            assert_eq!(std::fs::read(path(n)).unwrap(), n.to_string().as_bytes());
        }
        // What is given up leaves nothing.
        let given_up = Batch::default();
        given_up.write(&path(count), b"x").unwrap();
        drop(given_up);
        let files = walkdir::WalkDir::new(folder.path()).into_iter().map(Result::unwrap);
        assert_eq!(files.filter(|entry| entry.file_type().is_file()).count(), count);
        let error = Batch::default().write(&path(0).join("below"), b"x").unwrap_err();
        assert!(error.to_string().contains("below"), "{error}");
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_litter() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.txt");
        write(&path, b"old").unwrap();
        let failures = [
            write_with(&path, |file| {
                file.write_all(b"half of the new")?;
                anyhow::bail!("disk on fire")
            }),
            write_at(&path, |file| {
                std::fs::write(file, b"half of the new")?;
                std::fs::write(file.with_extension("theirs"), b"their own litter")?;
                anyhow::bail!("disk on fire")
            }),
        ];
        let [streamed, made] = failures.map(|failure| format!("{:#}", failure.unwrap_err()));
        assert_eq!(streamed, "disk on fire", "what failed is not the file that was to be written");
        assert!(made.contains("b.txt") && made.contains("disk on fire"), "{made}");
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        assert!(!write_if_changed(&path, b"old").unwrap());
        assert!(write_if_changed(&path, b"new").unwrap());
        let below_a_file = path.join("c.txt");
        let message = format!("{:#}", write(&below_a_file, b"x").unwrap_err());
        assert!(message.starts_with("cannot write ") && message.contains("c.txt"), "{message}");
        write_at(&path, |file| Ok(std::fs::write(file, b"newer")?)).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"newer");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    /// A device that is always full.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_write_that_fails_names_the_file() {
        let mut full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let failed = Cell::new(false);
        let mut watched = Watched { file: &mut full, failed: &failed };
        watched.flush().unwrap();
        assert!(!failed.get());
        watched.write_all(b"x").unwrap_err();
        assert!(failed.get());
    }

    #[test]
    fn litter_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "a/.unit-atlas-x1.tmp",
            ".unit-atlas-x2.tmp",
            "a/mine.tmp",
            ".unit-atlas-x",
            "a/.unit-atlas-x3.tmp/.tmpTheirs",
        ] {
            write(&folder.path().join(name), b"x").unwrap();
        }
        remove_litter(folder.path(), Duration::from_secs(3600)).unwrap();
        assert!(folder.path().join(".unit-atlas-x2.tmp").exists(), "someone may be writing it");
        remove_litter(folder.path(), Duration::ZERO).unwrap();
        let left = |name: &str| folder.path().join(name).exists();
        assert!(!left("a/.unit-atlas-x1.tmp") && !left(".unit-atlas-x2.tmp"));
        assert!(!left("a/.unit-atlas-x3.tmp"));
        assert!(left("a/mine.tmp") && left(".unit-atlas-x"));
    }

    #[cfg(unix)]
    #[test]
    fn litter_of_who_is_still_writing_stays() {
        let folder = tempfile::tempdir().unwrap();
        let labels = folder.path().join("labels");
        tidy(&labels).unwrap();
        let litter = labels.join(".unit-atlas-x.tmp");
        let (first, second) = (Writing::into(&labels).unwrap(), Writing::into(&labels).unwrap());
        std::fs::write(&litter, b"half").unwrap();
        tidy(&labels).unwrap();
        drop(first);
        tidy(&labels).unwrap();
        assert!(litter.exists());
        drop(second);
        tidy(&labels).unwrap();
        assert!(!litter.exists());
        // Who comes while it is tidied waits, and then writes.
        write(&labels.join("a"), b"a").unwrap();
        let _third = Writing::into(&labels).unwrap();
    }
}
