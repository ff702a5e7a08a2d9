//! `serve`: the site on this machine, rebuilt and reloaded when its sources change; or its survey alone,
//! whose answers are kept here.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use notify::{Event, RecursiveMode, Watcher};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::terminal::Terminal;
use super::{Outcome, build};
use base::progress::Progress;
use config::Config;
use pipeline::Pipeline;
use serve::collect::{Asked, Ledger, Tokens};
use serve::{Names, News};
use study::selection::Chosen;

/// Options of `serve`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Port to listen on; 0 takes a free one
    #[arg(long, short, default_value_t = 4173)]
    port: u16,
    /// Address to listen on; anything but loopback lets others on the network read the atlas
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// A name by which a web server before this one is asked; may be repeated [default: this machine's alone]
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<String>,
    /// Serve the survey alone, and keep the readers' answers in content/labels
    #[arg(long)]
    collect: bool,
    /// With --collect: a reader who gets a link of their own; may be repeated [default: those who have one]
    #[arg(long = "reader", value_name = "PSEUDONYM", requires = "collect")]
    readers: Vec<String>,
}

/// How long the sources must be quiet before a rebuild.
const QUIET: Duration = Duration::from_millis(200);

pub(super) fn execute(
    options: &Options,
    project: &Path,
    pipeline: &Pipeline,
    terminal: &Terminal,
) -> Result<Outcome> {
    let built = build::execute(pipeline, terminal);
    if options.collect {
        built?;
        return collect(options, pipeline, terminal);
    }
    let mut first = News::default();
    if let Err(error) = built {
        // What is to be mended may be the very page that is being written: an earlier site is served,
        // and says so.
        if !pipeline.layout.site().join("index.html").is_file() {
            return Err(error);
        }
        let message = format!("{error:#}");
        eprintln!("error: {message}");
        first.error = Some(message);
    }
    let (tell, news) = watch::channel(first);
    let (runtime, listener, address) = listen(options)?;
    if !address.ip().is_loopback() {
        eprintln!("note: anyone who can reach {address} can read this atlas");
    }
    terminal.say(&format!("http://{address}/ (Ctrl-C ends)"));
    let site = pipeline.layout.site();
    let names = Names::new(address.ip(), options.names.clone());
    runtime.spawn(serve::serve(site, listener, names, news));
    follow(project, &pipeline.config.root, &tell, terminal)?;
    Ok(Outcome::Complete)
}

/// Opens the port.
fn listen(options: &Options) -> Result<(Runtime, TcpListener, SocketAddr)> {
    let runtime = Runtime::new().context("cannot start the server")?;
    let address = SocketAddr::new(options.host, options.port);
    let listener = runtime
        .block_on(TcpListener::bind(address))
        .with_context(|| format!("cannot listen on {address}; `--port 0` takes a free port"))?;
    let address = listener.local_addr()?;
    Ok((runtime, listener, address))
}

/// Serves the survey and keeps the answers. The site stays as it is while readers are at work.
fn collect(options: &Options, pipeline: &Pipeline, terminal: &Terminal) -> Result<Outcome> {
    let selection = pipeline.selection()?;
    if selection.units.is_empty() {
        bail!("the survey asks about no unit; `unit-atlas dissect` first");
    }
    if let Some(problem) = pipeline.other_study() {
        bail!("no answer could be kept: {problem}");
    }
    let folder = pipeline.config.root.join("collect");
    let tokens = Tokens::open(&folder, &options.readers)?;
    let name = |unit: Chosen| if selection.blind { unit.code } else { unit.unit.to_string() };
    let asked = Asked {
        units: selection.units.into_iter().map(name).collect(),
        study: selection.study,
        lexicon: selection.lexicon,
        consent: selection.consent,
        codes: pipeline.codes(),
        layers: pipeline.dissected(),
        lexicons: pipeline.lexicons()?,
    };
    let (ledger, notices) = Ledger::open(&folder, &pipeline.labels_folder(), asked, &tokens)?;
    for notice in &notices {
        eprintln!("{}: {}", notice.place, notice.message);
    }
    let (runtime, listener, address) = listen(options)?;
    if !address.ip().is_loopback() {
        eprintln!(
            "note: links and answers pass unencrypted; on anything but a trusted network put a server \
             with TLS before {address}"
        );
    }
    let site = pipeline.layout.site();
    if site.join("survey/cases/index.html").is_file() {
        terminal.say(&format!(
            "Scores of mammograms are not collected; readers save a file of them at \
             http://{address}/survey/cases/index.html and send it."
        ));
    }
    terminal.say("One link per reader; who has it can answer as that reader. Ctrl-C ends.");
    for (reader, token) in tokens.iter() {
        // Links are what this verb is for: they are printed even when quiet.
        println!("{reader}: http://{address}/survey/index.html#token={token}");
    }
    let names = Names::new(address.ip(), options.names.clone());
    runtime.block_on(serve::collect::serve(site, listener, names, tokens, ledger));
    Ok(Outcome::Complete)
}

/// Rebuilds after every change of the project's sources, for as long as the process lives.
fn follow(
    project: &Path,
    root: &Path,
    tell: &watch::Sender<News>,
    terminal: &Terminal,
) -> Result<()> {
    let (changed, changes) = mpsc::channel();
    let notice = move |event: notify::Result<Event>| {
        // A rebuild reads the sources: only what changes them counts.
        if event.is_ok_and(|event| !event.kind.is_access()) {
            // The receiver lives as long as the process.
            let _ = changed.send(());
        }
    };
    let mut watcher = notify::recommended_watcher(notice).context("cannot watch the project")?;
    watcher
        .watch(project, RecursiveMode::NonRecursive)
        .with_context(|| format!("cannot watch {}", project.display()))?;
    for folder in ["content", "themes"].map(|name| root.join(name)) {
        if folder.is_dir() {
            watcher
                .watch(&folder, RecursiveMode::Recursive)
                .with_context(|| format!("cannot watch {}", folder.display()))?;
        }
    }
    while changes.recv().is_ok() {
        while changes.recv_timeout(QUIET).is_ok() {}
        let rebuilt = Config::read(project)
            .and_then(|config| build::execute(&Pipeline::new(&config, terminal), terminal));
        let error = rebuilt.err().map(|error| format!("{error:#}"));
        if let Some(error) = &error {
            eprintln!("error: {error}");
        }
        tell.send_modify(|news| *news = News { build: news.build + 1, error });
    }
    Ok(())
}
