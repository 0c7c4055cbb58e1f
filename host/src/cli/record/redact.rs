//! Taking secrets and persons out of what is recorded. What is known to be secret becomes its
//! name. What looks like an id or a token becomes another of the same shape, the same one each
//! time, so that relations stay; so do e-mail and network addresses and long numbers. Names that
//! people gave themselves can't be told from other words: whoever records looks at the files.

use std::sync::LazyLock;

use chatport_sdk::{
    crypto::{base64, base64url, hex, hmac_sha256},
    secret::Secret,
};
use http::{HeaderName, header};
use regex::{Captures, Regex};
use url::form_urlencoded;

/// Headers that are nothing but a secret.
const SECRET: [HeaderName; 4] =
    [header::AUTHORIZATION, header::COOKIE, header::SET_COOKIE, header::PROXY_AUTHORIZATION];

/// A name in braces, an e-mail address, a network address, or a long word with letters and
/// digits.
static TELLING: LazyLock<Regex> = LazyLock::new(|| {
    let text = concat!(
        r"(?P<name>\{\{[^{}]+\}\})",
        r"|(?P<mail>[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)",
        r"|(?P<network>\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b)",
        r"|(?P<word>[A-Za-z0-9+_-]{16,}={0,2}|\b[0-9]{7,}\b)",
    );
    Regex::new(text).expect("a pattern")
});

/// How one recording is redacted.
pub(super) struct Redaction {
    secrets: Vec<(String, String)>,
    salt: [u8; 32],
}

impl Redaction {
    /// These secrets become their names; the rest becomes something else by this salt.
    pub(super) fn new(secrets: Vec<(String, Secret)>, salt: [u8; 32]) -> Self {
        let mut forms = Vec::new();
        for (name, secret) in secrets {
            let value = secret.expose();
            let encoded: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
            let (base64, base64url, hex) =
                (base64(value.as_bytes()), base64url(value.as_bytes()), hex(value.as_bytes()));
            let unpadded = base64.trim_end_matches('=').to_owned();
            // Between quotes, as JSON has it; some writers escape the slash too.
            let json = serde_json::Value::from(value).to_string().trim_matches('"').to_owned();
            let slashes = json.replace('/', "\\/");
            let upper = hex.to_uppercase();
            let all = [value.to_owned(), encoded, base64, base64url, unpadded, hex, upper, json, slashes];
            forms.extend(all.map(|form| (name.clone(), form)));
        }
        // The longest first: one may contain another.
        forms.sort_by_key(|(_, form)| std::cmp::Reverse(form.len()));
        Self { secrets: forms, salt }
    }

    /// A text without what it must not tell.
    pub(super) fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, form) in &self.secrets {
            text = text.replace(form, &format!("{{{{{name}}}}}"));
        }
        let telling = |found: &Captures<'_>| {
            let whole = found.get(0).map_or("", |found| found.as_str());
            match () {
                () if found.name("mail").is_some() => format!("{}@example.com", self.shaped("person-0000", whole)),
                // RFC 5737: addresses for documentation.
                () if found.name("network").is_some() => format!("192.0.2.{}", self.stream(whole, 1)[0]),
                () if found.name("word").is_some() && is_token(whole) => self.shaped(whole, whole),
                () => whole.to_owned(),
            }
        };
        TELLING.replace_all(&text, telling).into_owned()
    }

    /// A header's value without what it must not tell.
    pub(super) fn header(&self, name: &HeaderName, value: &str) -> String {
        let redacted = self.text(value);
        let has_name = redacted.contains("{{");
        if SECRET.contains(name) && !has_name { format!("{{{{{name}}}}}") } else { redacted }
    }

    /// Something of this shape instead of `original`: digits for digits, letters for letters.
    fn shaped(&self, shape: &str, original: &str) -> String {
        let stream = self.stream(original, shape.len());
        let other = |(letter, byte): (char, u8)| match letter {
            '0'..='9' => char::from(b'0' + byte % 10),
            'a'..='z' if shape == original => char::from(b'a' + byte % 26),
            'A'..='Z' => char::from(b'A' + byte % 26),
            letter => letter,
        };
        shape.chars().zip(stream).map(other).collect()
    }

    /// So many bytes that nobody can lead back to `original` without the salt.
    fn stream(&self, original: &str, length: usize) -> Vec<u8> {
        let block = |number: u32| hmac_sha256(&self.salt, format!("{number} {original}").as_bytes());
        (0..).flat_map(block).take(length.max(1)).collect()
    }
}

/// Words of a language have no digits in them.
fn is_token(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redaction() -> Redaction {
        Redaction::new(
            vec![("KEY".into(), Secret::new("s3cret/key=")), ("SHORT".into(), Secret::new("s3cret"))],
            [7; 32],
        )
    }

    #[test]
    fn a_secret_becomes_its_name_in_each_form() {
        let forms = r"s3cret/key= s3cret%2Fkey%3D czNjcmV0L2tleT0= czNjcmV0L2tleT0 s3cret\/key= s3cret";
        assert_eq!(redaction().text(forms), "{{KEY}} {{KEY}} {{KEY}} {{KEY}} {{KEY}} {{SHORT}}");
    }

    #[test]
    fn ids_keep_their_shape_and_their_relations() {
        let text = r#"{"user_id":"ws4o4macctyn5ko8uhkkxmgfur","again":"ws4o4macctyn5ko8uhkkxmgfur","other":"fukxanjgjbnp7ng383at53k1sy"}"#;
        let redacted = redaction().text(text);
        let value: serde_json::Value = serde_json::from_str(&redacted).expect("JSON");
        let user = value["user_id"].as_str().expect("an id");
        assert!(user.len() == 26 && user != "ws4o4macctyn5ko8uhkkxmgfur" && value["again"] == user, "{redacted}");
        assert!(value["other"] != user && !redacted.contains("fukxanj"), "{redacted}");
        assert_ne!(Redaction::new(Vec::new(), [8; 32]).text(text), redacted);
    }

    #[test]
    fn persons_and_networks_are_taken_out_and_words_stay() {
        let redacted = redaction().text("Ada <ada.lovelace@corp.example> at 203.0.113.9 said incomprehensibilities");
        assert!(redacted.starts_with("Ada <person-") && redacted.contains("@example.com> at 192.0.2."), "{redacted}");
        assert!(!redaction().text("chat 4915112345678").contains("4915112345678"));
        assert!(redacted.ends_with("said incomprehensibilities") && !redacted.contains("203.0.113"), "{redacted}");
    }

    #[test]
    fn a_header_that_is_a_secret_is_named() {
        assert_eq!(redaction().header(&header::AUTHORIZATION, "Bearer abc"), "{{authorization}}");
        assert_eq!(redaction().header(&header::AUTHORIZATION, "Token s3cret"), "Token {{SHORT}}");
        assert_eq!(redaction().header(&header::CONTENT_TYPE, "application/json"), "application/json");
    }
}
