//! What authors of backends build against: the public items of `chatport-sdk`, without their
//! bodies and words. The text stands in `docs/sdk-api.txt`; where it changes, this fails until
//! the change is accepted, with a line in `docs/changelog.md` for authors.

mod openapi;
mod strip;

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

/// The public API of a crate whose source is in this folder, module by module.
fn api(source: &Path) -> String {
    let mut text = String::new();
    module(&source.join("lib.rs"), source, "chatport_sdk", &mut text);
    text
}

fn module(file: &Path, children: &Path, path: &str, text: &mut String) {
    let source = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let parsed = syn::parse_file(&source).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let (public, modules) = strip::public(parsed.items);
    let shown = prettyplease::unparse(&syn::File { shebang: None, attrs: Vec::new(), items: public });
    write!(text, "// {path}\n{shown}\n").expect("text");
    for name in modules {
        let file = [children.join(format!("{name}.rs")), children.join(&name).join("mod.rs")];
        let file: &PathBuf = file.iter().find(|file| file.is_file()).expect("the module's file");
        module(file, &children.join(&name), &format!("{path}::{name}"), text);
    }
}

#[test]
fn the_public_api_of_the_sdk_is_what_was_accepted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let file = root.join("docs/sdk-api.txt");
    let today = api(&root.join("sdk/src"));
    if std::env::var_os("CHATPORT_ACCEPT_API").is_some() {
        fs::write(&file, &today).expect("docs/sdk-api.txt can be written");
    }
    let accepted = fs::read_to_string(&file).unwrap_or_default();
    let changed: Vec<_> = diff(&accepted, &today).take(40).collect();
    assert!(
        accepted == today,
        "the public API of chatport-sdk has changed:\n{}\nIf it is meant: CHATPORT_ACCEPT_API=1 cargo test -p \
         chatport-tests --test sdk_api, and a line in docs/changelog.md that tells authors what to do",
        changed.join("\n")
    );
}

/// The lines that only one of the two has.
fn diff<'t>(accepted: &'t str, today: &'t str) -> impl Iterator<Item = String> + 't {
    let gone = accepted.lines().filter(move |line| !today.lines().any(|other| other == *line));
    let new = today.lines().filter(move |line| !accepted.lines().any(|other| other == *line));
    gone.map(|line| format!("- {line}")).chain(new.map(|line| format!("+ {line}")))
}
