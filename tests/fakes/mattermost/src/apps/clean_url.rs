//! How the plugin cleans paths and addresses. Its habit of unescaping again and again is what
//! lets a client reach paths it must not reach, so it is copied exactly.

use std::fmt::Write as _;

/// The shortest equivalent of a slash-separated path, by the rules of the plugin's language.
pub(crate) fn clean(path: &str) -> String {
    if path.is_empty() {
        return ".".into();
    }
    let rooted = path.starts_with('/');
    let mut out: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match out.last() {
                Some(&last) if last != ".." => {
                    out.pop();
                }
                _ if rooted => {}
                _ => out.push(".."),
            },
            other => out.push(other),
        }
    }
    let joined = out.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".into(),
        (false, false) => joined,
    }
}

/// Cleans a path and refuses those that climb out.
pub(crate) fn clean_path(path: &str) -> Result<String, String> {
    if path.is_empty() {
        return Err("path must not be empty: : invalid input".into());
    }
    let cleaned = clean(path);
    if cleaned == "." || cleaned.starts_with("../") {
        return Err(format!("bad path: {path:?}: invalid input"));
    }
    Ok(cleaned)
}

/// Unescapes until nothing changes any more, then cleans.
fn clean_url_path(path: &str) -> Result<String, String> {
    if path.is_empty() {
        return Err("empty path: invalid input".into());
    }
    let mut path = path.to_owned();
    loop {
        let unescaped = unescape(&path)?;
        if unescaped == path {
            return clean_path(&path);
        }
        path = unescaped;
    }
}

fn unescape(text: &str) -> Result<String, String> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'%' {
            out.push(bytes[at]);
            at += 1;
            continue;
        }
        let hex = text.get(at + 1..at + 3);
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let byte = byte.ok_or_else(|| format!("invalid URL escape {:?}", &text[at..]))?;
        out.push(byte);
        at += 3;
    }
    String::from_utf8(out).map_err(|_| "the path is not UTF-8".to_owned())
}

/// Escapes a path again, leaving the characters the plugin's language leaves.
fn escape(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing to a text cannot fail");
        }
    }
    out
}

/// An address in its parts: scheme with authority, path, query with its mark.
fn split(address: &str) -> (&str, &str, String) {
    let (address, fragment) = match address.split_once('#') {
        Some((address, _)) => (address, true),
        None => (address, false),
    };
    let (before_query, query) = match address.split_once('?') {
        Some((before, query)) => (before, format!("?{query}")),
        None => (address, String::new()),
    };
    // What follows a hash never reaches a server.
    let _ = fragment;
    let path_at = match before_query.find("://") {
        Some(scheme) => {
            let authority = scheme + 3;
            before_query[authority..].find('/').map_or(before_query.len(), |slash| authority + slash)
        }
        None => 0,
    };
    let (origin, path) = before_query.split_at(path_at);
    (origin, path, query)
}

/// The address a call really goes to.
pub(crate) fn clean_url(address: &str) -> Result<String, String> {
    let (origin, path, query) = split(address);
    // Reading an address unescapes its path once, before the loop.
    let path = clean_url_path(&unescape(path)?)?;
    Ok(format!("{origin}{}{query}", escape(&path)))
}

/// Checks and cleans the path or address of a static file.
pub(crate) fn clean_static(address: &str) -> Result<String, String> {
    let (origin, path, query) = split(address);
    let path = clean_url_path(&unescape(path)?)?;
    let dot = if origin.is_empty() && path.starts_with('/') { "." } else { "" };
    Ok(format!("{origin}{dot}{}{query}", escape(&path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        for (path, cleaned) in [
            ("/a/b", "/a/b"),
            ("//a///b/", "/a/b"),
            ("/../x", "/x"),
            ("a/../../b", "../b"),
            ("", "."),
            ("/", "/"),
            ("./a", "a"),
        ] {
            assert_eq!(clean(path), cleaned, "{path}");
        }
        assert!(clean_path("../x").is_err() && clean_path(".").is_err());
    }

    #[test]
    fn tricks_reach_where_they_reach_in_the_plugin() {
        let root = "http://127.0.0.1:9/mm/t_1";
        for (path, reached) in [
            ("/command/link", "/mm/t_1/command/link"),
            ("/%69nstall", "/mm/t_1/install"),
            ("/%2569nstall", "/mm/t_1/install"),
            ("/a/%2e%2e/install", "/mm/t_1/install"),
            ("/%2e%2e/t_2/x", "/mm/t_2/x"),
            ("/a%20b", "/mm/t_1/a%20b"),
            ("/x?y=1", "/mm/t_1/x?y=1"),
            ("/x%3Fy=1", "/mm/t_1/x%3Fy=1"),
        ] {
            let got = clean_url(&format!("{root}/{path}")).unwrap();
            assert_eq!(got, format!("http://127.0.0.1:9{reached}"), "{path}");
        }
        assert!(clean_url(&format!("{root}/%zz")).is_err());
    }
}
