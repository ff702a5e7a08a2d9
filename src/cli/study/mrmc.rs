//! `study mrmc`: do readers do better in one condition than in another?

use std::path::PathBuf;

use ::mrmc::{Analysis, Components, Correlation, Mean, NoTest, Scope, Test};
use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::{Value, json};

use super::super::terminal::Terminal;
use super::super::{Outcome, Project};
use super::check_table;
use base::artifact;
use base::number::written;
use base::text::Encoding;
use base::{Columns, Notice, Side, counted};
use metrics::{Auc, Comparison, Spread};
use pipeline::Pipeline;
use study::scores::{self, Given, Readings, Scored, is_saved, read, read_saved};

/// Options of `study mrmc`.
#[derive(Debug, clap::Args)]
pub(in super::super) struct Options {
    /// Table of scores: columns reader, case, condition, score, truth (.csv, .tsv, .xlsx); or the files that readers of
    /// cases saved (.json)
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Table with the truth of each case, columns case and truth, where FILE does not have it
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// The two conditions, first the one that the other is compared with [default: in the order of FILE]
    #[arg(long, value_name = "A,B", value_parser = pair)]
    conditions: Option<Pair>,
    /// These readers alone
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    readers: Vec<String>,
    /// How the tables' letters are written, where that is neither UTF-8 nor UTF-16, such as windows-1252
    #[arg(long)]
    encoding: Option<Encoding>,
    /// Write the scores of readers' files as a table, with the truth, BI-RADS categories and times (.csv)
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone)]
struct Pair([String; 2]);

fn pair(text: &str) -> Result<Pair, String> {
    match text.split(',').map(str::trim).collect::<Vec<_>>()[..] {
        [first, second] if !first.is_empty() && !second.is_empty() => {
            Ok(Pair([first.to_owned(), second.to_owned()]))
        }
        _ => Err("expected two conditions, such as without,with".to_owned()),
    }
}

/// Reads the one table, or the files that readers saved.
fn readings(
    options: &Options,
    given: &Given,
    project: &Project,
    terminal: &Terminal,
) -> Result<Readings> {
    let Options { files, truth, encoding, table, .. } = options;
    let saved = files.iter().filter(|file| is_saved(file)).count();
    ensure!(
        saved == files.len() || (saved == 0 && files.len() == 1),
        "give one table, or files of readers of cases (.json) alone"
    );
    if saved == 0 {
        ensure!(
            table.is_none(),
            "`--table` goes with the files of readers of cases (.json): a table is one already"
        );
        return read(&files[0], truth.as_deref(), given);
    }
    ensure!(
        truth.is_none() && encoding.is_none(),
        "`--truth` and `--encoding` go with a table: of readers\u{2019} files the truth is the data set\u{2019}s"
    );
    let (path, config) = project()?;
    let pipeline = Pipeline::new(&config, terminal).of_file(&path);
    let key = pipeline.case_key()?;
    let study = scores::Project { study: &config.survey.study, key: &key };
    if let Some(table) = table {
        check_table(&pipeline, table)?;
    }
    let (readings, rows) = read_saved(files, &study, given)?;
    if let Some(table) = table {
        artifact::write(table, &scores::table(&rows)?)
            .with_context(|| format!("{} cannot be written", table.display()))?;
    }
    Ok(readings)
}

pub(in super::super) fn execute(
    options: &Options,
    project: &Project,
    terminal: &Terminal,
) -> Result<Outcome> {
    let given = Given {
        conditions: options.conditions.clone().map(|pair| pair.0),
        readers: options.readers.clone(),
        encoding: options.encoding,
    };
    let readings = readings(options, &given, project, terminal)?;
    for Notice { place, message, skipped } in &readings.notices {
        let word = if *skipped { "skipped" } else { "note" };
        eprintln!("{word}: {place}: {message}");
    }
    let scored = readings.scored?;
    if options.json {
        let json = as_json(&scored, &readings.notices);
        terminal.result(&serde_json::to_string_pretty(&json)?);
    } else {
        lines(&scored).iter().for_each(|line| terminal.result(line));
    }
    Ok(Outcome::skipped_if(readings.notices.iter().any(|notice| notice.skipped)))
}

/// A value, or `{"none": "one_reader"}`.
fn or_why<T: Serialize>(found: Result<T, NoTest>) -> Value {
    match found {
        Ok(found) => json!(found),
        Err(why) => json!({ "none": why }),
    }
}

fn as_json(scored: &Scored, notices: &[Notice]) -> Value {
    let Analysis { readers, delong, jackknife, dbm, icc } = &scored.analysis;
    let tests = |test: &dyn Fn(Scope) -> Result<Test, NoTest>| {
        let of = |scope: Scope| {
            (json!(scope).as_str().unwrap_or_default().to_owned(), or_why(test(scope)))
        };
        Value::Object(Scope::ALL.map(of).into_iter().collect())
    };
    let with_tests = |components: &Components| json!({ "components": components, "tests": tests(&|scope| components.test(scope)) });
    let names = scored.readers.iter().zip(readers);
    let readers: Vec<Value> = names
        .map(|(name, of)| json!({ "reader": name, "areas": of.areas, "difference": of.difference }))
        .collect();
    let means = [0, 1].map(|condition| or_why(delong.mean(condition)));
    json!({
        "conditions": scored.conditions,
        "cases": {
            "positive": scored.positive, "negative": scored.negative, "left_out": scored.left_out,
        },
        "readers": readers,
        "means": means,
        "difference": delong.difference(),
        "obuchowski_rockette": { "delong": with_tests(delong), "jackknife": with_tests(jackknife) },
        "dorfman_berbaum_metz": {
            "mean_squares": dbm.mean_squares, "tests": tests(&|scope| dbm.test(scope)),
        },
        "icc": icc,
        "notices": notices,
    })
}

/// Three decimals; differences with their sign.
fn three(value: f64) -> String {
    written(format_args!("{value:.3}"))
}

fn signed(value: f64) -> String {
    let text = three(value);
    match text.starts_with('-') || text == "0.000" {
        true => text,
        false => format!("+{text}"),
    }
}

fn probability(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { format!("{p:.3}") }
}

/// `p = 0.051`.
fn p_is(p: f64) -> String {
    if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") }
}

/// What a person reads.
fn lines(scored: &Scored) -> Vec<String> {
    let Scored { conditions: [first, second], positive, negative, .. } = scored;
    let Analysis { delong, jackknife, dbm, .. } = &scored.analysis;
    let left_out = match scored.left_out {
        0 => String::new(),
        all => format!("; {} left out", counted(all, "case", "cases")),
    };
    let mut lines = vec![
        format!(
            "{} scored {} ({positive} positive, {negative} negative) in both conditions, `{first}` and \
             `{second}`{left_out}.",
            counted(scored.readers.len(), "reader", "readers"),
            counted(positive + negative, "case", "cases")
        ),
        headline(scored),
        String::new(),
    ];
    lines.extend(areas(scored));
    lines.extend([
        String::new(),
        "Difference of the mean AUC, by what it is to hold for:".to_owned(),
    ]);
    let mut table = Columns::new([
        ("for", Side::Left),
        ("method", Side::Left),
        ("difference (95%)", Side::Left),
        ("F", Side::Right),
        ("df", Side::Right),
        ("p", Side::Right),
    ]);
    for scope in Scope::ALL {
        let whom = match scope {
            Scope::ReadersAndCases => "other readers and cases",
            Scope::Cases => "these readers, other cases",
            Scope::Readers => "other readers, these cases",
        };
        table.push(row(whom, "Obuchowski-Rockette, DeLong", delong, delong.test(scope)));
        // Without random cases there are no covariances to estimate.
        if scope != Scope::Readers {
            table.push(row("", "Obuchowski-Rockette, jackknife", delong, jackknife.test(scope)));
        }
        table.push(row("", "Dorfman-Berbaum-Metz", delong, dbm.test(scope)));
    }
    lines.extend(table.lines());
    lines.extend([
        String::new(),
        "Components by Obuchowski and Rockette, times 1,000,000:".to_owned(),
    ]);
    lines.extend(components([("DeLong", delong), ("jackknife", jackknife)]));
    lines.extend([String::new(), "Agreement of the readers\u{2019} scores:".to_owned()]);
    lines.extend(correlations(scored));
    lines
}

/// What came out, in a sentence.
fn headline(scored: &Scored) -> String {
    let Scored { conditions: [first, second], analysis, .. } = scored;
    let difference = analysis.delong.difference();
    let apart = match three(difference.abs()).as_str() {
        "0.000" => format!("The mean AUC is the same in `{second}` as in `{first}`"),
        apart => {
            let word = if difference > 0.0 { "higher" } else { "lower" };
            format!("The mean AUC is {apart} {word} in `{second}` than in `{first}`")
        }
    };
    let said = |test: Test, whom: &str| {
        let not = if test.p < 0.05 { "" } else { "not " };
        format!(
            "{apart} (95% {} to {}, {}); {whom}, that is {not}significant at the level of 5%.",
            signed(test.interval[0]),
            signed(test.interval[1]),
            p_is(test.p)
        )
    };
    match analysis.delong.test(Scope::ReadersAndCases) {
        Ok(test) => said(test, "for other readers and other cases"),
        Err(NoTest::OneReader) => match analysis.delong.test(Scope::Cases) {
            Ok(test) => said(test, "for this reader and other cases"),
            Err(why) => format!("{apart}, without a test: {why}."),
        },
        Err(why) => format!("{apart}, without a test: {why}."),
    }
}

fn areas(scored: &Scored) -> Vec<String> {
    let Scored { conditions: [first, second], analysis, .. } = scored;
    let mut table = Columns::new([
        ("reader", Side::Left),
        (first, Side::Left),
        (second, Side::Left),
        ("difference (95%)", Side::Left),
        ("p", Side::Right),
    ]);
    for (name, of) in scored.readers.iter().zip(&analysis.readers) {
        let [one, other] = of.areas.map(|Auc { value, spread }| area(value, spread));
        let Comparison { difference, spread, p } = of.difference;
        let apart = match spread {
            Spread::Interval(of) => {
                format!("{} ({} to {})", signed(difference), signed(of.low), signed(of.high))
            }
            Spread::None(_) => signed(difference),
        };
        table.push([
            name.clone(),
            one,
            other,
            apart,
            p.map_or_else(|| "-".to_owned(), probability),
        ]);
    }
    let components = &analysis.delong;
    let [one, other] = [0, 1].map(|condition| match components.mean(condition) {
        Ok(Mean { value, interval: [low, high], .. }) => {
            format!("{} ({} to {})", three(value), three(low), three(high))
        }
        Err(_) => three(components.means[condition]),
    });
    table.push(["mean".to_owned(), one, other, signed(components.difference()), String::new()]);
    table.lines().collect()
}

fn area(value: f64, spread: Spread) -> String {
    match spread {
        Spread::Interval(of) => {
            format!("{} ({} to {})", three(value), three(of.low), three(of.high))
        }
        Spread::None(_) => format!("{} (no interval)", three(value)),
    }
}

fn row(whom: &str, method: &str, of: &Components, test: Result<Test, NoTest>) -> Vec<String> {
    let words = [whom.to_owned(), method.to_owned()];
    let rest = match test {
        Ok(Test { f, degrees, p, interval: [low, high], .. }) => [
            format!("{} ({} to {})", signed(of.difference()), signed(low), signed(high)),
            format!("{f:.2}"),
            degrees.map_or_else(|| "1, \u{221e}".to_owned(), |degrees| format!("1, {degrees:.1}")),
            probability(p),
        ],
        Err(why) => [format!("none: {why}"), "-".to_owned(), "-".to_owned(), "-".to_owned()],
    };
    words.into_iter().chain(rest).collect()
}

fn components(found: [(&str, &Components); 2]) -> Vec<String> {
    let names = ["covariances", "MS(T)", "MS(R)", "MS(TR)", "Var", "Cov1", "Cov2", "Cov3"];
    let side =
        |name: &&'static str| (*name, if *name == names[0] { Side::Left } else { Side::Right });
    let mut table = Columns::new(names.iter().map(side));
    for (name, of) in found {
        let values = [of.ms_t, of.ms_r, of.ms_tr, of.variance, of.cov1, of.cov2, of.cov3];
        let values = values.map(|value| written(format_args!("{:.1}", 1e6 * value)));
        table.push([name.to_owned()].into_iter().chain(values));
    }
    table.lines().collect()
}

fn correlations(scored: &Scored) -> Vec<String> {
    let mut table = Columns::new([
        ("condition", Side::Left),
        ("ICC(2,1), agreement (95%)", Side::Left),
        ("ICC(3,1), consistency (95%)", Side::Left),
    ]);
    for (name, icc) in scored.conditions.iter().zip(&scored.analysis.icc) {
        let cell = |of: Correlation| match of.interval {
            Some([low, high]) => format!("{} ({} to {})", three(of.value), three(low), three(high)),
            None => format!("{} (no interval)", three(of.value)),
        };
        let cells = match icc {
            Some(icc) => [cell(icc.agreement), cell(icc.consistency)],
            None => ["none: one reader, or no variation".to_owned(), "-".to_owned()],
        };
        table.push([name.clone()].into_iter().chain(cells));
    }
    table.lines().collect()
}
