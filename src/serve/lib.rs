//! A web server for one site on this machine, whose open pages follow each rebuild.
//!
//! It reads files below the site's folder and nothing else, answers GET only, and writes nothing.

pub mod collect;
mod connections;

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::watch;

pub use connections::Names;

/// How long a page's question for news is kept open.
const PATIENCE: Duration = Duration::from_secs(25);

/// What open pages are told of the latest build.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct News {
    /// Counts builds, failed ones too.
    pub build: u64,
    /// Why it failed, to be shown in the page.
    pub error: Option<String>,
}

/// Serves `site` until the process ends, to who asks by one of the names.
pub async fn serve(
    site: PathBuf,
    listener: TcpListener,
    names: Names,
    news: watch::Receiver<News>,
) {
    connections::serve(listener, router(site, news), names).await;
}

#[derive(Clone)]
struct Served {
    site: PathBuf,
    news: watch::Receiver<News>,
}

fn router(site: PathBuf, news: watch::Receiver<News>) -> Router {
    Router::new()
        .route("/_live/script.js", get(script))
        .route("/_live/news", get(tell))
        .fallback(get(file))
        .with_state(Served { site, news })
}

async fn script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("live.js"))
}

#[derive(Deserialize)]
struct Seen {
    /// The build the page was loaded from.
    build: u64,
}

/// Answers as soon as there is news, or after a while with none.
async fn tell(State(mut served): State<Served>, Query(seen): Query<Seen>) -> Response {
    let changed = served.news.wait_for(|news| news.build != seen.build);
    let news = match tokio::time::timeout(PATIENCE, changed).await {
        Ok(Ok(news)) => News::clone(&news),
        _ => News { build: seen.build, error: None },
    };
    let body = serde_json::to_string(&news).unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], body)
        .into_response()
}

async fn file(State(served): State<Served>, uri: Uri) -> Response {
    let news = served.news.borrow().clone();
    let found = match resolve(&served.site, uri.path()) {
        Some(path) => tokio::fs::read(&path).await.ok().map(|bytes| (content_type(&path), bytes)),
        None => None,
    };
    let (status, kind, bytes) = match found {
        Some((kind, bytes)) => (StatusCode::OK, kind, bytes),
        None => {
            let page = "<!doctype html><html lang=\"en\"><title>Not found</title>\
                        <p>There is no such page. Look for it from the home page.</p></html>";
            (StatusCode::NOT_FOUND, "text/html; charset=utf-8", page.into())
        }
    };
    let bytes = match kind.starts_with("text/html") {
        true => with_script(bytes, uri.path(), &news),
        false => bytes,
    };
    guarded((status, [(header::CONTENT_TYPE, kind)], bytes).into_response())
}

/// What keeps the browser from doing more with a page than it needs: nothing from elsewhere, and no page of
/// elsewhere around it.
fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; \
             object-src 'none'; base-uri 'none'; frame-ancestors 'self'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, header::HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(header::HeaderValue::from_static("no-cache"));
    response
}

/// The file below `site` that a request path means; `None` for anything else, whatever tricks the
/// path plays.
fn resolve(site: &Path, request: &str) -> Option<PathBuf> {
    let site = site.canonicalize().ok()?;
    let mut path = site.clone();
    for part in request.split('/').filter(|part| !part.is_empty()) {
        // Names of the site are plain; anything that needs decoding is not among them.
        if part.starts_with('.') || part.contains(['\\', '%', ':', '\0']) {
            return None;
        }
        path.push(part);
    }
    if path.is_dir() {
        path.push("index.html");
    }
    let path = path.canonicalize().ok()?;
    (path.starts_with(&site) && path.is_file()).then_some(path)
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "csv" => "text/csv; charset=utf-8",
        "svg" => "image/svg+xml",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// The page at a path with the script that follows builds, and with why the last one failed. Where a web
/// server before this one has a path of its own for it, the page lies below that: the script is named from the
/// page.
fn with_script(mut page: Vec<u8>, path: &str, news: &News) -> Vec<u8> {
    let up = "../".repeat(path.matches('/').count().saturating_sub(1));
    let error = news.error.as_deref().unwrap_or_default();
    let error = [('&', "&amp;"), ('"', "&quot;"), ('<', "&lt;")]
        .iter()
        .fold(error.to_owned(), |text, (from, to)| text.replace(*from, to));
    let tag = format!(
        "<script src=\"{up}_live/script.js\" data-build=\"{}\" data-error=\"{error}\"></script>",
        news.build
    );
    let end = page.windows(7).rposition(|bytes| bytes.eq_ignore_ascii_case(b"</body>"));
    let at = end.unwrap_or(page.len());
    page.splice(at..at, tag.into_bytes());
    page
}

#[cfg(test)]
#[path = "../../tests/support/lexicons.rs"]
mod lexicons;
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_site_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().join("site");
        std::fs::create_dir_all(site.join("units")).unwrap();
        std::fs::write(folder.path().join("secret.txt"), "x").unwrap();
        std::fs::write(site.join("index.html"), "x").unwrap();
        std::fs::write(site.join(".hidden"), "x").unwrap();
        std::fs::write(site.join("units/index.html"), "x").unwrap();
        let found = |path: &str| resolve(&site, path).is_some();
        for path in ["/", "/index.html", "/units", "/units/", "//units///index.html"] {
            assert!(found(path), "{path}");
        }
        for path in [
            "/../secret.txt",
            "/units/../../secret.txt",
            "/%2e%2e/secret.txt",
            "/..%2fsecret.txt",
            "/..\\secret.txt",
            "/.hidden",
            "/nothing",
            "/C:/secret.txt",
        ] {
            assert!(!found(path), "{path}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(folder.path(), site.join("out")).unwrap();
            assert!(!found("/out/secret.txt"));
        }
    }

    #[test]
    fn the_script_goes_before_the_end_of_the_body() {
        let failed = News { build: 3, error: Some("x.md:2: \"<b>\" & more".into()) };
        let page =
            with_script(b"<body>text</body></html>".to_vec(), "/units/1/index.html", &failed);
        let page = String::from_utf8(page).unwrap();
        let tag = "data-build=\"3\" data-error=\"x.md:2: &quot;&lt;b>&quot; &amp; more\"></script>";
        assert!(page.ends_with(&format!("{tag}</body></html>")), "{page}");
        assert!(page.contains("src=\"../../_live/script.js\""), "{page}");
        let page = with_script(b"bare".to_vec(), "/", &News::default());
        assert!(String::from_utf8(page).unwrap().ends_with("data-error=\"\"></script>"));
    }
}
