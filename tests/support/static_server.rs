//! The plainest web server: files below a folder, under a path of its own, and nothing else.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

/// Serves `folder` at the address it returns, which ends with `prefix`, until the test's process ends.
pub(crate) fn serve(folder: &Path, prefix: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}{prefix}", listener.local_addr().unwrap());
    let (folder, prefix) = (folder.to_owned(), prefix.to_owned());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (folder, prefix) = (folder.clone(), prefix.clone());
            // A browser that goes away in the middle of a file is no failure.
            std::thread::spawn(move || drop(answer(stream, &folder, &prefix)));
        }
    });
    address
}

fn answer(mut stream: TcpStream, folder: &Path, prefix: &str) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    for line in lines.by_ref() {
        if line?.is_empty() {
            break;
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default();
    let file: Option<PathBuf> = path
        .strip_prefix(prefix)
        .filter(|rest| !rest.contains("..") && !rest.contains('%'))
        .map(|rest| folder.join(rest));
    let kind = match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript",
        "css" => "text/css",
        "svg" => "image/svg+xml",
        "jpg" => "image/jpeg",
        _ => "application/octet-stream",
    };
    let (status, body) = match file.and_then(|file| std::fs::read(file).ok()) {
        Some(body) => ("200 OK", body),
        None => ("404 Not Found", b"nothing here".to_vec()),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(&body)
}
