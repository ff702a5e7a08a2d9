//! Data sets that recipes describe, from their own layout to a site: small made-up trees, with phantoms' pixels in them.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use image::{GrayImage, Luma};
use source::{Phantom, Source};

use crate::support::dicom;
use crate::support::project::Project;

/// Patients of each tree, with two views of either breast.
const PATIENTS: usize = 6;
const HEIGHT: u32 = 256;

/// An image of a tree.
struct Film {
    /// From 1.
    patient: usize,
    side: char,
    view: &'static str,
    pixels: GrayImage,
}

/// Four views of each patient. The left breasts of odd patients have something in them.
fn films() -> Vec<Film> {
    let phantom = Phantom::new(PATIENTS as u32, HEIGHT, 7);
    let mammograms = phantom.catalogue().unwrap().mammograms;
    let film = |(at, mammogram): (usize, &mammogram::Mammogram)| {
        let grey = phantom.image(mammogram).unwrap();
        let (width, height) = (grey.width, grey.height);
        let [side, view] = [["L", "CC"], ["L", "MLO"], ["R", "CC"], ["R", "MLO"]][at % 4];
        Film {
            patient: at / 4 + 1,
            side: side.chars().next().unwrap(),
            view,
            pixels: GrayImage::from_raw(width, height, grey.pixels).unwrap(),
        }
    };
    mammograms.iter().enumerate().map(film).collect()
}

impl Film {
    fn is_cancer(&self) -> bool {
        self.side == 'L' && self.patient % 2 == 1
    }

    fn name(&self) -> String {
        format!("P{}_{}_{}", self.patient, self.side, self.view)
    }

    /// A box in the middle: left, top, right, bottom.
    fn edges(&self) -> [u32; 4] {
        let (width, height) = self.pixels.dimensions();
        [width / 4, height / 3, width / 2, height / 2]
    }

    fn dicom(&self, path: &Path) {
        let pixels: Vec<u16> = self.pixels.as_raw().iter().map(|&value| value.into()).collect();
        let side = self.side.to_string();
        let tags = [(0x20, 0x62, b"CS", &*side), (0x18, 0x5101, b"CS", self.view)];
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, dicom::file(&pixels, self.pixels.width() as u16, 8, &tags)).unwrap();
    }

    fn picture(&self, path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        self.pixels.save(path).unwrap();
    }

    fn mask(&self, path: &Path) {
        let [left, top, right, bottom] = self.edges();
        let (width, height) = self.pixels.dimensions();
        let inside = |x, y| (left..right).contains(&x) && (top..bottom).contains(&y);
        let mask = GrayImage::from_fn(width, height, |x, y| Luma([u8::from(inside(x, y)) * 255]));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        mask.save(path).unwrap();
    }
}

/// What a tree should come to.
struct Expected {
    /// Lesions with a place.
    placed: usize,
    lesions: usize,
    boxes: bool,
}

fn run(name: &str, tree: impl Fn(&Path, &[Film]), expected: &Expected) {
    // Where no lesion has a place, mammograms have labels.
    let by_image = expected.placed == 0;
    let (labels, training) = match by_image {
        true => ("image", "{ epochs: 1, objective: mil, batch: 64 }"),
        false => ("lesion", "false"),
    };
    let project = Project::new(&format!(
        "title: A tree\nsource: {{ kind: recipe, name: {name}, path: data }}\n\
         patches: {{ size: 40, stride: 1, labels: {labels} }}\n\
         split: {{ train: 0.4, validation: 0.4, test: 0.2 }}\n\
         networks: [{{ name: resnet10, input: 33, layers: [bn1], training: {training} }}]\n\
         dissection: {{ top: 4, permutations: 19 }}\n"
    ));
    let films = films();
    tree(&project.path("data"), &films);
    let told = project.run(&["source", "check", "data"]).expect(0);
    let fits = format!("{name} fits: {} images are listed, and there", films.len());
    assert!(told.out.contains(&fits), "{}", told.out);
    assert_eq!(told.out.matches(" fits: ").count(), 1, "{}", told.out);
    let told = project.run(&["run"]).expect(0);
    let count = films.len();
    let used = format!("{count} images listed, {count} of them used, of {PATIENTS} patients");
    assert!(told.out.contains(&used), "{}", told.out);
    let manifest =
        record::Manifest::read(&base::artifact::Layout::new(project.path("output"))).unwrap();
    assert_eq!(manifest.mammograms.len(), films.len());
    let lesions = manifest.mammograms.iter().flat_map(|member| &member.mammogram.lesions);
    let lesions: Vec<_> = lesions.collect();
    let placed = lesions.iter().filter(|lesion| !lesion.outlines.is_empty()).count();
    assert_eq!((lesions.len(), placed), (expected.lesions, expected.placed), "{name}");
    let page = |path: &str| fs::read_to_string(project.path("output/site").join(path)).unwrap();
    let methods = page("methods/index.html");
    assert!(methods.contains("Licence: "), "{methods}");
    assert_eq!(methods.contains("given as boxes"), expected.boxes, "{methods}");
    assert_eq!(methods.contains("the label of its mammogram"), by_image, "{methods}");
    if by_image {
        // All patches of a cancer count as one, and nobody knows where it is.
        for patch in &manifest.patches {
            let cancer = manifest.member(patch).mammogram.has_cancer();
            assert_eq!((patch.positive, patch.fractions.is_none()), (cancer, cancer));
        }
        let network = page("networks/resnet10/index.html");
        assert!(network.contains("as trained"), "{network}");
        let table = page("data/explanations.csv");
        assert!(table.contains("unknown"), "{table}");
        assert!(!table.contains("at the malignant lesion"), "{table}");
    }
    assert!(page("networks/resnet10/bn1/0001/index.html").contains("class=\"patch"));
    project.run(&["check"]).expect(0);
}

#[test]
fn vindr_mammo() {
    let tree = |root: &Path, films: &[Film]| {
        let mut table = String::from(
            "study_id,series_id,image_id,laterality,view_position,height,width,breast_birads,breast_density,finding_categories,finding_birads,xmin,ymin,xmax,ymax,split\n",
        );
        for film in films {
            let (study, image) = (film.patient, film.name());
            film.dicom(&root.join(format!("images/{study}/{image}.dicom")));
            let [l, t, r, b] = film.edges();
            let found = match film.is_cancer() {
                true => format!(
                    "BI-RADS 5,DENSITY B,\"['Mass', 'Nipple Retraction']\",BI-RADS 5,{l},{t},{r}.5,{b}"
                ),
                false => "BI-RADS 1,DENSITY B,['No Finding'],,,,,".into(),
            };
            let split = ["training", "training", "test"][study % 3];
            let (width, height) = film.pixels.dimensions();
            writeln!(
                table,
                "{study},s,{image},{},{},{height},{width},{found},{split}",
                film.side, film.view
            )
            .unwrap();
        }
        fs::write(root.join("finding_annotations.csv"), table).unwrap();
    };
    run("vindr-mammo", tree, &Expected { placed: 6, lesions: 6, boxes: true });
}

#[test]
fn rsna() {
    let tree = |root: &Path, films: &[Film]| {
        let mut table = String::from(
            "site_id,patient_id,image_id,laterality,view,age,cancer,biopsy,invasive,BIRADS,implant,density,machine_id,difficult_negative_case\n",
        );
        for (at, film) in films.iter().enumerate() {
            film.dicom(&root.join(format!("train_images/{}/{at}.dcm", film.patient)));
            let cancer = u8::from(film.is_cancer());
            writeln!(
                table,
                "1,{},{at},{},{},50,{cancer},{cancer},0,,0,B,1,False",
                film.patient, film.side, film.view
            )
            .unwrap();
        }
        fs::write(root.join("train.csv"), table).unwrap();
    };
    run("rsna", tree, &Expected { placed: 0, lesions: 6, boxes: false });
}

#[test]
fn cmmd() {
    let tree = |root: &Path, films: &[Film]| {
        let mut table =
            String::from("ID1,LeftRight,Age,number,abnormality,classification,subtype\n");
        for film in films {
            let patient = format!("D1-{:04}", film.patient);
            let place =
                format!("CMMD/{patient}/07-18-2010-NA-NA-1/1.000000-NA-2/{}.dcm", film.name());
            film.dicom(&root.join(place));
            if film.view == "CC" {
                let found = if film.is_cancer() { "Malignant" } else { "Benign" };
                writeln!(table, "{patient},{},50,2,mass,{found},", film.side).unwrap();
            }
        }
        fs::write(root.join("CMMD_clinicaldata_revision.csv"), table).unwrap();
    };
    run("cmmd", tree, &Expected { placed: 0, lesions: 24, boxes: false });
}

#[test]
fn csaw_cc() {
    let tree = |root: &Path, films: &[Film]| {
        let mut table = String::from(
            "anon_patientid,exam_year,imagelaterality,viewposition,x_case,x_cancer_laterality,rad_timing,rad_recall,anon_filename\n",
        );
        for film in films {
            let name = film.name();
            film.dicom(&root.join(format!("images/{name}.dcm")));
            if film.is_cancer() {
                film.mask(&root.join(format!("masks/{name}_mask.png")));
            }
            let side = if film.side == 'L' { "Left" } else { "Right" };
            let case = if film.patient % 2 == 1 { "1,Left,1" } else { "0,," };
            writeln!(table, "{},2012,{side},{},{case},0,{name}.dcm", film.patient, film.view)
                .unwrap();
        }
        fs::write(root.join("anon_dataset_nonhidden_211125.csv"), table).unwrap();
    };
    run("csaw-cc", tree, &Expected { placed: 6, lesions: 6, boxes: false });
}

#[test]
fn embed() {
    let tree = |root: &Path, films: &[Film]| {
        let mut files = String::from(
            "empi_anon,acc_anon,anon_dicom_path,ImageLateralityFinal,ViewPosition,FinalImageType,spot_mag,num_roi,ROI_coords\n",
        );
        let mut findings = String::from("empi_anon,acc_anon,side,asses,path_severity,tissueden\n");
        for film in films {
            let (patient, name) = (film.patient, film.name());
            let place = format!("images/cohort_1/{patient}/9{patient}/{name}.dcm");
            film.dicom(&root.join(&place));
            let [l, t, r, b] = film.edges();
            let roi = match film.is_cancer() {
                true => format!("1,\"(({t}, {l}, {b}, {r}),)\""),
                false => "0,()".into(),
            };
            writeln!(
                files,
                "{patient},9{patient},/mnt/NAS2/mammo/anon_dicom/{},{},{},2D,,{roi}",
                place.trim_start_matches("images/"),
                film.side,
                film.view
            )
            .unwrap();
            if film.name().ends_with("L_CC") {
                let found = if film.is_cancer() { "L,M,0.0,2.0" } else { ",N,,2.0" };
                writeln!(findings, "{patient},9{patient},{found}").unwrap();
            }
        }
        fs::create_dir_all(root.join("tables")).unwrap();
        fs::write(root.join("tables/EMBED_OpenData_metadata.csv"), files).unwrap();
        fs::write(root.join("tables/EMBED_OpenData_clinical.csv"), findings).unwrap();
    };
    run("embed", tree, &Expected { placed: 6, lesions: 6, boxes: true });
}

#[test]
fn mini_ddsm() {
    let tree = |root: &Path, films: &[Film]| {
        let mut table = String::from(
            "fullPath,fileName,View,Side,Status,Tumour_Contour,Tumour_Contour2,Age,Density\n",
        );
        for film in films {
            let status = if film.patient % 2 == 1 { "Cancer" } else { "Normal" };
            let side = if film.side == 'L' { "LEFT" } else { "RIGHT" };
            let name = format!("C_{:04}_1.{side}_{}", film.patient, film.view);
            let folder = format!("{status}/{:04}", film.patient);
            let top = root.join("MINI-DDSM-Complete-PNG-16").join(&folder);
            film.picture(&top.join(format!("{name}.png")));
            let mut contour = "-".to_owned();
            if film.is_cancer() {
                film.mask(&top.join(format!("{name}_Mask.png")));
                contour = format!("{folder}/{name}_Mask.png").replace('/', "\\");
            }
            let path = format!("{folder}/{name}.png").replace('/', "\\");
            writeln!(table, "{path},{name}.png,{},{side},{status},{contour},-,60,2", film.view)
                .unwrap();
        }
        fs::write(root.join("DataWMask.csv"), table).unwrap();
    };
    run("mini-ddsm", tree, &Expected { placed: 6, lesions: 6, boxes: false });
}

#[test]
fn cdd_cesm() {
    let tree = |root: &Path, films: &[Film]| {
        let mut table = String::from(
            "Image_name,Patient_ID,Side,Type,Age,Breast density (ACR),BIRADS,Findings,View,Tags,Machine,Pathology Classification/ Follow up\n",
        );
        let mut outlines = String::from(
            "#filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n",
        );
        for film in films {
            let name = format!("P{}_{}_DM_{}", film.patient, film.side, film.view);
            film.picture(&root.join(format!("Low energy images of CDD-CESM/{name}.jpg")));
            let found = if film.is_cancer() { "Malignant" } else { "Normal" };
            writeln!(
                table,
                "{name},{},{},DM,50,B,5,,{},,1,{found}",
                film.patient, film.side, film.view
            )
            .unwrap();
            if film.is_cancer() {
                let [l, t, r, b] = film.edges();
                let shape = format!(
                    "\"{{\"\"name\"\":\"\"ellipse\"\",\"\"cx\"\":{},\"\"cy\"\":{},\"\"rx\"\":{},\"\"ry\"\":{}}}\"",
                    (l + r) / 2,
                    (t + b) / 2,
                    (r - l) / 2,
                    (b - t) / 2
                );
                writeln!(outlines, "{name}.jpg,1,{{}},1,0,{shape},{{}}").unwrap();
            }
        }
        fs::write(root.join("Radiology manual annotations.csv"), table).unwrap();
        fs::write(root.join("Radiology_hand_drawn_segmentations_v2.csv"), outlines).unwrap();
    };
    run("cdd-cesm", tree, &Expected { placed: 6, lesions: 6, boxes: false });
}

#[test]
fn what_comes_with_the_program_is_listed_and_a_folder_without_a_data_set_is_told() {
    let project = Project::new("title: Empty\n");
    let told = project.run(&["source", "list"]).expect(0);
    for says in ["vindr-mammo  VinDr-Mammo", "PhysioNet Credentialed", "https://physionet.org/"] {
        assert!(told.out.contains(says), "{says}: {}", told.out);
    }
    fs::create_dir(project.path("none")).unwrap();
    let told = project.run(&["source", "check", "none"]);
    assert!(told.out.contains("rsna does not: "), "{}", told.out);
    told.expect_error(&["no data set that is known fits none", "docs/recipes.md"]);
    project.run(&["source", "check", "nowhere"]).expect_error(&["nowhere is no folder"]);
}
