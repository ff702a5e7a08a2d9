use super::*;

fn layers() -> Vec<Dissected> {
    vec![Dissected { network: "alexnet".to_owned(), layer: "conv5".to_owned(), units: 256 }]
}

fn parse(text: &str, study: Option<&str>) -> (Consensus, Vec<Problem>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("consensus.yaml");
    std::fs::write(&path, text).unwrap();
    let lexicons = crate::lexicons::built_in();
    read(&path, study, &layers(), &lexicons)
}

const HEAD: &str = "schema: 1\nstudy: s\nunits:\n";

fn one(rest: &str) -> String {
    format!("{HEAD}  - unit: alexnet/conv5/0014\n    {}\n", rest.replace('\n', "\n    "))
}

fn refused(text: &str, line: u64, says: &str) {
    let (consensus, problems) = parse(text, Some("s"));
    assert!(consensus.units.is_empty(), "{text}");
    let [problem] = &problems[..] else { panic!("{text}: {problems:?}") };
    assert_eq!(problem.severity, Severity::Error);
    let shown = problem.to_string();
    assert_eq!(problem.mistake.line, line, "{shown}");
    assert!(shown.contains(says), "{shown} does not say {says}");
}

#[test]
fn categories_follow_from_the_terms_unless_they_are_given() {
    let (consensus, problems) = parse(
        &format!(
            "{HEAD}  - {{ unit: alexnet/conv5/0001, label: a, terms: [mass, margin-spiculated] }}\n  \
             - {{ unit: alexnet/conv5/0002, label: b, terms: [calc-coarse, composition-c], \
             categories: [Breast Composition], association: none, note: n }}\n  \
             - {{ unit: alexnet/conv5/0003, label: pectoralis muscle, terms: [pectoral-muscle] }}\n  \
             - {{ unit: alexnet/conv5/0004, label: d, categories: [\"-\"] }}\n  \
             - {{ unit: alexnet/conv5/0005, label: e, terms: [mass, vessel] }}\n"
        ),
        None,
    );
    assert_eq!(problems, []);
    let categories: Vec<String> = consensus.units.iter().map(|u| u.categories.join(", ")).collect();
    assert_eq!(categories, ["Mass - Margin", "Breast Composition", "-", "-", "Mass"]);
    let birads: Vec<bool> = consensus.units.iter().map(Settled::is_birads).collect();
    assert_eq!(birads, [true, true, false, false, true]);
    assert_eq!(
        consensus.of(&UnitId::new("alexnet", "conv5", 2)).unwrap().association,
        Some(Association::None)
    );
    assert!(consensus.of(&UnitId::new("alexnet", "conv5", 200)).is_none());
}

#[test]
fn mistakes_show_their_place_and_hide_no_other_unit() {
    refused(&one("label: a\nterms: [margin-spiculatd]"), 6, "did you mean `margin-spiculated`?");
    refused(&one("label: a\ncategories: [Mass Margin]"), 6, "did you mean `Mass - Margin`?");
    refused(&one("label: ' '\nterms: [mass]"), 5, "`label` is empty");
    refused(&one("label: a"), 4, "neither `terms` nor `categories`");
    refused(&one("label: a\nterm: [mass]"), 6, "did you mean `terms`?");
    refused(&one("label: a\nterms: [mass]").replace("alexnet/", ""), 4, "not the name of a unit");
    refused("schema: 2\nstudy: s\nunits: []\n", 1, "expected 1");
    refused("schema: 1\nstudy: t\nunits: []\n", 2, "one atlas holds one study");
    refused("schema: [", 1, "");
    let twice = "  - { unit: alexnet/conv5/0001, label: a, terms: [mass] }\n";
    let (consensus, problems) = parse(&format!("{HEAD}{twice}{twice}"), None);
    assert_eq!((consensus.units.len(), problems.len()), (1, 1));
    assert!(problems[0].to_string().contains("the first is in line 4"), "{}", problems[0]);
}

#[test]
fn a_unit_of_another_atlas_is_kept_and_pointed_out() {
    let text = one("label: a\nterms: [mass]").replace("alexnet", "vgg16");
    let (consensus, problems) = parse(&text, None);
    assert_eq!(consensus.units.len(), 1);
    assert_eq!(problems[0].severity, Severity::Warning);
    let nowhere = read(Path::new("/nowhere/consensus.yaml"), None, &[], &Lexicons::default());
    assert_eq!(nowhere, (Consensus::default(), Vec::new()));
}
