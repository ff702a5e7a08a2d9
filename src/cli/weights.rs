//! `weights`: published weight files, and trunks to pass on.

#[cfg(feature = "hub")]
mod fetch;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::terminal::Terminal;
use super::{Outcome, Project};
use architecture::Architecture;
use base::artifact::{Fingerprint, Layout, Sealed};
use base::progress::Progress;
use network::weights::published::{PUBLISHED, Published, Source};
use network::weights::{Weights, save_trunk};

/// The paper's networks.
const PAPER: [&str; 4] = ["alexnet", "vgg16", "inception_v3", "resnet152"];

/// What to do with weight files.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Print which weights others have published, where they are, and their SHA-256
    List,
    /// Download published weights and check their SHA-256
    Fetch {
        /// Networks [default: the four of the paper]
        #[arg(value_name = "NETWORK")]
        networks: Vec<String>,
        /// Folder to write to
        #[arg(long, value_name = "FOLDER", default_value = "weights")]
        dir: PathBuf,
    },
    /// Write what comes before a network's fully connected layers, in half precision, for others to
    /// start from
    Trunk {
        /// A network of the project, or, with --from, what the file holds
        network: String,
        /// File to write (.safetensors)
        file: PathBuf,
        /// Weights to take it from [default: those that the project trained]
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
    },
}

pub(super) fn execute(verb: &Verb, project: &Project, terminal: &Terminal) -> Result<Outcome> {
    match verb {
        Verb::List => {
            for published in PUBLISHED {
                for line in describe(published) {
                    terminal.result(&line);
                }
            }
        }
        Verb::Fetch { networks, dir } => fetch_all(&choose(networks)?, dir, terminal)?,
        Verb::Trunk { network, file, from } => {
            trunk(network, file, from.as_deref(), project, terminal)?;
        }
    }
    Ok(Outcome::Complete)
}

/// A file in lines: what it is for, where it is, how to know it.
fn describe(published: &Published) -> [String; 3] {
    let Published { network, file, source, sha256 } = published;
    let layers = Architecture::find(network).map(|a| format!("; layers {}", a.layers.join(", ")));
    let names = match source {
        Source::PyTorch => "torchvision's",
        Source::Hub { model, .. } if model.starts_with("timm/") => {
            "torchvision's weights under timm's names"
        }
        Source::Hub { .. } => "both towers, by Hugging Face's names",
    };
    let digest = if published.is_digest_whole() {
        (*sha256).to_string()
    } else {
        format!("{sha256}… (only the first digits are published)")
    };
    [
        format!("{network}: {file} ({names}{})", layers.unwrap_or_default()),
        format!("  {}", published.address()),
        format!("  SHA-256 {digest}"),
    ]
}

/// The preferred file of each network.
fn choose(networks: &[String]) -> Result<Vec<&'static Published>> {
    let asked: Vec<&str> = match networks {
        [] => PAPER.to_vec(),
        some => some.iter().map(String::as_str).collect(),
    };
    let of = |name: &str| {
        let known: Vec<&str> = PUBLISHED.iter().map(|p| p.network).collect();
        let found = PUBLISHED.iter().find(|published| published.network == name);
        found.with_context(|| {
            let mut known = known.clone();
            known.dedup();
            format!("there are no published weights of {name}; there are of {}", known.join(", "))
        })
    };
    asked.into_iter().map(of).collect()
}

#[cfg(feature = "hub")]
fn fetch_all(chosen: &[&Published], folder: &Path, terminal: &Terminal) -> Result<()> {
    for published in chosen {
        let path = fetch::fetch(published, folder, terminal)?;
        terminal.say(&format!("{}: {}", published.network, path.display()));
    }
    Ok(())
}

#[cfg(not(feature = "hub"))]
fn fetch_all(chosen: &[&Published], folder: &Path, terminal: &Terminal) -> Result<()> {
    for published in chosen {
        for line in describe(published) {
            terminal.result(&line);
        }
    }
    bail!(
        "this program was built without downloads: get the files above by a browser, put them into \
         {}, compare their SHA-256 (`sha256sum FILE`, `shasum -a 256 FILE`), and name them in \
         atlas.yaml as `weights:`; or build with `--features hub`",
        folder.display()
    )
}

fn trunk(
    network: &str,
    file: &Path,
    from: Option<&Path>,
    project: &Project,
    terminal: &Terminal,
) -> Result<()> {
    if file.extension().is_none_or(|extension| extension != "safetensors") {
        bail!("a trunk is a .safetensors file: {} needs that ending", file.display());
    }
    let source = match from {
        Some(path) => path.to_path_buf(),
        None => {
            let (_, config) = project().context("without --from, the project's network is used")?;
            let folder = Layout::new(&config.output).network(network);
            let trained = Sealed::open(&folder).with_context(|| {
                format!(
                    "the project has no trained {network}: run `unit-atlas train --network \
                     {network}`"
                )
            })?;
            trained.path(record::training::WEIGHTS)?
        }
    };
    let weights = Weights::read(&source)?.locate(network)?;
    let made_by = format!(
        "unit-atlas {}, from weights of BLAKE3 {}",
        env!("CARGO_PKG_VERSION"),
        Fingerprint::of_file(&source)?
    );
    save_trunk(&weights, &made_by, file)
        .with_context(|| format!("{} gives no trunk", source.display()))?;
    let bytes = fs_err::metadata(file)?.len();
    terminal.say(&format!("{}: {:.1} MB", file.display(), bytes as f64 / 1e6));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_networks_come_first_and_unknown_ones_are_answered() {
        let chosen = choose(&[]).unwrap();
        assert_eq!(chosen.iter().map(|p| p.network).collect::<Vec<_>>(), PAPER);
        let message = choose(&["lenet".into()]).unwrap_err().to_string();
        assert!(message.contains("lenet") && message.contains("alexnet, vgg11"), "{message}");
    }
}
