//! The guide for authors, `docs/backends.md`: its code is that of the example, which is built and tested.

use std::path::Path;

/// The blocks of code in Rust and TOML: the line that begins one, and what is in it.
fn blocks(guide: &str) -> Vec<(&str, &str)> {
    let fenced = guide.split("\n```").skip(1).step_by(2);
    let blocks = fenced.map(|block| block.split_once('\n').expect("a block of code"));
    blocks.filter(|(begin, _)| begin.starts_with("rust") || begin.starts_with("toml")).collect()
}

#[test]
fn the_guides_code_is_that_of_the_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let guide = std::fs::read_to_string(root.join("docs/backends.md")).expect("the guide");
    let blocks = blocks(&guide);
    assert!(blocks.len() > 10, "the guide has code: {blocks:?}");
    for (begin, code) in blocks {
        let (_, file) = begin.split_once(' ').unwrap_or_else(|| panic!("this block names no file:\n{code}"));
        let text = std::fs::read_to_string(root.join("examples/third-party").join(file)).expect(file);
        assert!(format!("\n{text}").contains(&format!("\n{code}\n")), "{file} has something else than:\n{code}");
    }
}
