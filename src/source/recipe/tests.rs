//! Every recipe that comes with the program, on a small tree of the data set's own layout.

use std::fs;
use std::path::Path;

use image::{GrayImage, Luma};

use super::Recipe;
use crate::lexicons::{built_in, shipped::hand_down};
use crate::{Folder, Source, dicom};
use base::yaml::Text;
use mammogram::{Mammogram, Outline};

fn write(root: &Path, place: &str, bytes: impl AsRef<[u8]>) {
    let path = root.join(place);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn value(n: u32) -> u8 {
    ((n % 40) + n / 40 * 2) as u8
}

/// A DICOM image of 40 x 60 pixels with further tags.
fn image(root: &Path, place: &str, tags: &[dicom::Text<'_>]) {
    let pixels: Vec<u16> = (0..2400).map(|n| u16::from(value(n))).collect();
    write(root, place, dicom::file(&pixels, 40, 8, tags));
}

fn picture(root: &Path, place: &str) {
    write(root, place, []);
    GrayImage::from_fn(40, 60, |x, y| Luma([value(y * 40 + x)])).save(root.join(place)).unwrap();
}

/// A mask of a square of 10 x 10 pixels.
fn mask(root: &Path, place: &str) {
    write(root, place, []);
    let inside = |x: u32, y: u32| (5..15).contains(&x) && (6..16).contains(&y);
    let mask = GrayImage::from_fn(40, 60, |x, y| Luma([if inside(x, y) { 255 } else { 0 }]));
    mask.save(root.join(place)).unwrap();
}

fn open(root: &Path, name: &str) -> Folder {
    hand_down();
    let recipe = Recipe::open(Path::new("nowhere"), name).unwrap();
    Folder::by_recipe(recipe, root, None, 1, built_in())
}

/// A mammogram in a line: side, view, density, split, and each lesion with how many outlines of what kind.
fn told(mammogram: &Mammogram) -> String {
    let kind = |outline: &Outline| match outline {
        Outline::Box([l, t, r, b]) => format!("box {l} {t} {r} {b}"),
        Outline::Polygon(points) => format!("polygon of {}", points.len()),
        Outline::Circle { .. } => "circle".into(),
    };
    let lesions: Vec<String> = mammogram
        .lesions
        .iter()
        .map(|lesion| {
            let outlines: Vec<String> = lesion.outlines.iter().map(kind).collect();
            let terms = lesion.terms.join(" ");
            {
                let pathology = format!("{:?}", lesion.pathology).to_lowercase();
                format!("[{pathology} {terms} {}]", outlines.join(", ")).replace("  ", " ")
            }
        })
        .collect();
    let of = |text: Option<String>| text.unwrap_or_else(|| "?".into());
    format!(
        "{} {} {} {} {}",
        of(mammogram.laterality.map(|side| side.to_string())),
        of(mammogram.view.map(|view| view.to_string())),
        of(mammogram.density.clone()),
        of(mammogram.assigned.map(|split| split.to_string())),
        lesions.join(" ")
    )
    .trim_end()
    .to_owned()
}

/// What comes of a tree: its mammograms, and its notices.
fn read(folder: &Folder) -> (Vec<String>, Vec<String>) {
    let catalogue = folder.catalogue().unwrap();
    let notices = catalogue.notices.iter().map(|n| format!("{}: {}", n.place, n.message)).collect();
    for mammogram in &catalogue.mammograms {
        folder.image(mammogram).unwrap();
    }
    folder.fingerprint().unwrap();
    (catalogue.mammograms.iter().map(told).collect(), notices)
}

const VINDR: &str = "\
study_id,series_id,image_id,laterality,view_position,height,width,breast_birads,breast_density,finding_categories,finding_birads,xmin,ymin,xmax,ymax,split
s1,r1,i1,L,CC,60,40,BI-RADS 4,DENSITY C,\"['Mass', 'Skin Thickening']\",BI-RADS 4,5.5,6,20,30.25,training
s1,r1,i1,L,CC,60,40,BI-RADS 4,DENSITY C,['Suspicious Calcification'],BI-RADS 3,1,2,9,12,training
s1,r1,i2,R,MLO,60,40,BI-RADS 1,DENSITY C,['No Finding'],,,,,,test
";

#[test]
fn vindr_mammo_has_boxes_and_readers() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "finding_annotations.csv", VINDR);
    image(root, "images/s1/i1.dicom", &[]);
    image(root, "images/s1/i2.dicom", &[]);
    let (found, notices) = read(&open(root, "vindr-mammo"));
    assert_eq!(
        found,
        [
            "LEFT CC composition-c train [malignant mass skin-thickening box 5.5 6 20 30.25] \
             [unproven calcifications box 1 2 9 12]",
            "RIGHT MLO composition-c test"
        ]
    );
    assert!(notices.is_empty(), "{notices:?}");
}

#[test]
fn what_is_wrong_is_named_with_its_line_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    image(root, "images/s1/i1.dicom", &[]);
    image(root, "images/s1/i2.dicom", &[]);
    let error = |table: &str| {
        write(root, "finding_annotations.csv", table);
        format!("{:#}", open(root, "vindr-mammo").catalogue().unwrap_err())
    };
    fs::remove_file(root.join("finding_annotations.csv")).ok();
    let missing = format!("{:#}", open(root, "vindr-mammo").catalogue().unwrap_err());
    assert!(
        missing.contains("table `findings`") && missing.contains("finding_annotations.csv"),
        "{missing}"
    );
    let lacking = error(&VINDR.replace("finding_categories", "finding_category"));
    for says in [
        "finding_annotations.csv",
        "no column `finding_categories`",
        "`columns.terms`",
        "finding_category",
    ] {
        assert!(lacking.contains(says), "{says}: {lacking}");
    }
    // What is wrong in a row costs its image, and no other.
    let notices = |table: &str| {
        write(root, "finding_annotations.csv", table);
        read(&open(root, "vindr-mammo")).1.join("\n")
    };
    let unknown = notices(&VINDR.replace("'Skin Thickening'", "'Skin Thickning'"));
    for says in [
        "finding_annotations.csv:2",
        "`finding_categories`",
        "`Skin Thickening`",
        "`columns.terms`",
    ] {
        assert!(unknown.contains(says), "{says}: {unknown}");
    }
    let secret = notices(&VINDR.replace("'Skin Thickening'", "'Jane Doe'"));
    assert!(secret.contains("does not list") && !secret.contains("Jane"), "{secret}");
    let side = notices(&VINDR.replace("i1,L,CC", "i1,X,CC"));
    assert!(side.contains("finding_annotations.csv:2: `laterality` is not L, R"), "{side}");
    let edges = notices(&VINDR.replace("5.5,6,20,30.25", "20,6,5.5,30.25"));
    assert!(edges.contains("finding_annotations.csv:2: `box` is not left, top"), "{edges}");
    // A copy of another size, whose boxes would lie elsewhere.
    let resized = notices(&VINDR.replace("i1,L,CC,60,40", "i1,L,CC,120,80"));
    assert!(resized.contains("has 40 x 60 pixels, and the table states 80 x 120"), "{resized}");
    let unmarked = notices(&VINDR.replace("60,40,BI-RADS 1", "60,40,BI-RADS 5"));
    assert!(unmarked.contains("1 image is left out: a view of a breast"), "{unmarked}");
    let outside = notices(&VINDR.replace("5.5,6,20,30.25", "500,6,520,30.25"));
    assert!(outside.contains("outside the image"), "{outside}");
}

#[test]
fn rsna_knows_breasts_and_no_place() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(
        root,
        "train.csv",
        "site_id,patient_id,image_id,laterality,view,age,cancer,biopsy,invasive,BIRADS,implant,density,machine_id,difficult_negative_case\n\
         2,10006,462822612,L,CC,61.0,0,0,0,,0,,29,False\n\
         1,10011,220375232,R,MLO,55.0,1,1,1,0.0,0,C,21,False\n\
         1,10011,270344397,L,CC,55.0,0,1,0,0.0,0,C,21,True\n\
         1,10012,1,L,CC,55.0,0,0,0,1.0,1,B,21,False\n",
    );
    for place in ["10006/462822612", "10011/220375232", "10011/270344397"] {
        image(root, &format!("train_images/{place}.dcm"), &[]);
    }
    let (found, notices) = read(&open(root, "rsna"));
    assert_eq!(
        found,
        [
            "LEFT CC ? ?",
            "RIGHT MLO composition-c ? [malignant ]",
            "LEFT CC composition-c ? [benign ]"
        ]
    );
    assert_eq!(notices, ["train.csv: 1 image is left out: a breast with an implant"]);
}

#[test]
fn cmmd_has_side_and_view_in_its_files_alone() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(
        root,
        "CMMD_clinicaldata_revision.csv",
        "ID1,LeftRight,Age,number,abnormality,classification,subtype\n\
         D1-0001,R,44,2,calcification,Benign,\nD2-0005,L,60,2,both,Malignant,Luminal A\n",
    );
    let tags = |side: &'static str, view: &'static str| {
        [(0x20, 0x62, b"CS", side), (0x18, 0x5101, b"CS", view)]
    };
    image(root, "CMMD/D1-0001/07-18-2010-NA-NA-79377/1.000000-NA-70244/1-1.dcm", &tags("R", "CC"));
    image(root, "CMMD/D2-0005/07-18-2011-NA-NA-1/1.000000-NA-2/1-1.dcm", &tags("L", "MLO"));
    image(root, "CMMD/D2-0005/07-18-2011-NA-NA-1/1.000000-NA-2/1-2.dcm", &tags("R", "MLO"));
    let (found, notices) = read(&open(root, "cmmd"));
    assert_eq!(
        found,
        ["RIGHT CC ? ? [benign calcifications ]", "LEFT MLO ? ? [malignant mass calcifications ]"]
    );
    // The other breast of the second patient is in no row.
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert!(
        notices[0].contains("no row of CMMD_clinicaldata_revision.csv belongs to it"),
        "{notices:?}"
    );
}

#[test]
fn csaw_cc_has_masks_and_examinations_over_years() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(
        root,
        "anon_dataset_nonhidden_211125.csv",
        "anon_patientid,exam_year,imagelaterality,viewposition,x_case,x_cancer_laterality,rad_timing,rad_recall,anon_filename\n\
         1,2012,Left,CC,1,Left,1,1,00001_20120101_L_CC_1.dcm\n\
         1,2012,Right,CC,1,Left,1,1,00001_20120101_R_CC_1.dcm\n\
         1,2010,Left,CC,1,Left,3,0,00001_20100101_L_CC_1.dcm\n\
         2,2012,Right,MLO,0,,,0,00002_20120101_R_MLO_1\n",
    );
    for name in ["00001_20120101_L_CC_1", "00001_20120101_R_CC_1", "00002_20120101_R_MLO_1"] {
        image(root, &format!("some/where/{name}.dcm"), &[]);
    }
    mask(root, "masks/00001_20120101_L_CC_1_mask.png");
    let (found, notices) = read(&open(root, "csaw-cc"));
    assert_eq!(found, ["LEFT CC ? ? [malignant polygon of 8]", "RIGHT CC ? ?", "RIGHT MLO ? ?"]);
    assert!(notices[0].contains("1 image is left out: an examination"), "{notices:?}");

    // The other name of its table; a side of the cancer that is not known makes no healthy breast.
    let table = fs::read_to_string(root.join("anon_dataset_nonhidden_211125.csv")).unwrap();
    fs::remove_file(root.join("anon_dataset_nonhidden_211125.csv")).unwrap();
    let table = table.replace("1,2012,Right,CC,1,Left,1,1", "1,2012,Right,CC,1,,1,1");
    write(root, "CSAW-CC_breast_cancer_screening_data.csv", table);
    let (found, notices) = read(&open(root, "csaw-cc"));
    assert_eq!(found, ["LEFT CC ? ? [malignant polygon of 8]", "RIGHT MLO ? ?"]);
    let notices = notices.join("\n");
    assert!(notices.contains("data.csv:3: `x_case"), "{notices}");
}

#[test]
fn embed_joins_files_with_findings_of_their_breast() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let file = |name: &str, side: &str, kind: &str, roi: &str| {
        format!(
            "1,7,/mnt/NAS2/mammo/anon_dicom/cohort_1/1/7/{name}.dcm,{side},CC,{kind},1,\"{roi}\"\n"
        )
    };
    let roi = "((10, 5, 30, 20),)";
    let files = [
        file("a", "L", "2D,", roi),
        file("b", "R", "2D,", "()"),
        file("c", "R", "C-view,", "()"),
        file("d", "R", "2D,1", "()"),
        file("e", "", "2D,", roi),
    ];
    let head = "empi_anon,acc_anon,anon_dicom_path,ImageLateralityFinal,ViewPosition,FinalImageType,spot_mag,num_roi,ROI_coords\n";
    write(root, "tables/EMBED_OpenData_metadata.csv", head.to_owned() + &files.concat());
    for name in ["a", "b", "e"] {
        image(root, &format!("images/cohort_1/1/7/{name}.dcm"), &[]);
    }
    let read = |findings: &str| {
        let head = "empi_anon,acc_anon,side,asses,path_severity,tissueden\n";
        write(root, "tables/EMBED_OpenData_clinical.csv", head.to_owned() + findings);
        let (found, notices) = read(&open(root, "embed"));
        (found, notices.join("\n"))
    };
    let right = "RIGHT CC composition-c ?";
    let (found, notices) = read("1,7,L,S,0.0,3.0\n");
    assert_eq!(found, ["LEFT CC composition-c ? [malignant box 5 10 20 30]", right]);
    assert!(notices.contains(":6: `imagelateralityfinal` is blank"), "{notices}");
    assert!(notices.contains("1 image is left out: a spot view"), "{notices}");
    // One box is one lesion, of the gravest finding; a finding of no side is of both.
    let (found, _) = read("1,7,R,B,,3.0\n1,7,L,S,4.0,3.0\n1,7,,S,1.0,3.0\n");
    let left = "LEFT CC composition-c ? [malignant box 5 10 20 30]";
    assert_eq!(found, [left, "RIGHT CC composition-c ? [malignant ]"]);
    // What was to be looked into, and is not proven, is no healthy breast.
    let (found, notices) = read("1,7,L,A,,3.0\n1,7,R,N,,3.0\n");
    assert_eq!(found, [right]);
    assert!(notices.contains("1 image is left out: a finding that was to be"), "{notices}");
    // A box on a breast of which no finding is listed may be anything.
    let (found, _) = read("1,7,R,B,4.0,3.0\n");
    assert_eq!(
        found,
        ["LEFT CC composition-c ? [unproven box 5 10 20 30]", "RIGHT CC composition-c ? [benign ]"]
    );
}

#[test]
fn mini_ddsm_has_several_masks_of_an_image() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(
        root,
        "DataWMask.csv",
        "fullPath,fileName,View,Side,Status,Tumour_Contour,Tumour_Contour2,Age,Density\n\
         Cancer\\0029\\C_0029_1.LEFT_CC.png,C_0029_1.LEFT_CC.png,CC,LEFT,Cancer,Cancer\\0029\\C_0029_1.LEFT_CC_Mask.png,Cancer\\0029\\C_0029_1.LEFT_CC_Mask2.png,66,3\n\
         Cancer\\0029\\C_0029_1.RIGHT_CC.png,C_0029_1.RIGHT_CC.png,CC,RIGHT,Cancer,-,-,66,3\n",
    );
    let at = "MINI-DDSM-Complete-PNG-16/Cancer/0029/C_0029_1";
    picture(root, &format!("{at}.LEFT_CC.png"));
    picture(root, &format!("{at}.RIGHT_CC.png"));
    mask(root, &format!("{at}.LEFT_CC_Mask.png"));
    mask(root, &format!("{at}.LEFT_CC_Mask2.png"));
    let (found, notices) = read(&open(root, "mini-ddsm"));
    assert_eq!(
        found,
        [
            "LEFT CC composition-c ? [malignant polygon of 8] [malignant polygon of 8]",
            "RIGHT CC composition-c ?"
        ]
    );
    assert!(notices.is_empty(), "{notices:?}");
}

#[test]
fn cdd_cesm_is_read_without_contrast() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(
        root,
        "Radiology manual annotations.csv",
        "Image_name,Patient_ID,Side,Type,Age,Breast density (ACR),BIRADS,Findings,View,Tags,Machine,Pathology Classification/ Follow up\n\
         P1_L_DM_CC,1,L,DM,50,C,5,mass,CC,,1,Malignant\n\
         P1_L_CM_CC,1,L,CESM,50,C,5,mass,CC,,1,Malignant\n\
         P1_R_DM_CC,1,R,DM,50,_,1,,CC,,1,Normal\n",
    );
    write(
        root,
        "Radiology_hand_drawn_segmentations_v2.csv",
        "#filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n\
         P1_L_DM_CC .jpg,1,{},2,0,\"{\"\"name\"\":\"\"rect\"\",\"\"x\"\":5,\"\"y\"\":6,\"\"width\"\":10,\"\"height\"\":12}\",{}\n\
         P1_L_DM_CC .jpg,1,{},2,1,\"{\"\"name\"\":\"\"point\"\",\"\"cx\"\":5,\"\"cy\"\":6}\",{}\n\
         P1_R_DM_CC.jpg,1,{},0,0,{},{}\n",
    );
    for name in ["P1_L_DM_CC", "P1_R_DM_CC "] {
        picture(root, &format!("Low energy images of CDD-CESM/{name}.jpg"));
    }
    let (found, notices) = read(&open(root, "cdd-cesm"));
    assert_eq!(found, ["LEFT CC composition-c ? [malignant polygon of 4]", "RIGHT CC ? ?"]);
    assert_eq!(notices.len(), 1, "{notices:?}");
}

#[test]
fn a_recipe_of_ones_own_is_found_and_its_mistakes_are_shown() {
    hand_down();
    let folder = tempfile::tempdir().unwrap();
    let content = folder.path();
    let text = "\
name: Mine
description: Of a friend.
citation: None.
licence: Mine.
get: Nowhere.
tables: { list: list.csv }
rows: { table: list }
columns:
  image: '{file_name}'
  patient: '{who}'
";
    write(content, "recipes/mine.yaml", text);
    assert_eq!(Recipe::open(content, "mine").unwrap().about().name, "Mine");
    let error = format!("{:#}", Recipe::open(content, "vinder").unwrap_err());
    assert!(error.contains("unknown recipe `vinder`") && error.contains("vindr-mammo"), "{error}");
    for (from, to, says) in [
        ("table: list }", "table: lists }", "mine.yaml:7:16: unknown table `lists`"),
        ("  patient:", "  patent:", "unknown column `patent`; did you mean `patient`?"),
        ("{who}'", "{who'", "not closed"),
        ("'{who}'", "{ of: '{who}', part: 'a' }", "needs one bracket"),
        ("'{who}'", "{ if_there: true }", "one of `of` and `any`"),
        ("'{who}'", "{ off: '{who}' }", "did you mean `of`?"),
        ("rows: { table: list }", "rows: { files: '*.dcm' }", "needs a join"),
    ] {
        let text = text.replace(from, to);
        let path = Path::new("mine.yaml");
        let error = Recipe::parse(Text { path, text: &text }).unwrap_err().to_string();
        assert!(error.contains(says), "{says}: {error}");
    }
}

#[test]
fn every_recipe_that_comes_with_the_program_is_whole() {
    hand_down();
    let known = Recipe::ids(Path::new("nowhere")).unwrap();
    assert!(known.len() >= 7, "{known:?}");
    for name in known {
        let recipe = Recipe::open(Path::new("nowhere"), &name).unwrap();
        let about = recipe.about();
        assert!(about.licence.is_some_and(|terms| !terms.is_empty()), "{name}");
        assert!(!about.citation.is_empty(), "{name}");
    }
}

#[test]
fn a_folder_says_which_data_set_it_is() {
    hand_down();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "finding_annotations.csv", VINDR);
    image(root, "images/s1/i1.dicom", &[]);
    let fits = crate::fits(Path::new("nowhere"), root).unwrap();
    for (id, fit) in &fits {
        match (id.as_str(), fit) {
            ("vindr-mammo", Ok(fit)) => {
                assert_eq!(fit.written, "kind: recipe, name: vindr-mammo");
                assert_eq!(fit.holds, crate::Holds::Images { listed: 2, there: 1 });
                assert_eq!(fit.flaw, None);
            }
            (_, Err(why)) => {
                let why = format!("{why:#}");
                assert!(why.contains(&root.display().to_string()), "{id}: {why}");
            }
            _ => panic!("{id}: {fit:?}"),
        }
    }
    assert!(fits.len() > 11, "{fits:?}");
}

const JOINED: &str = "\
name: Mine
description: Of a friend.
citation: None.
licence: Mine.
get: Nowhere.
tables: { images: images.csv, findings: findings.csv }
rows: { table: images }
joins:
  - { table: findings, on: { exam: '{pid}', side: '{images.side}' }, without: keep }
columns:
  image: '{file}'
  patient: '{pid}'
  laterality: '{images.side}'
  pathology: { of: '{res}', values: { C50: malignant }, otherwise: ~ }
  box: { of: '{x} {y} {w} {h}', box: ltwh }
";

#[test]
fn what_a_table_says_is_never_lost_in_silence() {
    hand_down();
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "recipes/mine.yaml", JOINED);
    write(root, "images.csv", "file,pid,side\n1.png,1,L\n2.png,aB,L\n3.png,3,\n");
    for name in ["1.png", "2.png", "3.png"] {
        picture(root, name);
    }
    let read = |findings: &str| {
        write(root, "findings.csv", format!("exam,side,res,x,y,w,h\n{findings}"));
        let recipe = Recipe::open(root, "mine").unwrap();
        let folder = Folder::by_recipe(recipe, root, None, 1, built_in());
        let (found, notices) = read(&folder);
        (found, notices.join("\n"))
    };
    let blank = "images.csv:4: a value by which findings.csv is joined is blank";
    let (found, notices) = read("1,L,C50,5,6,10,12\n");
    assert_eq!(found, ["LEFT ? ? ? [malignant box 5 6 15 18]", "LEFT ? ? ?"]);
    assert!(notices.contains(blank), "{notices}");
    // Another word for the side, another patient by capitals, no side at all.
    let (found, notices) =
        read("1,L,,,,,\n1,Left,C50,5,6,10,12\nAb,L,C50,5,6,10,12\n1,,C50,1,2,3,4\n");
    assert_eq!(found, ["LEFT ? ? ?", "LEFT ? ? ?"]);
    let lost = "findings.csv:3: belongs to no image, and neither do 2 more of its rows";
    assert!(notices.contains(lost), "{notices}");
    // A row that is out of line, whether anything meets it or not.
    let (_, notices) = read("1,L,C50,5,6,10,12,8\nx,L,C50,5,6,10,12,8\n");
    for says in
        ["images.csv:2: line 2 of its `findings`: the row has 8", "findings.csv:3: the row has 8"]
    {
        assert!(notices.contains(says), "{says}: {notices}");
    }
    let (_, notices) = read("1,L,C50,\"5,5\",\"6,5\",\"10,5\",\"12,5\"\n");
    assert!(notices.contains("images.csv:2") && notices.contains("is no box"), "{notices}");
    for (from, to, says) in [
        ("rows: { table: images }", "rows: { table: findings }", "`findings` is in use already"),
        ("{ C50: malignant }", "{ '1': malignant, '1.0': benign }", "which are read as one"),
        ("on: { exam: '{pid}', side: '{images.side}' }", "on: {}", "`on` says"),
        ("  image: '{file}'\n", "", "no `image`"),
        (
            "columns:",
            "skip: [{ of: '{pid}', because: x }]\ncolumns:",
            "by one of `is` and `is_not`",
        ),
    ] {
        let text = JOINED.replace(from, to);
        let error = Recipe::parse(Text { path: Path::new("m.yaml"), text: &text }).unwrap_err();
        assert!(error.to_string().contains(says), "{says}: {error}");
    }
}
