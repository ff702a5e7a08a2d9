//! Every command that the documentation shows is one that the program understands, and does what it is
//! shown for: they are run on a project of phantoms that is small enough for it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use study::cases::Key;
use study::code::Coder;

/// What a reader puts in the place of a word in capitals.
const PLACEHOLDERS: [(&str, &str); 6] = [
    ("I/N", "1/2"),
    ("KIND", "roc"),
    ("NETWORK", "alexnet"),
    ("FILE", "a.file"),
    ("DIR", "a-folder"),
    ("PATCHES", "a-folder"),
];

/// Commands that are only read here, and why.
const NOT_RUN: [(&str, &str); 2] = [
    ("serve", "it goes on until it is stopped; commands.rs and collect.rs run it"),
    ("weights fetch", "it loads from the internet"),
];

/// What stands in the small project for what the documentation names.
const IN_THE_PROJECT: [(&str, &str); 11] = [
    ("alexnet", "resnet10"),
    ("resnet18", "resnet10"),
    ("vgg16/conv5_3/0063", "resnet10/layer4/0063"),
    ("alexnet/conv5", "resnet10/layer3"),
    ("alexnet/conv5/0095", "resnet10/layer3/0095"),
    ("resnet18/layer3/0246", "resnet10/layer4/0246"),
    ("scan.dcm", "scan.png"),
    (
        "output/site/networks/alexnet/conv5/0063/index.html",
        "output/site/networks/resnet10/layer3/0063/index.html",
    ),
    (
        "https://example.org/atlas/networks/alexnet/conv5/0063/",
        "http://127.0.0.1:4173/networks/resnet10/layer4/0063/",
    ),
    ("output/work/networks/alexnet/weights.safetensors", "output/work/networks/resnet10"),
    // Drawn on a page that comes before.
    ("paper/figure-3.pdf", "output/figures/roc.pdf"),
];

/// Of a data set whose images are elsewhere.
const FINDINGS: &str = "\
study_id,series_id,image_id,laterality,view_position,height,width,breast_birads,breast_density,finding_categories,finding_birads,xmin,ymin,xmax,ymax,split
s1,r1,i1,L,CC,60,40,BI-RADS 1,DENSITY C,['No Finding'],,,,,,training
";

/// Untrained but for a step or two: what the commands say of it is not looked at here.
const PROJECT: &str = "\
source: { kind: phantom, patients: 10, height: 256 }
patches: { size: 64 }
networks:
  - name: resnet10
    input: 32
    layers: [layer3, layer4]
    training: { epochs: 1, batch: 64 }
dissection: { top: 4, permutations: 19 }
namer: { kind: builtin, deals: 99, untrained: false }
";

/// A reader's file; readers say the same of each unit that they are shown in the documentation.
const ANSWERS: &str = "\
schema: 1
study: unit-atlas
reader: reader-a
lexicon: bi-rads-5
answers:
  - unit: resnet10/layer4/0063
    recognizable: yes
    phenomena: [{ description: calcifications, terms: [calcifications], association: malignant }]
";

/// Readers' scores, which the documentation shows a few rows of: two readers, four cases.
const SCORES: &str = "\
reader,case,condition,score,truth
A,1,without,35,benign\nA,2,without,60,benign\nA,3,without,55,malignant\nA,4,without,80,malignant
B,1,without,40,benign\nB,2,without,20,benign\nB,3,without,30,malignant\nB,4,without,70,malignant
A,1,with,20,benign\nA,2,with,50,benign\nA,3,with,75,malignant\nA,4,with,90,malignant
B,1,with,45,benign\nB,2,with,10,benign\nB,3,with,60,malignant\nB,4,with,65,malignant
";

/// What a reader of cases would have saved: a score of every mammogram whose truth is known, and another.
fn case_scores(layout: &base::artifact::Layout, manifest: &record::Manifest) -> String {
    let evaluation = record::training::read_evaluation(&layout.network("resnet10")).unwrap();
    let weights = evaluation.weights_blake3.as_str();
    let coder = Coder::new(123, "unit-atlas");
    let key = Key::new(&coder, manifest, [weights].into_iter());
    let score = |score: usize| serde_json::json!({ "score": score, "seconds": 20 });
    let codes = manifest.mammograms.iter().map(|member| coder.case(&member.mammogram.id, weights));
    let known = codes.filter(|code| key.get(code).is_some_and(|case| case.cancer.is_some()));
    let cases: Vec<_> = known
        .enumerate()
        .map(|(at, code)| {
            let (before, after) = (score(17 * at % 101), score(29 * at % 101));
            serde_json::json!({ "case": code, "before": before, "after": after })
        })
        .collect();
    let file = serde_json::json!({
        "schema": 1, "kind": "cases", "study": "unit-atlas", "reader": "reader-a",
        "saved_at": "2026-11-20T10:12:00.000Z", "cases": cases,
    });
    file.to_string()
}

/// Pages that show commands.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let in_docs = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<PathBuf> =
        in_docs.filter(|p| p.extension().is_some_and(|e| e == "md")).collect();
    pages.extend(
        ["README.md", "content/trunks/README.md", "themes/README.md"].map(|p| root.join(p)),
    );
    pages.sort();
    pages
}

/// The commands of a page, each with its line: lines of blocks for a shell, and code within prose, which
/// may go on in the next line.
fn commands(page: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut line = 1;
    for (number, block) in page.split("```").enumerate() {
        if number % 2 == 1 {
            let lines = block.lines().enumerate();
            let shell = block.starts_with("sh\n");
            found.extend(lines.filter(|_| shell).map(|(at, text)| (line + at, text.to_owned())));
        } else {
            let mut at = line;
            for (span, text) in block.split('`').enumerate() {
                if span % 2 == 1 {
                    found.push((at, text.to_owned()));
                }
                at += text.matches('\n').count();
            }
        }
        line += block.matches('\n').count();
    }
    found.into_iter().filter_map(|(line, text)| Some((line, command(&text)?))).collect()
}

/// What follows the program's name; none where another program is called.
fn command(text: &str) -> Option<String> {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let ours = words.strip_prefix("unit-atlas ");
    let ours = ours.or_else(|| words.strip_prefix("cargo run --release -- "))?;
    // Without a comment, what is done with the output, and the marks of what may be left out.
    let end = ["#", "|", ">", "&&"].iter().filter_map(|mark| ours.find(mark)).min();
    Some(ours[..end.unwrap_or(ours.len())].replace(['…', '[', ']'], ""))
}

/// The words of a command, as a shell gives them to the program; what is quoted is one. What a reader puts
/// in is put in.
fn words(command: &str) -> Vec<String> {
    let parts = command.split('"').enumerate();
    let words = parts.flat_map(|(number, part)| match number % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect(),
        _ => vec![part.to_owned()],
    });
    let put = |word: String| {
        let placeholder = PLACEHOLDERS.iter().find(|(placeholder, _)| *placeholder == word);
        placeholder.map_or(word, |(_, value)| (*value).to_owned())
    };
    words.map(put).collect()
}

#[test]
fn every_command_of_the_documentation_is_understood() {
    let mut count = 0;
    let mut wrong = Vec::new();
    for page in pages() {
        for (line, command) in commands(&std::fs::read_to_string(&page).unwrap()) {
            let words = words(&command);
            count += 1;
            match cli::command()
                .try_get_matches_from(["unit-atlas".to_owned()].into_iter().chain(words))
            {
                Ok(_) => {}
                Err(error) => wrong.push(format!("{}:{line}: {command}\n{error}", page.display())),
            }
        }
    }
    assert!(count > 25, "only {count} commands were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs the program in a folder.
fn run(folder: &Path, words: &[String]) -> Output {
    let program = env!("CARGO_BIN_EXE_unit-atlas");
    Command::new(program).args(words).current_dir(folder).output().unwrap()
}

/// The words of a command in the small project; `FILE` is what the command reads there.
fn in_the_project(command: &str, mammogram: &str) -> Vec<String> {
    let file = if command.contains("labels import") { "answers.yaml" } else { "passphrase.txt" };
    let put = |word: String| {
        let known = IN_THE_PROJECT.iter().find(|(shown, _)| *shown == word);
        match word.as_str() {
            "P0053_LEFT_CC" => mammogram.to_owned(),
            "a.file" => file.to_owned(),
            _ => known.map_or(word, |(_, value)| (*value).to_owned()),
        }
    };
    words(command).into_iter().map(put).collect()
}

#[test]
fn every_command_of_the_documentation_runs() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path();
    std::fs::write(project.join("atlas.yaml"), PROJECT).unwrap();
    std::fs::write(project.join("answers.yaml"), ANSWERS).unwrap();
    std::fs::write(project.join("scores.csv"), SCORES).unwrap();
    std::fs::create_dir(project.join("vindr-mammo")).unwrap();
    std::fs::write(project.join("vindr-mammo/finding_annotations.csv"), FINDINGS).unwrap();
    std::fs::write(project.join("passphrase.txt"), "correct horse battery staple\n").unwrap();
    let made = run(project, &["run".to_owned()]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let layout = base::artifact::Layout::new(project.join("output"));
    let manifest = record::Manifest::read(&layout).unwrap();
    let cases = case_scores(&layout, &manifest);
    std::fs::write(project.join("unit-atlas_cases_reader-a_2026-11-20.json"), cases).unwrap();
    let first = manifest.of_split(base::Split::Validation)[0];
    let mammogram = &manifest.member(&manifest.patches[first as usize]).mammogram.id;
    let picture = image::open(layout.preview(mammogram)).unwrap();
    for name in ["scan.png", "other.png"] {
        picture.save(project.join(name)).unwrap();
    }

    let mut done = BTreeSet::new();
    let mut failed = Vec::new();
    for page in pages() {
        for (line, command) in commands(&std::fs::read_to_string(&page).unwrap()) {
            if NOT_RUN.iter().any(|(start, _)| command.starts_with(start)) {
                continue;
            }
            let words = in_the_project(&command, mammogram);
            if !done.insert(words.clone()) {
                continue;
            }
            // A project is begun where there is none.
            let elsewhere = tempfile::tempdir().unwrap();
            let begins = words[0] == "init";
            let told = run(if begins { elsewhere.path() } else { project }, &words);
            if !told.status.success() {
                let error = String::from_utf8_lossy(&told.stderr);
                failed.push(format!("{}:{line}: {}\n{error}", page.display(), words.join(" ")));
            }
        }
    }
    assert!(done.len() > 25, "only {} commands were found", done.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_command_that_is_not_understood_is_found() {
    let page =
        "Say `unit-atlas prepare --dry-run` or\n\n```sh\nunit-atlas prepair  # no such verb\n```\n";
    let found = commands(page);
    assert_eq!(found, [(1, "prepare --dry-run".to_owned()), (4, "prepair ".to_owned())]);
    assert!(cli::command().try_get_matches_from(["unit-atlas", "prepair"]).is_err());
}
