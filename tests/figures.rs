//! Figures for papers: every kind in every format, inert to hostile text, the same twice, kept up to
//! date, and taken by LaTeX.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use atlas::Drawn;
use base::UnitId;
use base::artifact::Stamp;
use config::figures::{Format, Kind, Look, Wanted};
use study::consensus::Settled;

use crate::support::Fixture;

const HOSTILE: &str = "=HYPERLINK(\"x\") </text><script>alert(1)</script> \\input{/etc/passwd} \
                       50% & $x_1^2$ #{a}~b";

fn wanted(kind: Kind) -> Wanted {
    let look = Look { width: kind.width(), dpi: 150, font: None, formats: Format::ALL.into() };
    Wanted { name: kind.stem(), kind, look }
}

fn all(fixture: &Fixture) -> Vec<Wanted> {
    let explained = fixture.explanations[0].mammograms[0].mammogram as usize;
    let mammogram = fixture.manifest.mammograms[explained].mammogram.id.clone();
    let unit = UnitId::new("alexnet", "conv5", 1);
    [
        Kind::Unit { unit: unit.clone(), patches: 8, columns: 4 },
        Kind::Table { units: Vec::new(), patches: 6 },
        Kind::Roc,
        Kind::Performance,
        Kind::Concepts,
        Kind::Agreement,
        Kind::Training { network: None },
        Kind::Case { mammogram, network: Some("alexnet".into()), patches: 2 },
    ]
    .map(wanted)
    .into()
}

/// A project whose readers and authors write what would run anywhere.
fn hostile(folder: &Path) -> Fixture {
    let mut fixture = Fixture::new(folder, 20);
    for member in &mut fixture.manifest.mammograms {
        member.mammogram.micron = Some(200.0);
    }
    for reader in &mut fixture.readers {
        for answer in &mut reader.answers {
            for phenomenon in &mut answer.phenomena {
                phenomenon.description = HOSTILE.into();
            }
        }
    }
    fixture.consensus.units.push(Settled {
        unit: UnitId::new("alexnet", "conv5", 1),
        label: HOSTILE.into(),
        terms: Vec::new(),
        categories: vec!["Mass".into()],
        association: None,
        note: None,
    });
    fixture
}

fn drawn(fixture: &Fixture, wanted: &[Wanted]) -> BTreeMap<String, Vec<u8>> {
    let drawn: Vec<anyhow::Result<Drawn>> =
        fixture.with_inputs(|inputs| atlas::draw_figures(inputs, wanted)).unwrap();
    drawn.into_iter().flat_map(|drawn| drawn.unwrap().files).collect()
}

fn text<'a>(files: &'a BTreeMap<String, Vec<u8>>, name: &str) -> &'a str {
    let bytes = files.get(name).unwrap_or_else(|| panic!("{name} of {:?}", files.keys()));
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn every_kind_comes_in_every_format_with_its_words() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = hostile(folder.path());
    let files = drawn(&fixture, &all(&fixture));
    assert_eq!(files.len(), all(&fixture).iter().map(|wanted| wanted.files().len()).sum::<usize>());
    for wanted in all(&fixture) {
        for name in wanted.files() {
            assert!(files.contains_key(&name), "{name}");
        }
        for words in ["caption.txt", "alt.txt"] {
            assert!(text(&files, &format!("{}.{words}", wanted.name)).len() > 40);
        }
        let svg = text(&files, &format!("{}.svg", wanted.name));
        let width = format!("width=\"{}mm\"", wanted.look.width);
        assert!(svg.contains(&width), "{}: {}", wanted.name, &svg[..200]);
        // Pictures may spell anything.
        let drawn = svg.split("base64,").map(|part| part.split_once('"').map_or(part, |p| p.1));
        let drawn: String = drawn.collect();
        assert!(!drawn.contains("<script") && !drawn.contains("NaN"), "{}", wanted.name);
        // Well-formed, and with nothing from elsewhere.
        let tree = roxmltree::Document::parse(svg).unwrap();
        for node in tree.descendants() {
            let name = node.tag_name().name();
            let known =
                ["svg", "title", "desc", "g", "rect", "path", "text", "circle", "image", ""];
            assert!(known.contains(&name), "{name}");
            let href = node.attributes().find(|a| a.name() == "href");
            assert!(href.is_none_or(|a| a.value().starts_with("data:image/png;base64,")));
        }
    }
    let svg = text(&files, "table.svg");
    assert!(svg.contains("&lt;/text&gt;") || svg.contains("&lt;script&gt;"), "the label is drawn");
    assert!(svg.contains(" mm</text>"), "a scale bar");
    let csv = text(&files, "table.csv");
    for record in csv::Reader::from_reader(csv.as_bytes()).records() {
        for cell in record.unwrap().iter() {
            assert!(!cell.starts_with(['=', '+', '@', '-']), "{cell}");
        }
    }
    for (name, bytes) in files.iter().filter(|(name, _)| name.ends_with(".tex")) {
        let tex = std::str::from_utf8(bytes).unwrap();
        let body = tex.lines().filter(|line| !line.starts_with('%'));
        assert!(!body.collect::<String>().contains("\\input"), "{name}: {tex}");
    }
}

#[test]
fn numbers_are_those_of_the_pages() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = Fixture::new(folder.path(), 20);
    fixture.build().unwrap();
    let files = drawn(&fixture, &all(&fixture));
    let page = fixture.page("performance/index.html");
    for network in &fixture.networks {
        let auc = network.evaluation.auc.unwrap();
        let value = format!("{:.3}", auc.value);
        let interval = auc.spread.interval().unwrap();
        let whole = format!("{value} ({:.3}–{:.3})", interval.low, interval.high);
        assert!(page.contains(&value));
        assert!(text(&files, "performance.csv").contains(&whole));
        assert!(text(&files, "roc.svg").contains(&format!("{} {value}", network.config.name)));
    }
    for name in ["roc.pdf", "performance.tex", "concepts.csv", "table.pdf", "training-alexnet.svg"]
    {
        assert!(fixture.site().join("figures").join(name).is_file(), "{name}");
    }
    assert!(page.contains("../figures/performance.tex"));
    assert!(fixture.page("concepts/index.html").contains("../figures/concepts.svg"));
}

#[test]
fn a_figure_is_the_same_twice_and_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = hostile(folder.path());
    let first = drawn(&fixture, &all(&fixture));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    assert!(first == pool.install(|| drawn(&fixture, &all(&fixture))));

    let (output, record) = (folder.path().join("figures"), folder.path().join("figures.json"));
    let stamp = Stamp::new(1);
    let keep = |wanted: &[Wanted]| {
        let drawn = fixture.with_inputs(|inputs| atlas::draw_figures(inputs, wanted)).unwrap();
        atlas::keep_figures(wanted, drawn, &output, &record, &stamp).unwrap()
    };
    let kept = keep(&all(&fixture));
    assert_eq!((kept.figures, kept.written, kept.failed.len()), (8, first.len(), 0));
    let time = |name: &str| std::fs::metadata(output.join(name)).unwrap().modified().unwrap();
    let before = time("roc.pdf");
    std::fs::write(output.join("mine.tex"), "mine").unwrap();
    let mut fewer = all(&fixture);
    fewer.retain(|wanted| wanted.kind != Kind::Concepts);
    fewer.push(wanted(Kind::Unit {
        unit: UnitId::new("alexnet", "conv5", 9999),
        patches: 1,
        columns: 1,
    }));
    let kept = keep(&fewer);
    assert_eq!((kept.figures, kept.written, kept.removed), (7, 0, 9));
    assert!(kept.failed[0].1.to_string().contains("9999 is not a unit of this atlas"));
    assert_eq!(time("roc.pdf"), before);
    assert!(!output.join("concepts.pdf").exists() && output.join("mine.tex").exists());
    // What failed is said again next time.
    assert!(!atlas::Record::read(&record).unwrap().is_fresh(&stamp, &output));
}

#[test]
fn what_is_not_there_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let mut fixture = Fixture::new(folder.path(), 20);
    fixture.readers.clear();
    for network in &mut fixture.networks {
        network.history.clear();
    }
    let kinds = [Kind::Agreement, Kind::Training { network: None }].map(wanted);
    let drawn = fixture.with_inputs(|inputs| atlas::draw_figures(inputs, &kinds)).unwrap();
    let messages: Vec<String> =
        drawn.into_iter().map(|drawn| drawn.unwrap_err().to_string()).collect();
    assert!(messages[0].contains("two readers") && messages[1].contains("epoch"), "{messages:?}");
    fixture.build().unwrap();
    assert!(!fixture.site().join("figures/agreement.pdf").exists());
}

/// A document with every figure and table, as a paper would have it.
#[test]
fn latex_takes_every_figure_and_table() {
    if Command::new("pdflatex").arg("--version").output().is_err() {
        eprintln!("skipped: pdflatex is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let fixture = hostile(folder.path());
    let paper = folder.path().join("paper");
    std::fs::create_dir(&paper).unwrap();
    for (name, bytes) in drawn(&fixture, &all(&fixture)) {
        std::fs::write(paper.join(name), bytes).unwrap();
    }
    let mut document = "\\documentclass{article}\n\\usepackage[T1]{fontenc}\n\
        \\usepackage[utf8]{inputenc}\n\\usepackage{lmodern,textcomp,booktabs,graphicx}\n\
        \\usepackage[margin=10mm]{geometry}\n\\begin{document}\n"
        .to_string();
    for wanted in all(&fixture) {
        let label = wanted.name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        for file in wanted.files().iter().filter(|file| file.ends_with(".tex")) {
            let tex = std::fs::read_to_string(paper.join(file)).unwrap();
            let kind = if tex.contains("\\label{tab:") { "tab" } else { "fig" };
            writeln!(document, "See~\\ref{{{kind}:{label}}}.\n\\input{{{file}}}").unwrap();
        }
        writeln!(document, "\\includegraphics[width=60mm]{{{}.pdf}}", wanted.name).unwrap();
        writeln!(document, "\\includegraphics[width=60mm]{{{}.png}}\n\\clearpage", wanted.name)
            .unwrap();
    }
    document.push_str("\\end{document}\n");
    std::fs::write(paper.join("paper.tex"), document).unwrap();
    for _ in 0..2 {
        let output = Command::new("pdflatex")
            .args(["-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "paper.tex"])
            .current_dir(&paper)
            .output()
            .unwrap();
        let log = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{log}");
    }
    let log = std::fs::read(paper.join("paper.log")).unwrap();
    let log = String::from_utf8_lossy(&log);
    for line in log.lines() {
        let matters = ["Warning", "Overfull", "Missing character", "undefined"];
        assert!(!matters.iter().any(|words| line.contains(words)), "{line}\n{log}");
    }
}
