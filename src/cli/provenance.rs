//! `provenance`: where a file, a page or a figure comes from.

use anyhow::Result;

use super::terminal::Terminal;
use super::{Outcome, size};
use pipeline::{Data, DataState, Pipeline, Provenance};
use record::provenance::{Origin, Stage};

/// Files of the source that are listed; `--json` has all.
const LISTED: usize = 10;

/// Options of `provenance`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// A file below the output folder or a copy of one, a figure, or a page by its path or address
    #[arg(value_name = "FILE|PAGE")]
    of: String,
    /// Print it as JSON, with every file of the source
    #[arg(long)]
    json: bool,
}

pub(super) fn execute(
    options: &Options,
    pipeline: &Pipeline,
    terminal: &Terminal,
) -> Result<Outcome> {
    let found = pipeline.provenance(&options.of)?;
    terminal.result(&match options.json {
        true => serde_json::to_string_pretty(&found)?,
        false => in_words(&found),
    });
    Ok(Outcome::Complete)
}

fn in_words(found: &Provenance) -> String {
    let Provenance { subject, stages, data } = found;
    let mut out = String::new();
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    line(&subject.path);
    if let Some(note) = &subject.note {
        line(&format!("  {note}"));
    }
    line(&format!("  {}, BLAKE3 {}", size(subject.bytes), subject.blake3));
    if let Some(stage) = subject.shows.and_then(|at| Some((at, stages.get(at)?))) {
        line(&format!("  shows     {} ({})", stage.1.title, stage.0 + 1));
    }
    for (at, stage) in stages.iter().enumerate() {
        line("");
        tell(at, stage, stages, &mut line);
    }
    if let Some(data) = data {
        line("");
        tell_data(data, &mut line);
    }
    out.trim_end().to_owned()
}

fn tell(at: usize, stage: &Stage, stages: &[Stage], line: &mut impl FnMut(&str)) {
    let folder =
        if stage.folder.is_empty() { String::new() } else { format!(", {}", stage.folder) };
    line(&format!("{}. {}{folder}", at + 1, stage.title));
    match &stage.run {
        Some(run) => {
            line(&format!("  made      {} by unit-atlas {}", run.finished, run.version));
            line(&format!("  command   {}", run.command));
            line(&format!("  device    {}; {}", run.device, run.platform));
        }
        None => line("  made      when and by what was not noted"),
    }
    for (first, input) in (0..).zip(&stage.inputs) {
        let from = match &input.from {
            Origin::Stage(at) => {
                let title = stages.get(*at).map_or("", |stage| &stage.title);
                format!("{title} ({})", at + 1)
            }
            Origin::Options => "the options below".into(),
            Origin::Source => "what the source holds".into(),
            Origin::Given(words) => words.clone(),
            Origin::Lost(words) => format!("{words}, which is no longer kept"),
        };
        let mark = input.blake3.as_ref().map(|mark| format!("{mark}  ")).unwrap_or_default();
        let head = if first == 0 { "from" } else { "" };
        line(&format!("  {head:<9} {mark}{}: {from}", input.name));
    }
    for (first, (name, value)) in (0..).zip(&stage.options) {
        let head = if first == 0 { "options" } else { "" };
        line(&format!("  {head:<9} {name}: {value}"));
    }
    for (first, file) in (0..).zip(&stage.files) {
        let head = if first == 0 { "files" } else { "" };
        let count = file.count.map(|count| format!("{count} files, ")).unwrap_or_default();
        line(&format!("  {head:<9} {}  {} ({count}{})", file.blake3, file.name, size(file.bytes)));
    }
}

fn tell_data(data: &Data, line: &mut impl FnMut(&str)) {
    line(&format!("Source: {}", data.kind));
    line(&match &data.state {
        DataState::Same => "  state     as it was when the data set was made".to_owned(),
        DataState::Changed => "  state     changed since the data set was made".into(),
        DataState::Unreadable(why) => format!("  state     cannot be read: {why}"),
    });
    let bytes = data.files.iter().filter_map(|file| file.bytes).sum();
    if !data.files.is_empty() {
        line(&format!("  files     {} files, {}", data.files.len(), size(bytes)));
    }
    // Tables say more than images.
    let mut files: Vec<_> = data.files.iter().collect();
    files.sort_by_key(|file| file.blake3.is_none());
    for file in files.iter().take(LISTED) {
        let length = file.bytes.map_or("missing".into(), size);
        let mark = file.blake3.as_ref().map(|mark| format!("{mark}  ")).unwrap_or_default();
        line(&format!("            {mark}{} ({length})", file.path));
    }
    if let Some(more) = files.len().checked_sub(LISTED).filter(|more| *more > 0) {
        line(&format!("            and {more} more; --json lists them"));
    }
}
