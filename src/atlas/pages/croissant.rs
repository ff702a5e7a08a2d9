//! `data/croissant.json`: what the tables of the atlas are, for programs that read data sets
//! ([Croissant 1.1](https://mlcommons.org/croissant/1.1), JSON-LD), with what is known of how they were made (RAI 1.0).

use std::fmt::Write;

use anyhow::Result;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::cite;
use super::page::{File, Files, Site};
use crate::export::{self, Table};
use crate::facts::Atlas;
use crate::facts::paths::DATA;
use crate::facts::statements::statement;
use base::Split;
use record::tally::PARTS;

/// Where it lies.
pub(super) const CROISSANT: &str = "data/croissant.json";

/// What the specification has in its own name space.
const TERMS: [&str; 40] = [
    "annotation",
    "arrayShape",
    "citeAs",
    "column",
    "containedIn",
    "equivalentProperty",
    "excludes",
    "extract",
    "field",
    "fileObject",
    "fileProperty",
    "fileSet",
    "format",
    "includes",
    "isArray",
    "isLiveDataset",
    "jsonPath",
    "key",
    "md5",
    "parentField",
    "path",
    "readLines",
    "recordSet",
    "references",
    "regex",
    "repeated",
    "replace",
    "samplingRate",
    "sdVersion",
    "separator",
    "source",
    "subField",
    "transform",
    "unArchive",
    "value",
    "data",
    "examples",
    "dataType",
    "conformsTo",
    "rai",
];

/// The description of the tables.
struct Croissant;

pub(super) fn files<'a>(_: &'a Atlas<'a>) -> Files<'a> {
    vec![Box::new(Croissant)]
}

impl File for Croissant {
    fn path(&self) -> String {
        CROISSANT.into()
    }

    fn bytes(&self, site: &Site) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(&described(site.atlas)?)?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// What the words of the description stand for. The published context has schema.org with http; validators know it with
/// https, and four words of version 1.0 beside those of 1.1.
fn context() -> Value {
    let mut context = Map::new();
    let mut put = |name: &str, value: Value| context.insert(name.into(), value);
    put("@language", "en".into());
    put("@vocab", "https://schema.org/".into());
    put("sc", "https://schema.org/".into());
    put("cr", "http://mlcommons.org/croissant/".into());
    put("dct", "http://purl.org/dc/terms/".into());
    for term in TERMS {
        let own = format!("cr:{term}");
        put(
            term,
            match term {
                "rai" => "http://mlcommons.org/croissant/RAI/".into(),
                "conformsTo" => "dct:conformsTo".into(),
                "data" | "examples" => json!({ "@id": own, "@type": "@json" }),
                "dataType" => json!({ "@id": own, "@type": "@vocab" }),
                _ => own.into(),
            },
        );
    }
    context.into()
}

fn described(atlas: &Atlas) -> Result<Value> {
    let inputs = atlas.inputs;
    let (config, manifest) = (inputs.config, inputs.manifest);
    let mut set = json!({
        "@context": context(),
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": config.title,
        "description": format!(
            "Patches of mammograms ({}), and the units of networks: what each responds to, what it is called, and how it \
             agrees with outlines.",
            manifest.source.name
        ),
        "url": atlas.address(DATA).unwrap_or_else(|| "index.html".into()),
        "version": format!("1.0.0+{}", cite::state(atlas)),
        "citeAs": cite::sentence(atlas),
        "keywords": ["mammography", "breast cancer", "interpretability", "network dissection"],
        "inLanguage": "en",
        "isLiveDataset": false,
    });
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            set[name] = value;
        }
    };
    let said = |name: &str| Ok::<_, anyhow::Error>(statement(atlas, name)?.map(|said| said.text));
    put("license", said("licence")?.map(Value::from));
    let cited = &config.citation;
    let person = |name: &String| json!({ "@type": "sc:Person", "name": name });
    let authors: Vec<Value> = cited.authors.iter().map(person).collect();
    let maker = || json!([{ "@type": "sc:Organization", "name": "unit-atlas" }]);
    put(
        "creator",
        match authors.is_empty() {
            false => Some(authors.into()),
            // Nobody else made them.
            true => manifest.source.phantom.then(maker),
        },
    );
    put("datePublished", cited.year.map(|year| year.to_string().into()));
    put("identifier", cited.doi.as_ref().map(|doi| format!("https://doi.org/{doi}").into()));
    put("isBasedOn", said("source")?.map(Value::from));
    for (name, fact) in [
        ("rai:dataCollection", "source"),
        ("rai:dataCollectionMissingData", "missing"),
        ("rai:dataCollectionRawData", "raw"),
        ("rai:dataPreprocessingProtocol", "cutting"),
        ("rai:dataAnnotationProtocol", "labels"),
        ("rai:dataLimitations", "limits"),
        ("rai:dataUseCases", "use"),
        ("rai:personalSensitiveInformation", "privacy"),
    ] {
        put(name, said(fact)?.map(Value::from));
    }
    let mut distribution = Vec::new();
    let mut records = enumerations(atlas);
    for table in export::all() {
        distribution.push(file(atlas, table)?);
        records.push(record(table));
    }
    set["distribution"] = distribution.into();
    set["recordSet"] = records.into();
    Ok(set)
}

/// A table as a file.
fn file(atlas: &Atlas, table: &Table) -> Result<Value> {
    let bytes = table.make(atlas)?;
    let mut digest = String::new();
    for byte in Sha256::digest(&bytes) {
        write!(digest, "{byte:02x}")?;
    }
    Ok(json!({
        "@type": "cr:FileObject",
        "@id": table.file,
        "name": table.file,
        "description": format!("One row is {}.", table.row),
        // Beside this file, or where the atlas is published.
        "contentUrl": atlas.address(&table.path()).unwrap_or_else(|| table.file.into()),
        "contentSize": format!("{} B", bytes.len()),
        "encodingFormat": "text/csv",
        "sha256": digest,
    }))
}

/// The rows of a table.
fn record(table: &Table) -> Value {
    let name = table.file.trim_end_matches(".csv");
    let field = |[column, meaning, kind]: &[&str; 3]| {
        let mut field = json!({
            "@type": "cr:Field",
            "@id": format!("{name}/{column}"),
            "name": column,
            "description": meaning,
            "dataType": data_type(kind),
            "source": { "fileObject": { "@id": table.file }, "extract": { "column": column } },
        });
        if *kind == "Split" {
            field["references"] = json!({ "field": { "@id": "splits/name" } });
        }
        field
    };
    json!({
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": format!("One record is {}.", table.row),
        "field": table.columns.iter().map(field).collect::<Vec<_>>(),
    })
}

/// What the values of a column are, by the type of the field that they are written from.
fn data_type(kind: &str) -> &'static str {
    let kind = kind.trim_start_matches("Option<").trim_end_matches('>');
    match kind {
        "bool" => "sc:Boolean",
        "u32" | "u64" | "usize" | "u8" => "sc:Integer",
        kind if kind.starts_with("Number") => "sc:Float",
        _ => "sc:Text",
    }
}

/// The parts of the split and the classes.
fn enumerations(atlas: &Atlas) -> Vec<Value> {
    let field = |set: &str, name: &str, kind: Value, description: &str| {
        json!({
            "@type": "cr:Field",
            "@id": format!("{set}/{name}"),
            "name": name,
            "description": description,
            "dataType": kind,
        })
    };
    let split = |split: Split| {
        let kind = match split {
            Split::Train => "TrainingSplit",
            Split::Validation => "ValidationSplit",
            Split::Test => "TestSplit",
        };
        json!({ "splits/name": split.to_string(), "splits/url": format!("http://mlcommons.org/croissant/{kind}") })
    };
    let parts = PARTS.map(split);
    let classes = atlas.inputs.manifest.classes().iter();
    vec![
        json!({
            "@type": "cr:RecordSet",
            "@id": "splits",
            "name": "splits",
            "description": "The parts that patients were divided into.",
            "dataType": "cr:Split",
            "key": { "@id": "splits/name" },
            "field": [
                field("splits", "name", "sc:Text".into(), "As the tables have it."),
                field("splits", "url", json!(["sc:URL", "cr:Split"]), "What it is."),
            ],
            "data": parts,
        }),
        json!({
            "@type": "cr:RecordSet",
            "@id": "classes",
            "name": "classes",
            "description": "What the networks tell apart.",
            "dataType": "sc:Enumeration",
            "key": { "@id": "classes/name" },
            "field": [field("classes", "name", "sc:Text".into(), "In words.")],
            "data": classes.map(|class| json!({ "classes/name": class })).collect::<Vec<_>>(),
        }),
    ]
}
