//! Network Dissection: what each unit of a layer responds to.

pub mod record;
