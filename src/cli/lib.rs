//! The command line: options are read and checked here, one file per verb does the rest.
//!
//! In: arguments, and the project file they lead to. Out: what a person reads on a terminal ([`main`]'s exit
//! status is 0 when all is done, 1 when it failed, 2 when it finished without some inputs), or JSON alone where
//! that was asked for. No verb computes: each calls `pipeline`, and shows what came of it.

mod build;
mod check;
mod dissect;
mod evaluate;
mod explain;
mod figure;
mod find;
mod gc;
mod init;
mod labels;
mod name;
mod pack;
mod patches;
mod predict;
mod prepare;
mod provenance;
mod run;
mod schema;
mod serve;
mod sketch;
mod source;
mod study;
mod terminal;
mod train;
mod verify;
mod weights;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{ArgAction, CommandFactory, Parser, Subcommand};

use self::terminal::{Terminal, Verbosity};
use base::text::size;
use config::Config;
use pipeline::Pipeline;

/// Trains networks on mammograms, dissects their units, and renders an atlas of what each unit sees.
///
/// `unit-atlas run` does everything that is missing or stale; the other verbs do one part of it.
/// Exit status: 0 done, 1 failed (mistakes in a command among them), 2 finished but some inputs were skipped.
#[derive(Debug, Parser)]
#[command(name = "unit-atlas", version, max_term_width = 100)]
struct Arguments {
    /// Project file [default: the nearest atlas.yaml, here or in a folder above]
    #[arg(long, short, global = true, value_name = "FILE", help_heading = EVERYWHERE)]
    config: Option<PathBuf>,
    /// Say nothing but errors and what was skipped
    #[arg(long, short, global = true, conflicts_with = "verbose", help_heading = EVERYWHERE)]
    quiet: bool,
    /// Say more
    #[arg(long, short, global = true, help_heading = EVERYWHERE)]
    verbose: bool,
    #[command(subcommand)]
    verb: Verb,
}

/// Where `--help` lists what every verb takes: after the verb's own.
const EVERYWHERE: &str = "Options of every command";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Start a project: a commented atlas.yaml and a content folder
    Init(init::Options),
    /// Print a JSON Schema of atlas.yaml or of readers' files, by which editors complete and check
    Schema(schema::Options),
    /// What a network says of images: logits and probabilities
    Predict(predict::Options),
    /// Weight files: list and fetch published ones, pass on trunks
    #[command(subcommand)]
    Weights(weights::Verb),
    /// Data sets that can be read: list them, and try them on a folder
    #[command(subcommand)]
    Source(source::Verb),
    /// A reader study: how large it must be, its questions for REDCap, readers with and without explanations
    #[command(subcommand)]
    Study(study::Verb),
    #[command(flatten)]
    OfProject(ProjectVerb),
}

impl Verb {
    /// Whether it answers a question: what was there already is then no news.
    fn answers(&self) -> bool {
        use ProjectVerb as Of;
        !matches!(
            self,
            Self::OfProject(
                Of::Run
                    | Of::Prepare(_)
                    | Of::Train(_)
                    | Of::Dissect(_)
                    | Of::Name(_)
                    | Of::Build
                    | Of::Serve(_)
            )
        )
    }
}

/// What can be done to a project that is there.
#[derive(Debug, Subcommand)]
enum ProjectVerb {
    /// Do everything that is missing or stale, in order, to the built site
    Run,
    /// Read the source, check it, split it, cut and label patches
    Prepare(prepare::Options),
    /// Train or resume networks
    Train(train::Options),
    /// Print how well trained networks do on a split
    Evaluate(evaluate::Options),
    /// Show the patches to the units: rank, threshold, overlay, concepts
    Dissect(dissect::Options),
    /// Let a machine call the units by terms of the lexicons, against chance
    Name(name::Options),
    /// List units by how close what they respond to is to a text
    Find(find::Options),
    /// Say which units contribute to the probability of cancer of a mammogram, and what they are called
    Explain(explain::Options),
    /// Readers' answers
    #[command(subcommand)]
    Labels(labels::Verb),
    /// Render the site
    Build,
    /// Build the site, serve it on this machine, reload pages when something changes
    Serve(serve::Options),
    /// Figures and tables for papers: SVG, PDF, PNG, TIFF, LaTeX, CSV
    Figure(figure::Options),
    /// Look for broken links, missing images, and labels that name no unit
    Check,
    /// Pack the built site into one file to send
    Pack(pack::Options),
    /// The prepared patches
    #[command(subcommand)]
    Patches(patches::Verb),
    /// Read all results and pages, and compare them with what was written
    Verify,
    /// Say where a file, a page or a figure comes from: stages, inputs, settings, versions, device, command
    Provenance(provenance::Options),
    /// List results that the project does not use, and remove them
    Gc(gc::Options),
}

/// Which networks a verb works on.
#[derive(Debug, clap::Args)]
struct NetworkChoice {
    /// A network of the project; may be repeated [default: all]
    #[arg(long = "network", value_name = "NAME", action = ArgAction::Append)]
    networks: Vec<String>,
}

impl NetworkChoice {
    fn of<'a>(&self, config: &'a Config) -> Result<Vec<&'a config::Network>> {
        if self.networks.is_empty() {
            return Ok(config.networks.iter().collect());
        }
        let known = || config.networks.iter().map(|n| n.name.as_str()).collect::<Vec<_>>();
        self.networks
            .iter()
            .map(|name| {
                config.networks.iter().find(|n| n.name == *name).with_context(|| {
                    format!("the project has no network {name}; it has {}", known().join(", "))
                })
            })
            .collect()
    }
}

/// Reads the project file when it is asked for.
type Project<'a> = dyn Fn() -> Result<(PathBuf, Config)> + 'a;

/// Whether everything given could be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Complete,
    /// Finished, but some inputs were left out.
    Skipped,
}

impl Outcome {
    fn skipped_if(skipped: bool) -> Self {
        if skipped { Self::Skipped } else { Self::Complete }
    }
}

/// What the program understands, for tests of the documentation.
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Runs the program on its arguments.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        // A mistake of usage is a failure, where clap's own status, 2, is for skipped inputs. Help and
        // version come this way too.
        Err(told) => {
            // A closed pipe is the reader's choice, not our failure.
            drop(told.print());
            return if told.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    let verbosity = match (arguments.quiet, arguments.verbose) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Normal,
    };
    let terminal = Terminal::new(verbosity, arguments.verb.answers());
    match dispatch(&arguments, &terminal) {
        Ok(Outcome::Complete) => ExitCode::SUCCESS,
        Ok(Outcome::Skipped) => ExitCode::from(2),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &Arguments, terminal: &Terminal) -> Result<Outcome> {
    // Some verbs do without a project: it is read when it is needed.
    let project = || -> Result<(PathBuf, Config)> {
        let here = std::env::current_dir().context("the current folder cannot be read")?;
        let path = Config::find(arguments.config.as_deref(), &here)?;
        let config = Config::read(&path)?;
        Ok((path, config))
    };
    let verb = match &arguments.verb {
        Verb::Init(options) => return init::execute(options, terminal),
        Verb::Schema(options) => return schema::execute(options),
        Verb::Predict(options) => return predict::execute(options, &project, terminal),
        Verb::Weights(verb) => return weights::execute(verb, &project, terminal),
        Verb::Source(verb) => {
            return source::execute(verb, arguments.config.as_deref(), terminal);
        }
        Verb::Study(verb) => {
            return study::execute(verb, arguments.config.as_deref(), &project, terminal);
        }
        Verb::OfProject(verb) => verb,
    };
    let (path, config) = project()?;
    terminal.detail(&format!("project file {}", path.display()));
    let pipeline = Pipeline::new(&config, terminal).of_file(&path);
    // What is found damaged on the way, and can be made again, is: then the verb goes on from there.
    for _ in 0..REMAKES {
        match execute(verb, &path, &pipeline, terminal) {
            Err(error) => pipeline.mend(error)?,
            done => return done,
        }
    }
    execute(verb, &path, &pipeline, terminal)
}

fn execute(
    verb: &ProjectVerb,
    path: &Path,
    pipeline: &Pipeline,
    terminal: &Terminal,
) -> Result<Outcome> {
    match verb {
        ProjectVerb::Run => run::execute(pipeline, terminal),
        ProjectVerb::Prepare(options) => prepare::execute(options, pipeline, terminal),
        ProjectVerb::Train(options) => train::execute(options, pipeline, terminal),
        ProjectVerb::Evaluate(options) => evaluate::execute(options, pipeline, terminal),
        ProjectVerb::Dissect(options) => dissect::execute(options, pipeline),
        ProjectVerb::Name(options) => name::execute(options, pipeline, terminal),
        ProjectVerb::Find(options) => find::execute(options, pipeline, terminal),
        ProjectVerb::Explain(options) => explain::execute(options, pipeline, terminal),
        ProjectVerb::Labels(verb) => labels::execute(verb, pipeline, terminal),
        ProjectVerb::Build => build::execute(pipeline, terminal),
        ProjectVerb::Serve(options) => serve::execute(options, path, pipeline, terminal),
        ProjectVerb::Figure(options) => figure::execute(options, pipeline, terminal),
        ProjectVerb::Check => check::execute(pipeline, terminal),
        ProjectVerb::Pack(options) => pack::execute(options, pipeline, terminal),
        ProjectVerb::Patches(verb) => patches::execute(verb, pipeline, terminal),
        ProjectVerb::Verify => verify::execute(pipeline, terminal),
        ProjectVerb::Provenance(options) => provenance::execute(options, pipeline, terminal),
        ProjectVerb::Gc(options) => gc::execute(options, pipeline, terminal),
    }
}

/// How many damaged results one command makes again; more than that is a disk that cannot be trusted.
const REMAKES: usize = 16;

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Arguments::command().debug_assert();
    }

    #[test]
    fn a_verb_lists_its_own_options_first() {
        let mut command = super::Arguments::command();
        command.build();
        let help = command.find_subcommand_mut("explain").unwrap().render_help().to_string();
        let place = |words: &str| help.find(words).unwrap_or_else(|| panic!("{words}: {help}"));
        assert!(
            place("--whole") < place(super::EVERYWHERE)
                && place(super::EVERYWHERE) < place("--config")
        );
    }
}
