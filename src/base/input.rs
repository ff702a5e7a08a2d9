//! Files that are handed in, read only so far. Anything but a regular file is refused before it is opened: a
//! named pipe that nobody writes to would be waited for without end, and a device may have no end at all.

use std::fs::{File, Metadata};
use std::io::{self, Error, ErrorKind, Read as _};
use std::path::Path;

/// Opens a regular file, through links; also says what is known of it.
///
/// # Errors
/// When it cannot be opened, or is anything else: what, and that a file was expected. The path stands in no
/// message; the caller says which file it was.
pub fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let met = std::fs::metadata(path)?;
    if !met.is_file() {
        let message = format!("it is not a file but {}", kind(&met));
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    let file = File::open(path)?;
    let met = file.metadata()?;
    Ok((file, met))
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
/// As [`open`]; also when it holds more, of which no more than that is read.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let (file, met) = open(path)?;
    let too_large = |bytes: u64| {
        let message = format!("it holds {bytes} bytes; files of more than {limit} are not read");
        Error::new(ErrorKind::FileTooLarge, message)
    };
    if met.len() > limit {
        return Err(too_large(met.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(met.len()).unwrap_or_default());
    // It may grow meanwhile, and what the system makes up as it is read has no length.
    file.take(limit + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 <= limit {
        true => Ok(bytes),
        false => Err(too_large(bytes.len() as u64)),
    }
}

/// What something that is no regular file is, in words.
fn kind(met: &Metadata) -> &'static str {
    if met.is_dir() {
        return "a folder";
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        let kind = met.file_type();
        if kind.is_fifo() {
            return "a named pipe";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
        if kind.is_socket() {
            return "a socket";
        }
    }
    "something else"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_read_than_may_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, b"12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        let error = read(&path, 4).unwrap_err();
        assert_eq!(error.to_string(), "it holds 5 bytes; files of more than 4 are not read");
        assert_eq!(read(&folder.path().join("b"), 4).unwrap_err().kind(), ErrorKind::NotFound);
        let error = read(folder.path(), 4).unwrap_err();
        assert_eq!(error.to_string(), "it is not a file but a folder");
        // A file of unknown size without an end before the limit.
        #[cfg(target_os = "linux")]
        {
            let status = Path::new("/proc/self/status");
            assert!(read(status, 1 << 16).unwrap().len() > 100);
            assert!(read(status, 100).unwrap_err().to_string().contains("more than 100"));
        }
    }

    #[cfg(unix)]
    #[test]
    fn pipes_devices_and_sockets_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let made = std::process::Command::new("mkfifo").arg(at("pipe")).status().unwrap();
        assert!(made.success());
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", at("link")).unwrap();
        for (path, kind) in [
            (at("pipe"), "a named pipe"),
            (at("socket"), "a socket"),
            (at("link"), "a device"),
            ("/dev/zero".into(), "a device"),
        ] {
            let error = read(&path, 1 << 20).unwrap_err();
            assert_eq!(error.to_string(), format!("it is not a file but {kind}"));
        }
    }
}
