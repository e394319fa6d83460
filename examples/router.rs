//! Makes a sample router root and prints where it is: `cargo run --example router`, then `cwmpd --root DIR run --stderr`.

#[path = "../tests/common/root.rs"]
mod root;

fn main() {
    let mut router = root::RouterRoot::new();
    router.keep();
    println!("{}", router.path().display());
}
