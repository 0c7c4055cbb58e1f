//! The address of a Mattermost server, in one form. Whatever names a server (the settings,
//! the server's own configuration, the Apps plugin's calls) is read by this one parser, so
//! two addresses are the same exactly when their normalised forms are.

use std::fmt;

use chatport_sdk::{
    Url,
    schemars::{JsonSchema, Schema, SchemaGenerator, json_schema},
};
use serde::{Deserialize, Serialize};

/// A server's address: http or https, lower-case host, no default port, no slash at the end;
/// a sub-path is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct SiteUrl(Url);

/// Why a text isn't a server's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SiteUrlError {
    #[error("must be an address such as https://chat.example.com")]
    NotAnAddress,
    #[error("must start with https:// or http://")]
    Scheme,
    #[error("must not hold a user name or password")]
    Credentials,
    #[error("must not have a part after `?` or `#`")]
    Query,
}

impl SiteUrl {
    /// Read and normalise an address.
    pub(crate) fn parse(text: &str) -> Result<Self, SiteUrlError> {
        let text = text.trim();
        // A URL parser drops or rewrites these silently; then two spellings would be one.
        if text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
            return Err(SiteUrlError::NotAnAddress);
        }
        let mut url = Url::parse(text).map_err(|_| SiteUrlError::NotAnAddress)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(SiteUrlError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(SiteUrlError::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(SiteUrlError::Query);
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// The address of something at the server; `path` starts with a slash.
    pub(crate) fn at(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}{path}", self.0.path().trim_end_matches('/')));
        url
    }

    /// The host's name, for people.
    pub(crate) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

impl fmt::Display for SiteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl TryFrom<String> for SiteUrl {
    type Error = SiteUrlError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<SiteUrl> for String {
    fn from(site: SiteUrl) -> Self {
        site.to_string()
    }
}

impl JsonSchema for SiteUrl {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SiteUrl".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "uri", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_are_one_address() {
        for text in ["https://chat.example.com", "HTTPS://Chat.Example.com:443/", " https://chat.example.com// "] {
            assert_eq!(SiteUrl::parse(text).expect(text).to_string(), "https://chat.example.com", "{text}");
        }
    }

    #[test]
    fn a_sub_path_and_a_port_are_kept() {
        let site = SiteUrl::parse("http://10.1.2.3:8065/Chat/").expect("an address");
        assert_eq!(site.to_string(), "http://10.1.2.3:8065/Chat");
        assert_eq!(site.at("/api/v4/posts").as_str(), "http://10.1.2.3:8065/Chat/api/v4/posts");
    }

    #[test]
    fn what_is_no_plain_server_address_is_refused() {
        for text in [
            "",
            "chat.example.com",
            "ftp://chat.example.com",
            "file:///etc/passwd",
            "https://",
            "https://user@chat.example.com",
            "https://:secret@chat.example.com",
            "https://chat.example.com?x",
            "https://chat.example.com/#x",
            "https://chat.exa\nmple.com",
            "https:\\\\chat.example.com",
        ] {
            assert!(SiteUrl::parse(text).is_err(), "{text:?}");
        }
    }
}
