//! `chatport new-backend`: writes the crate of a backend that compiles, is registered, and
//! passes the conformance suite, for its author to make it a platform's.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use chatport_sdk::descriptor::is_id;

use crate::config::NewBackend;

/// What is written: a path in the crate, and the text.
const FILES: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("new_backend/Cargo.toml.template")),
    ("rustfmt.toml", include_str!("../../../rustfmt.toml")),
    ("README.md", include_str!("new_backend/README.md.template")),
    ("src/lib.rs", include_str!("new_backend/lib.rs.template")),
    ("src/main.rs", include_str!("new_backend/main.rs.template")),
    ("tests/conformance.rs", include_str!("new_backend/conformance.rs.template")),
];

/// Where Chatport's own crates are looked for.
const USUAL: [&str; 3] = [".", "chatport", "../chatport"];

/// Words of the language and crates that the new one depends on: no crate can have such a name.
const TAKEN: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "http",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "serde",
    "serde-json",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "union",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

/// Why nothing is written. Each is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum NewBackendError {
    #[error("a backend's name has 2 to 32 of a-z 0-9 and -, begins with a letter and doesn't end with -: not `{0}`")]
    Name(String),
    #[error("`{0}` is taken, as a word of Rust or by a crate that a backend needs: choose another name")]
    Taken(String),
    #[error("there is no Chatport at {0}: give the folder of its source by --chatport")]
    NoChatport(PathBuf),
    #[error("{0} is there already: choose another name, or take it away")]
    Exists(PathBuf),
    #[error("can't write {0}: {1}")]
    Write(PathBuf, io::Error),
}

/// Write the crate below the present folder; the answer is what to tell.
pub(super) fn write(request: &NewBackend) -> Result<String, NewBackendError> {
    let name = request.name.as_str();
    if !is_id(name) || name.ends_with('-') {
        return Err(NewBackendError::Name(name.to_owned()));
    }
    if TAKEN.contains(&name) || name.starts_with("chatport") {
        return Err(NewBackendError::Taken(name.to_owned()));
    }
    let chatport = chatport(request.chatport.as_deref())?;
    let folder = PathBuf::from(name);
    if folder.exists() {
        return Err(NewBackendError::Exists(folder));
    }
    for (path, template) in FILES {
        let path = folder.join(path);
        let text = fill(template, name, &chatport);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, text));
        written.map_err(|error| NewBackendError::Write(path, error))?;
    }
    Ok(format!(
        "{name}/ is written; `cd {name} && cargo test` plays the conformance suite, README.md says what to change\n"
    ))
}

/// The folder of Chatport's source, as the new crate sees it.
fn chatport(given: Option<&Path>) -> Result<String, NewBackendError> {
    let is_there = |path: &Path| path.join("sdk/Cargo.toml").is_file() && path.join("host/Cargo.toml").is_file();
    let found = match given {
        Some(path) => Some(path.to_owned()).filter(|path| is_there(path)),
        None => USUAL.map(PathBuf::from).into_iter().find(|path| is_there(path)),
    };
    let found =
        found.ok_or_else(|| NewBackendError::NoChatport(given.unwrap_or(Path::new("../chatport")).to_owned()))?;
    let seen = if found.is_absolute() { found } else { Path::new("..").join(found) };
    // It stands between quotes in a TOML file.
    Ok(seen.display().to_string().replace('\\', "\\\\").replace('"', "\\\""))
}

/// `noticeboard-pro` is `NoticeboardPro` as a type and `Noticeboard pro` to people.
fn fill(template: &str, name: &str, chatport: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    };
    let type_name: String = name.split('-').map(capital).collect();
    template
        .replace("{{name}}", name)
        .replace("{{crate}}", &name.replace('-', "_"))
        .replace("{{type}}", &type_name)
        .replace("{{title}}", &capital(&name.replace('-', " ")))
        .replace("{{chatport}}", chatport)
}
