//! Six routers as they stand in homes: what the tree says of each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "common/model.rs"]
mod model;
#[path = "common/root.rs"]
mod root;

use model::Router;
use root::RouterRoot;

#[test]
fn every_sample_is_read_whole() {
    for name in root::routers::names() {
        let router = Router::on(RouterRoot::sample(name));
        let values = router.values("");
        eprintln!("{name}: {}", values.len());
        if let Ok(directory) = std::env::var("OUT") {
            let text: String = values.iter().map(|(name, value)| format!("{name} = {value}\n")).collect();
            std::fs::write(format!("{directory}/{name}"), text).unwrap();
        }
    }
}
