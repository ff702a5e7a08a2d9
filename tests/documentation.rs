//! Every command that the documentation shows is one that the program understands.

use std::path::{Path, PathBuf};

/// What a reader puts in the place of a word in capitals.
const PLACEHOLDERS: [(&str, &str); 5] = [
    ("I/N", "1/2"),
    ("KIND", "roc"),
    ("NETWORK", "alexnet"),
    ("FILE", "a.file"),
    ("DIR", "a-folder"),
];

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

#[test]
fn a_command_that_is_not_understood_is_found() {
    let page =
        "Say `unit-atlas prepare --dry-run` or\n\n```sh\nunit-atlas prepair  # no such verb\n```\n";
    let found = commands(page);
    assert_eq!(found, [(1, "prepare --dry-run".to_owned()), (4, "prepair ".to_owned())]);
    assert!(cli::command().try_get_matches_from(["unit-atlas", "prepair"]).is_err());
}
