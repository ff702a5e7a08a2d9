//! A survey whose answers are kept on this machine: one link with a token per reader.
//!
//! It serves the survey and the files that it needs, and nothing else of the site. Two routes write:
//! with a reader's token they take one answer of that reader, or what the reader says of themselves, of a limited
//! size and at a limited rate, and acknowledge it when it is on the disk (`ledger`). Another reader's answers go to nobody.

mod ledger;
mod limit;
mod tokens;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;

use self::limit::Limit;
use super::connections::{self, Names};
use super::{content_type, guarded, resolve};

pub use ledger::{Asked, Ledger, Refusal};
pub use tokens::Tokens;

/// Bytes of one answer at most; a long one has a few thousand.
const MAX_BODY: usize = 64 << 10;
/// How long a request's body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is served, to whom, and where answers go.
struct Desk {
    site: PathBuf,
    tokens: Tokens,
    ledger: Ledger,
    /// Requests of a reader.
    readers: Limit<String>,
    /// Requests without a good token.
    strangers: Limit<IpAddr>,
}

/// Serves the survey of `site` and takes answers until the process ends, from who asks by one of the names.
pub async fn serve(
    site: PathBuf,
    listener: TcpListener,
    names: Names,
    tokens: Tokens,
    ledger: Ledger,
) {
    connections::serve(listener, router(site, tokens, ledger), names).await;
}

fn router(site: PathBuf, tokens: Tokens, ledger: Ledger) -> Router {
    let desk = Desk {
        site,
        tokens,
        ledger,
        readers: Limit::new(60.0, 5.0),
        strangers: Limit::new(20.0, 0.2),
    };
    Router::new()
        .route("/", get(|| async { Redirect::temporary("survey/index.html") }))
        .route("/_collect/script.js", get(script))
        .route("/_collect/answers", get(own).post(take))
        .route("/_collect/about", post(told))
        .fallback(get(file))
        .with_state(Arc::new(desk))
}

async fn script() -> Response {
    let kind = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8")];
    guarded((kind, include_str!("collect.js")).into_response())
}

fn json(status: StatusCode, value: &serde_json::Value) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    guarded((status, headers, value.to_string()).into_response())
}

fn problem(status: StatusCode, message: impl Into<String>) -> Response {
    json(status, &serde_json::json!({ "error": message.into() }))
}

/// The reader whose token a request carries.
fn reader<'a>(desk: &'a Desk, headers: &HeaderMap, from: IpAddr) -> Result<&'a str, Box<Response>> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = bearer.and_then(|value| value.strip_prefix("Bearer "));
    let now = Instant::now();
    match token.and_then(|token| desk.tokens.reader(token.trim())) {
        Some(reader) if desk.readers.allows(reader.to_owned(), now) => Ok(reader),
        None if desk.strangers.allows(from, now) => Err(Box::new(problem(
            StatusCode::UNAUTHORIZED,
            "this link is not valid; open the survey by the link you were sent",
        ))),
        _ => {
            Err(Box::new(problem(StatusCode::TOO_MANY_REQUESTS, "too many requests; wait a while")))
        }
    }
}

/// What the reader has answered so far.
async fn own(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    match reader(&desk, &headers, from.ip()) {
        Ok(reader) => json(
            StatusCode::OK,
            &serde_json::json!({
                "reader": reader,
                "about": desk.ledger.about(reader),
                "answers": desk.ledger.answers(reader),
            }),
        ),
        Err(response) => *response,
    }
}

/// Takes one answer.
async fn take(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let save = |desk: &Desk, reader: &str, bytes: &[u8]| {
        let stands = desk.ledger.save(reader, bytes)?;
        Ok(serde_json::json!({ "saved": true, "stands": stands }))
    };
    saved(desk, from.ip(), &headers, body, save).await
}

/// Takes what a reader says of themselves.
async fn told(
    State(desk): State<Arc<Desk>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let save = |desk: &Desk, reader: &str, bytes: &[u8]| {
        desk.ledger.tell(reader, bytes)?;
        Ok(serde_json::json!({ "saved": true }))
    };
    saved(desk, from.ip(), &headers, body, save).await
}

/// Has what a reader sends saved, and says what came of it.
async fn saved(
    desk: Arc<Desk>,
    from: IpAddr,
    headers: &HeaderMap,
    body: Body,
    save: impl FnOnce(&Desk, &str, &[u8]) -> Result<serde_json::Value, Refusal> + Send + 'static,
) -> Response {
    let reader = match reader(&desk, headers, from) {
        Ok(reader) => reader.to_owned(),
        Err(response) => return *response,
    };
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if kind.is_none_or(|kind| !kind.starts_with("application/json")) {
        return problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, "expected application/json");
    }
    let bytes = match tokio::time::timeout(PATIENCE, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => {
            let words = format!("expected one answer of at most {MAX_BODY} bytes");
            return problem(StatusCode::PAYLOAD_TOO_LARGE, words);
        }
        Err(_) => return problem(StatusCode::REQUEST_TIMEOUT, "the answer did not arrive"),
    };
    // The disk is waited for on a thread that may wait.
    let saved = tokio::task::spawn_blocking(move || save(&desk, &reader, &bytes)).await;
    match saved {
        Ok(Ok(said)) => json(StatusCode::OK, &said),
        Ok(Err(Refusal::Wrong(words))) => problem(StatusCode::UNPROCESSABLE_ENTITY, words),
        Ok(Err(Refusal::Ahead(now))) => json(
            StatusCode::UNPROCESSABLE_ENTITY,
            &serde_json::json!({
                "error": "this answer is from the future: the clock of the device is wrong",
                "now": now,
            }),
        ),
        Ok(Err(Refusal::Full)) => problem(
            StatusCode::INSUFFICIENT_STORAGE,
            "this reader's log is full; save the file and send it",
        ),
        Ok(Err(Refusal::Failed(words))) => {
            eprintln!("error: {words}");
            problem(StatusCode::INTERNAL_SERVER_ERROR, "the server could not write the answer")
        }
        Err(_) => {
            problem(StatusCode::INTERNAL_SERVER_ERROR, "the server could not take the answer")
        }
    }
}

/// A file of the survey, or one that it needs.
async fn file(State(desk): State<Arc<Desk>>, uri: Uri) -> Response {
    let found = match belongs(&desk.site, uri.path()).then(|| resolve(&desk.site, uri.path())) {
        Some(Some(path)) => tokio::fs::read(&path).await.ok().map(|bytes| (path, bytes)),
        _ => None,
    };
    let Some((path, bytes)) = found else {
        let page = "<!doctype html><html lang=\"en\"><title>Not found</title>\
                    <p>There is no such page. Open the survey by the link you were sent.</p></html>";
        let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
        return guarded((StatusCode::NOT_FOUND, kind, page).into_response());
    };
    let kind = content_type(&path);
    // The page for scores of mammograms sends nothing: its readers save their files.
    let asks = path.ends_with("survey/index.html");
    let bytes = if asks { with_collector(bytes) } else { bytes };
    guarded(([(header::CONTENT_TYPE, kind)], bytes).into_response())
}

/// Whether a request is for the survey: the rest of the site would tell what it hides.
fn belongs(site: &std::path::Path, request: &str) -> bool {
    match request.split('/').find(|part| !part.is_empty()) {
        Some("survey" | "assets") => true,
        // A blind survey has copies of its pictures: beside the others lie pages that tell what it hides.
        Some("patches" | "mammograms") => !site.join("survey/images").is_dir(),
        _ => false,
    }
}

/// The survey's page with the script that sends answers, before its own.
fn with_collector(mut page: Vec<u8>) -> Vec<u8> {
    let tag = b"<script src=\"../_collect/script.js\"></script>\n";
    let at = page.windows(7).position(|bytes| bytes.eq_ignore_ascii_case(b"<script"));
    let at = at.unwrap_or(0);
    page.splice(at..at, tag.iter().copied());
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_survey_and_what_it_needs_are_served() {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path();
        for path in ["/survey/index.html", "//survey", "/assets/survey.js", "/patches/a.jpg"] {
            assert!(belongs(site, path), "{path}");
        }
        for path in ["/", "/index.html", "/networks/x", "/data/units.csv", "/selection", "/surveys"]
        {
            assert!(!belongs(site, path), "{path}");
        }
        std::fs::create_dir_all(site.join("survey/images")).unwrap();
        assert!(!belongs(site, "/patches/a.jpg") && !belongs(site, "/mammograms/a.jpg"));
    }
}
