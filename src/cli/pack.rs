//! `pack`: the built site as one file to send.

use std::io::{BufRead as _, Read as _};
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};

use super::Outcome;
use super::terminal::Terminal;
use atlas::pack::{self, Form, Selection};
use base::input;
use base::progress::Progress;
use pipeline::Pipeline;

/// Variable that a passphrase may stand in.
const VARIABLE: &str = "UNIT_ATLAS_PASSPHRASE";
/// Bytes of what holds a passphrase at most.
const MAX_PASSPHRASE: u64 = 1 << 16;

/// Packs the built site into a zip, or into one HTML file that opens by a double click.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// One HTML file instead of a zip
    #[arg(long)]
    single_file: bool,
    /// One HTML file that only a passphrase opens: from --passphrase-file or $UNIT_ATLAS_PASSPHRASE
    #[arg(long)]
    encrypt: bool,
    /// File whose first line is the passphrase; `-` reads it from the standard input
    #[arg(long, value_name = "FILE", requires = "encrypt")]
    passphrase_file: Option<PathBuf>,
    /// Only this unit, `network/layer/0063`, in the HTML file; may be repeated
    #[arg(long = "unit", value_name = "UNIT")]
    units: Vec<String>,
    /// Only this layer, `network/layer`, in the HTML file; may be repeated
    #[arg(long = "layer", value_name = "LAYER")]
    layers: Vec<String>,
    /// Where to write it [default: in the output folder, atlas.zip, or atlas.html with
    /// `-part` and `-encrypted` in its name where it is so]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn execute(
    options: &Options,
    pipeline: &Pipeline,
    terminal: &Terminal,
) -> Result<Outcome> {
    let selection = Selection { units: options.units.clone(), layers: options.layers.clone() };
    let single = options.single_file || options.encrypt;
    if selection != Selection::default() && !single {
        bail!("a part of an atlas goes into one HTML file: add --single-file or --encrypt");
    }
    let passphrase = if options.encrypt { Some(passphrase(options)?) } else { None };
    // Each variant has a name of its own: none is sent for another.
    let name = match (single, selection == Selection::default(), options.encrypt) {
        (false, ..) => "atlas.zip",
        (true, true, false) => "atlas.html",
        (true, false, false) => "atlas-part.html",
        (true, true, true) => "atlas-encrypted.html",
        (true, false, true) => "atlas-part-encrypted.html",
    };
    let form = match single {
        true => Form::SingleFile { selection: &selection, passphrase: passphrase.as_deref() },
        false => Form::Zip,
    };
    let output = options.output.clone().unwrap_or_else(|| pipeline.config.output.join(name));
    let output = std::path::absolute(&output)
        .with_context(|| format!("cannot resolve {}", output.display()))?;
    // Who gets it opens it by its ending.
    let (wanted, other) = if single { ("html", "zip") } else { ("zip", "html") };
    if output.extension().is_some_and(|ending| ending.eq_ignore_ascii_case(other)) {
        bail!("what is packed so is .{wanted}, but {} ends in .{other}", output.display());
    }
    pipeline.check_output(&output)?;
    let _lock = pipeline.lock_or_read()?;
    let (site, record) = (pipeline.layout.site(), pipeline.layout.site_record());
    // What is there can be sent whatever is being written meanwhile.
    let unknown =
        |why: anyhow::Error| Some(format!("whether the site is up to date is not known: {why:#}"));
    if let Some(stale) = stale(pipeline).unwrap_or_else(unknown) {
        eprintln!("note: {stale}");
    }
    let packed = pack::pack(&site, &record, &pipeline.config.title, form, &output)?;
    terminal.say(&format!(
        "{}: {} files, {:.1} MB; {}",
        output.display(),
        packed.files,
        packed.bytes as f64 / 1e6,
        match options.encrypt {
            true => "only the passphrase opens it",
            false => "whoever has the file can read it",
        }
    ));
    Ok(Outcome::Complete)
}

/// What to say of a site that is not made from what people have written since.
pub(super) fn stale(pipeline: &Pipeline) -> Result<Option<String>> {
    let changed = pipeline.changed_since_build()?;
    Ok((!changed.is_empty()).then(|| {
        format!(
            "the site is older than {}; `unit-atlas build` brings it up to date",
            changed.join(", ")
        )
    }))
}

fn passphrase(options: &Options) -> Result<String> {
    let text = match &options.passphrase_file {
        Some(path) if path.as_os_str() == "-" => {
            let mut text = Vec::new();
            let input = std::io::stdin().lock().take(MAX_PASSPHRASE + 1);
            std::io::BufReader::new(input)
                .read_until(b'\n', &mut text)
                .context("cannot read the standard input")?;
            ensure!(
                text.len() as u64 <= MAX_PASSPHRASE,
                "the passphrase on the standard input has more than {MAX_PASSPHRASE} bytes"
            );
            String::from_utf8(text).context("the passphrase on the standard input is no UTF-8")?
        }
        Some(path) => {
            let told = || format!("cannot read the passphrase from {}", path.display());
            let bytes = input::read(path, MAX_PASSPHRASE).with_context(told)?;
            String::from_utf8(bytes).with_context(told)?
        }
        None => match std::env::var(VARIABLE) {
            Ok(phrase) => phrase,
            Err(_) => bail!("--encrypt needs --passphrase-file FILE or the variable {VARIABLE}"),
        },
    };
    Ok(text.lines().next().unwrap_or_default().to_string())
}
