//! What applications build against: the API's description. It stands in `docs/openapi.json`,
//! from which `examples/clients/generate` makes the clients.

use std::{fs, path::Path};

use serde_json::Value;

const WRITE: &str = "CHATPORT_WRITE_OPENAPI";

#[test]
fn the_published_description_is_what_the_program_serves() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let served = chatport_host::api::build().1.describe();
    if std::env::var_os(WRITE).is_some() {
        let text = serde_json::to_string_pretty(&served).expect("JSON");
        fs::write(&file, text + "\n").expect("docs/openapi.json can be written");
    }
    let published = fs::read_to_string(&file).unwrap_or_default();
    let published: Value = serde_json::from_str(&published).unwrap_or_default();
    assert!(
        published == served,
        "docs/openapi.json is out of date: {WRITE}=1 cargo test -p chatport-tests --test sdk_api writes it, then \
         examples/clients/generate makes the clients anew"
    );
}
