//! Tests of the whole: the pages, the program as people run it, and the structure of the code. One program, since
//! every one more is linked with all of the libraries, and runs alone.

mod support;

mod answers;
mod atlas;
mod browser;
mod catalogue;
mod collect;
mod commands;
mod crates;
mod dicom;
mod documentation;
mod figures;
mod fine;
mod found;
mod growth;
mod handed_in;
mod inputs;
mod layer;
mod naming;
mod predict;
mod privacy;
mod provenance;
mod reading;
mod recipes;
mod recorded;
mod reporting;
mod scale;
mod scripts;
mod store;
mod study;
mod study_plan;
mod survey;
mod towers;
mod viewer;
mod visualisation;
mod walk;
mod ways;
