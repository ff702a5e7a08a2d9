//! Connections: under which names this machine is asked, how many there may be, and how long a request may
//! take to be made.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::ConnectInfo;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Extension, serve::Listener};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

/// How long the head of a request may take to arrive.
const HEAD: Duration = Duration::from_secs(10);
/// Connections at once.
const ALL: usize = 512;
/// Connections at once from an address that is not this machine's: a web server before this one has that.
const EACH: usize = 32;

/// The names by which a server may be asked. A page elsewhere can let a name of its own lead to this machine,
/// and read what is served under it; by an address it cannot.
#[derive(Debug, Clone)]
pub struct Names {
    /// Whether others than this machine reach it.
    open: bool,
    more: Vec<String>,
}

impl Names {
    /// Of a server that listens on `address`, and is also asked by the names in `more`.
    pub fn new(address: IpAddr, more: Vec<String>) -> Self {
        Self { open: !address.is_loopback(), more }
    }

    /// Whether a `Host` header names this server.
    fn has(&self, host: &str) -> bool {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        };
        let name = name.trim_matches(['[', ']']);
        match name.parse::<IpAddr>() {
            Ok(address) => self.open || address.is_loopback(),
            Err(_) => {
                name.eq_ignore_ascii_case("localhost")
                    || self.more.iter().any(|own| own.eq_ignore_ascii_case(name))
            }
        }
    }
}

/// Lets a request pass that names this server.
async fn named(State(names): State<Names>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    match host {
        Some(host) if names.has(host) => next.run(request).await,
        _ => {
            let words = "This server is not known by the name in the address. Where it should be, start it with \
                         `--name` and that name.\n";
            (StatusCode::MISDIRECTED_REQUEST, words).into_response()
        }
    }
}

/// Answers connections until the process ends.
pub(super) async fn serve(mut listener: TcpListener, router: Router, names: Names) {
    let router = router.layer(middleware::from_fn_with_state(names, named));
    let counts = Arc::new(Counts::default());
    loop {
        // An error of accepting is waited out there.
        let (stream, from) = Listener::accept(&mut listener).await;
        let Some(seat) = Seat::take(&counts, from.ip()) else { continue };
        let service = router.clone().layer(Extension(ConnectInfo::<SocketAddr>(from)));
        tokio::spawn(async move {
            let _seat = seat;
            let mut builder = Builder::new(TokioExecutor::new());
            builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
            // Who breaks a connection off has no use for an answer.
            let service = TowerToHyperService::new(service);
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Connections by address.
#[derive(Debug, Default)]
struct Counts(Mutex<HashMap<IpAddr, usize>>);

/// A connection's place among those that there may be; free again when it is dropped.
struct Seat {
    counts: Arc<Counts>,
    from: IpAddr,
}

impl Seat {
    fn take(counts: &Arc<Counts>, from: IpAddr) -> Option<Self> {
        let mut taken = counts.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.get(&from).copied().unwrap_or(0);
        if taken.values().sum::<usize>() >= ALL || (own >= EACH && !from.is_loopback()) {
            return None;
        }
        taken.insert(from, own + 1);
        drop(taken);
        Some(Self { counts: counts.clone(), from })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.counts.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = taken.get_mut(&self.from) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_someone_elses_is_refused() {
        let here = Names::new("127.0.0.1".parse().unwrap(), vec!["atlas.example".into()]);
        for host in ["localhost", "LOCALHOST:4173", "127.0.0.1:1", "[::1]:80", "Atlas.Example:443"]
        {
            assert!(here.has(host), "{host}");
        }
        for host in ["attacker.example", "localhost.attacker.example", "10.0.0.1", "", "x:y", ":80"]
        {
            assert!(!here.has(host), "{host}");
        }
        let open = Names::new("0.0.0.0".parse().unwrap(), Vec::new());
        assert!(open.has("192.168.1.7:4173") && open.has("[fe80::1]:80") && open.has("localhost"));
        assert!(!open.has("attacker.example"));
    }

    #[test]
    fn an_address_has_so_many_seats_and_no_more() {
        let counts = Arc::new(Counts::default());
        let (near, far) = ("127.0.0.1".parse().unwrap(), "10.0.0.1".parse().unwrap());
        let mut seats: Vec<_> = (0..EACH).map(|_| Seat::take(&counts, far).unwrap()).collect();
        assert!(Seat::take(&counts, far).is_none());
        seats.extend((EACH..ALL).map(|_| Seat::take(&counts, near).unwrap()));
        assert!(Seat::take(&counts, near).is_none());
        drop(seats);
        assert!(Seat::take(&counts, far).is_some());
        assert!(counts.0.lock().unwrap().is_empty());
    }
}
