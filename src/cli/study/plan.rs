//! `study plan`: how large a study must be.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Serialize;

use super::super::Outcome;
use super::super::terminal::Terminal;
use base::progress::Silent;
use base::{Columns, Side, counted};
use config::Config;
use pipeline::Pipeline;
use study::plan::{Design, Plan, Tried, Wanted, Widths, plan};
use study::statistics::median_seconds;
use study::{labels, plan::DRAWS};

/// How long a unit takes a reader where nothing is known.
const ASSUMED_SECONDS: f64 = 60.0;
/// Answers of a design that are simulated at most.
const MOST: usize = 100_000;

/// Options of `study plan`.
#[derive(Debug, clap::Args)]
pub(in super::super) struct Options {
    /// Number of categories, equally frequent [default: 3, as yes, no and unsure]
    #[arg(long, value_name = "N", conflicts_with = "prevalence",
          value_parser = clap::value_parser!(u32).range(2..=20))]
    categories: Option<u32>,
    /// How frequent each category is, instead of --categories: shares that sum to 1, such as 0.2,0.5,0.3
    #[arg(long, value_name = "SHARE,…", value_delimiter = ',')]
    prevalence: Vec<f64>,
    /// Kappa that any two readers are taken to agree with, from 0 to 0.99
    #[arg(long, value_name = "KAPPA", default_value_t = 0.6)]
    agreement: f64,
    /// Numbers of readers to try, from 2 to 20: 3, 2..6 or 2,4,8
    #[arg(long, value_name = "NUMBERS", default_value = "2..6", value_parser = counts)]
    readers: Counts,
    /// Numbers of units to try, from 5 on: as for --readers
    #[arg(long, value_name = "NUMBERS", default_value = "20,30,50,75,100,150,200,300",
          value_parser = counts)]
    units: Counts,
    /// Width that the 95% intervals are to stay below
    #[arg(long, default_value_t = 0.2)]
    width: f64,
    /// Share of simulated studies whose intervals must be that narrow
    #[arg(long, value_name = "SHARE", default_value_t = 0.8)]
    assurance: f64,
    /// Studies to simulate of each design
    #[arg(long, value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(10..=100_000))]
    simulations: u32,
    /// What the random numbers follow from: the same seed gives the same plan
    #[arg(long, default_value_t = 123)]
    seed: u64,
    /// Seconds that a unit takes a reader [default: the median of the project's answers, or 60]
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<f64>,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

/// Numbers that rise.
#[derive(Debug, Clone)]
struct Counts(Vec<usize>);

fn counts(text: &str) -> Result<Counts, String> {
    let number = |text: &str| {
        let number: Option<usize> = text.trim().parse().ok();
        number.filter(|number| *number <= MOST).ok_or_else(|| {
            format!("`{text}` is no number up to {MOST}; expected such as 3, 2..6 or 2,4,8")
        })
    };
    let mut numbers = match text.split_once("..") {
        Some((first, last)) => {
            let (first, last) = (number(first)?, number(last.trim_start_matches('='))?);
            if last < first || last - first > 100 {
                return Err(format!("{first}..{last} is no range of up to 100 numbers"));
            }
            (first..=last).collect()
        }
        None => text.split(',').map(number).collect::<Result<Vec<_>, _>>()?,
    };
    numbers.sort_unstable();
    numbers.dedup();
    Ok(Counts(numbers))
}

/// How long a unit takes, and where that is from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Pace {
    seconds: f64,
    from: From,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum From {
    Given,
    Answers,
    Assumed,
}

pub(in super::super) fn execute(
    options: &Options,
    config: Option<&Path>,
    terminal: &Terminal,
) -> Result<Outcome> {
    let wanted = wanted(options)?;
    let pace = pace(options, config, terminal)?;
    let plan = match options.json {
        true => plan(wanted, &Silent),
        false => plan(wanted, terminal),
    };
    if options.json {
        let mut json = serde_json::to_value(&plan)?;
        json["pace"] = serde_json::to_value(pace)?;
        json["bootstrap_draws"] = DRAWS.into();
        terminal.result(&serde_json::to_string_pretty(&json)?);
    } else {
        lines(&plan, pace).iter().for_each(|line| terminal.result(line));
    }
    Ok(Outcome::Complete)
}

/// What is planned for, in range.
fn wanted(options: &Options) -> Result<Wanted> {
    let Options { agreement, width, assurance, .. } = *options;
    let prevalence = match &options.prevalence[..] {
        [] => {
            let categories = options.categories.unwrap_or(3);
            vec![1.0 / f64::from(categories); categories as usize]
        }
        shares => {
            let sum: f64 = shares.iter().sum();
            let good = |share: &f64| *share > 0.0 && *share < 1.0;
            if !(2..=20).contains(&shares.len()) || !shares.iter().all(good) {
                bail!("--prevalence is a list of 2 to 20 shares above 0, such as 0.2,0.5,0.3");
            }
            if (sum - 1.0).abs() > 0.005 {
                bail!("the shares of --prevalence sum to {sum:.3}; expected 1");
            }
            shares.iter().map(|share| share / sum).collect()
        }
    };
    if !(0.0..=0.99).contains(&agreement) {
        bail!("--agreement is {agreement}; expected a kappa from 0 to 0.99");
    }
    if !(width > 0.0 && width < 2.0) {
        bail!("--width is {width}; expected a width above 0 and below 2");
    }
    if !(assurance > 0.0 && assurance <= 1.0) {
        bail!("--assurance is {assurance}; expected a share above 0, up to 1");
    }
    let (readers, units) = (options.readers.0.clone(), options.units.0.clone());
    if readers.iter().any(|readers| !(2..=20).contains(readers)) {
        bail!("--readers are from 2 to 20");
    }
    let most = readers.last().zip(units.last()).map_or(0, |(readers, units)| readers * units);
    if units.first().is_none_or(|units| *units < 5) || most > MOST {
        bail!("--units are from 5 on, with up to {MOST} answers of all readers together");
    }
    let (simulations, seed) = (options.simulations, options.seed);
    Ok(Wanted { prevalence, agreement, width, assurance, readers, units, simulations, seed })
}

/// How long a unit takes: as given, as the answers of the project at hand say, or as assumed.
fn pace(options: &Options, config: Option<&Path>, terminal: &Terminal) -> Result<Pace> {
    if let Some(seconds) = options.seconds {
        if !(seconds > 0.0 && seconds <= 86_400.0) {
            bail!("--seconds is {seconds}; expected up to 86,400, above 0");
        }
        return Ok(Pace { seconds, from: From::Given });
    }
    let assumed = Pace { seconds: ASSUMED_SECONDS, from: From::Assumed };
    let here = std::env::current_dir().context("the current folder cannot be read")?;
    let path = match Config::find(config, &here) {
        Ok(path) => path,
        // A plan may come before there is a project.
        Err(_) if config.is_none() => return Ok(assumed),
        Err(error) => return Err(error),
    };
    let config = Config::read(&path)?;
    let read = labels::read(&Pipeline::new(&config, terminal).labels_folder());
    super::super::labels::print(&read.problems);
    let readers: Vec<_> = read.files.iter().map(labels::Read::content).collect();
    Ok(median_seconds(&readers).map_or(assumed, |seconds| Pace { seconds, from: From::Answers }))
}

/// What a person reads.
fn lines(plan: &Plan, pace: Pace) -> Vec<String> {
    let Wanted { prevalence, agreement, width, assurance, simulations, .. } = &plan.wanted;
    let shares: Vec<String> = prevalence.iter().map(|share| format!("{share:.2}")).collect();
    let mut lines = vec![
        format!(
            "{simulations} simulated studies of each design: any two readers agree with kappa {agreement}, on \
             {} categories of shares {}.",
            prevalence.len(),
            shares.join(", ")
        ),
        format!(
            "Mean width of the 95% interval, and in how many of the studies it is narrower than {width}:"
        ),
    ];
    let tables: [(&str, Coefficient); 2] = [
        ("Fleiss\u{2019} kappa", |tried| tried.kappa),
        ("Krippendorff\u{2019}s alpha", |tried| tried.alpha),
    ];
    for (name, of) in tables {
        lines.extend([String::new(), name.to_owned()]);
        lines.extend(table(plan, of));
    }
    lines.push(String::new());
    let without = plan.tried.iter().map(|tried| tried.kappa.without + tried.alpha.without);
    if without.sum::<u32>() > 0 {
        lines.push(
            "In some studies nearly all answers were the same: they have no interval, count as not narrow, and are \
             not in the means."
                .to_owned(),
        );
    }
    match plan.recommended {
        Some(tried) => lines.extend(recommended(&tried, plan, pace)),
        None => {
            let readers = plan.wanted.readers.last().copied().unwrap_or(0);
            // Narrow enough on average is not narrow enough as often as asked for.
            let tried = plan.wanted.units.iter().copied().max().unwrap_or(0);
            let more = plan.extrapolated(readers).filter(|units| *units > tried);
            let more = more.map_or_else(String::new, |units| {
                format!(
                    "; by the widths so far, {readers} readers would need {units} units or more. Try them with --units"
                )
            });
            lines.push(format!(
                "None of these designs has intervals narrower than {width} in {:.0}% of the studies{more}.",
                100.0 * assurance
            ));
        }
    }
    lines
}

/// Of which coefficient's intervals a table tells.
type Coefficient = fn(&Tried) -> Widths;

fn table(plan: &Plan, of: Coefficient) -> Vec<String> {
    let readers: Vec<String> =
        plan.wanted.readers.iter().map(|n| counted(*n, "reader", "readers")).collect();
    let headings = readers.iter().map(|name| (name.as_str(), Side::Right));
    let mut table = Columns::new([("units", Side::Right)].into_iter().chain(headings));
    for &units in &plan.wanted.units {
        let cell = |readers: &usize| {
            let design = Design { readers: *readers, units };
            let tried = plan.tried.iter().find(|tried| tried.design == design);
            tried.map_or_else(String::new, |tried| {
                let Widths { mean, narrow, .. } = of(tried);
                let mean = mean.map_or_else(|| "-".to_owned(), |mean| format!("{mean:.2}"));
                format!("{mean} ({:.0}%)", 100.0 * narrow)
            })
        };
        table.push([units.to_string()].into_iter().chain(plan.wanted.readers.iter().map(cell)));
    }
    table.lines().collect()
}

fn recommended(tried: &Tried, plan: &Plan, pace: Pace) -> [String; 2] {
    let Design { readers, units } = tried.design;
    let narrow = 100.0 * tried.kappa.narrow.min(tried.alpha.narrow);
    let why = format!(
        "Ask {readers} readers about {units} units each: of the designs above whose intervals are narrower than {} in \
         {:.0}% of the studies or more, that takes the fewest answers (here {narrow:.0}%).",
        plan.wanted.width,
        100.0 * plan.wanted.assurance
    );
    let Pace { seconds, from } = pace;
    let from = match from {
        From::Given => "as given",
        From::Answers => "the median of the answers in content/labels",
        From::Assumed => "an assumption; --seconds sets it",
    };
    let each = seconds * units as f64;
    let time = format!(
        "That takes each reader about {}, and all of them together {}: {units} units at {} s ({from}).",
        duration(each),
        duration(each * readers as f64),
        base::number::written(format_args!("{seconds:.0}")),
    );
    [why, time]
}

/// `3 h 20 min`.
fn duration(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round().max(1.0) as u64;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_lists_or_ranges() {
        let of = |text: &str| counts(text).map(|counts| counts.0);
        assert_eq!(of("2..6"), Ok(vec![2, 3, 4, 5, 6]));
        assert_eq!(of("2..=3"), Ok(vec![2, 3]));
        assert_eq!(of("8, 2,4,2"), Ok(vec![2, 4, 8]));
        for wrong in ["", "two", "6..2", "1..900", "2,,3", "-1", "100001", "2..4..6"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_are_hours_and_minutes() {
        assert_eq!(
            [20.0, 3540.0, 3600.0, 12_000.0].map(duration),
            ["1 min", "59 min", "1 h", "3 h 20 min"]
        );
    }
}
