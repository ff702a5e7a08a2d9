//! A file that is added to what comes with the program is compiled in, too.

fn main() {
    println!("cargo::rerun-if-changed=content");
    println!("cargo::rerun-if-changed=themes");
}
