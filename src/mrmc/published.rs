//! Numbers that others printed.
//!
//! The Van Dyke study (45 patients with dissection of the aorta, 69 without, five readers, two kinds of MRI;
//! Radiology 1993) is the worked example of the method's papers and programs. Its scores are not part of this project;
//! held to here is what the documentation of MRMCaov 0.3.0 (Smith and Hillis 2020) prints of its empirical areas: from
//! printed areas and covariances follow the printed statistics. Its first condition less its second is there what here
//! is the second less the first.

use crate::components::Single;
use crate::{Components, Mean, Scope, Test, icc};

/// Areas of the readers in both conditions.
const AREAS: [[f64; 5]; 2] = [
    [0.919_645_7, 0.858_776_2, 0.903_864_7, 0.973_107_9, 0.829_790_7],
    [0.947_826_1, 0.905_314_0, 0.921_739_1, 0.999_355_9, 0.929_951_7],
];

/// With covariances by DeLong.
fn delong() -> Components {
    Components {
        readers: 5,
        means: [0.897_037_0, 0.940_837_4],
        ms_t: 0.004_796_171,
        ms_r: 0.003_836_2,
        ms_tr: 0.000_551_030_6,
        variance: 0.000_792_132_5,
        cov1: 0.000_342_009_0,
        cov2: 0.000_339_526_5,
        cov3: 0.000_235_849_7,
        single: [
            Single { ms_r: 0.003_082_629, cov2: 0.000_477_523_9 },
            Single { ms_r: 0.001_304_602, cov2: 0.000_201_529_2 },
        ],
    }
}

/// With covariances by the jackknife.
fn jackknife() -> Components {
    Components {
        variance: 0.000_802_288_3,
        cov1: 0.000_346_613_7,
        cov2: 0.000_344_074_8,
        cov3: 0.000_239_028_4,
        ..delong()
    }
}

fn near(what: &str, ours: f64, printed: f64) {
    assert!(
        (ours - printed).abs() < 2e-5 * printed.abs().max(1e-2),
        "{what}: {ours}, printed {printed}"
    );
}

fn same(
    what: &str,
    ours: Test,
    f: f64,
    degrees: Option<f64>,
    p: f64,
    error: f64,
    interval: [f64; 2],
) {
    near(&format!("{what} F"), ours.f, f);
    near(&format!("{what} p"), ours.p, p);
    near(&format!("{what} error"), ours.error, error);
    near(&format!("{what} low"), ours.interval[0], interval[0]);
    near(&format!("{what} high"), ours.interval[1], interval[1]);
    match (ours.degrees, degrees) {
        (Some(ours), Some(printed)) => near(&format!("{what} df"), ours, printed),
        (ours, printed) => assert_eq!(ours, printed, "{what} df"),
    }
}

#[test]
fn tests_of_van_dykes_study_are_those_that_mrmcaov_prints() {
    let of = |components: Components, scope| components.test(scope).unwrap();
    same(
        "readers and cases, DeLong",
        of(delong(), Scope::ReadersAndCases),
        4.484_854,
        Some(15.066_11),
        0.051_233_03,
        0.020_682_5,
        [-0.000_266_551_9, 0.087_867_196],
    );
    same(
        "cases, jackknife",
        of(jackknife(), Scope::Cases),
        5.475_953,
        None,
        0.019_279_84,
        0.018_717_48,
        [0.007_114_73, 0.080_485_91],
    );
    same(
        "readers",
        of(delong(), Scope::Readers),
        8.704,
        Some(4.0),
        0.041_958_75,
        0.014_846_29,
        [0.002_580_42, 0.085_020_22],
    );
}

#[test]
fn means_of_van_dykes_study_are_those_that_mrmcaov_prints() {
    let printed = [
        (0.897_037, 0.033_076_42, 12.595_97, [0.825_346_1, 0.968_728_0]),
        (0.940_837_4, 0.021_504_64, 12.565_3, [0.894_215_5, 0.987_459_2]),
    ];
    for (condition, (value, error, degrees, interval)) in printed.into_iter().enumerate() {
        let ours: Mean = delong().mean(condition).unwrap();
        near("mean", ours.value, value);
        near("error", ours.error, error);
        near("df", ours.degrees.unwrap(), degrees);
        near("low", ours.interval[0], interval[0]);
        near("high", ours.interval[1], interval[1]);
    }
}

#[test]
fn mean_squares_of_van_dykes_areas_are_those_that_mrmcaov_prints() {
    let found = Components::of_areas(&AREAS);
    let printed = delong();
    near("T", found.ms_t, printed.ms_t);
    near("R", found.ms_r, printed.ms_r);
    near("TR", found.ms_tr, printed.ms_tr);
    for (ours, printed) in found.single.iter().zip(printed.single) {
        near("R of a condition", ours.ms_r, printed.ms_r);
    }
}

/// The table of four judges and six targets of Shrout and Fleiss (1979), with their printed mean squares and
/// correlations; intervals as R's psych and pingouin print them of it.
#[test]
fn correlations_are_those_of_shrout_and_fleiss() {
    let targets =
        [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]];
    let judge = |judge: usize| targets.iter().map(|of| f64::from(of[judge])).collect();
    let judges: Vec<Vec<f64>> = (0..4).map(judge).collect();
    let found = icc(&judges).unwrap();
    let round = |value: f64| (value * 100.0).round() / 100.0;
    assert_eq!([found.agreement.value, found.consistency.value].map(round), [0.29, 0.71]);
    assert_eq!(found.agreement.interval.unwrap().map(round), [0.02, 0.76]);
    assert_eq!(found.consistency.interval.unwrap().map(round), [0.34, 0.95]);
}
