//! Manifests: their fields and every rule the plugin checks before it lists one.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::clean_url::clean_static;

/// Longest manifest in bytes.
pub(crate) const MAX_SIZE: usize = 1024 * 1024;

/// Which parts of the context a call wants, and in what detail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Expand {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) app: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) acting_user: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) acting_user_access_token: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) locale: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) channel: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) channel_member: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) team: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) team_member: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) post: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) root_post: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) user: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) oauth2_app: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) oauth2_user: String,
}

/// A call an app offers. In JSON it may be just its path.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct CallDef {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expand: Option<Expand>,
    #[serde(skip_serializing_if = "Value::is_null")]
    pub(crate) state: Value,
}

impl CallDef {
    /// A call of a path without anything else.
    pub(crate) fn at(path: &str) -> Self {
        Self { path: path.to_owned(), ..Self::default() }
    }
}

impl<'de> Deserialize<'de> for CallDef {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Full {
            path: String,
            expand: Option<Expand>,
            state: Value,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Path(String),
            Full(Box<Full>),
        }
        Ok(match Either::deserialize(from)? {
            Either::Path(path) => Self::at(&path),
            Either::Full(full) => Self { path: full.path, expand: full.expand, state: full.state },
        })
    }
}

/// How an app is reached by HTTP.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Http {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) root_url: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) use_jwt: bool,
}

/// A manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Manifest {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) app_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) homepage_url: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) display_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) description: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) icon: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bindings: Option<CallDef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) on_install: Option<CallDef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) on_version_changed: Option<CallDef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) on_uninstall: Option<CallDef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) on_enable: Option<CallDef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) on_disable: Option<CallDef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) get_oauth2_connect_url: Option<CallDef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) on_oauth2_complete: Option<CallDef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) on_remote_webhook: Option<CallDef>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) requested_permissions: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) remote_webhook_auth_type: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) requested_locations: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aws_lambda: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) http: Option<Http>,
    #[serde(skip_serializing_if = "Option::is_none")]
    open_faas: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plugin: Option<Value>,
}

/// Reads and checks a manifest.
pub(crate) fn decode(bytes: &[u8]) -> Result<Manifest, String> {
    let manifest: Manifest = serde_json::from_slice(bytes)
        .map_err(|error| if error.is_eof() { "unexpected end of JSON input".to_owned() } else { error.to_string() })?;
    let problems = manifest.problems();
    if problems.is_empty() { Ok(manifest) } else { Err(error_list(&problems)) }
}

/// Several errors as one text, in the plugin's form.
pub(crate) fn error_list(problems: &[String]) -> String {
    let mut text = match problems.len() {
        1 => "1 error occurred:\n".to_owned(),
        many => format!("{many} errors occurred:\n"),
    };
    for problem in problems {
        text.push_str(&format!("\t* {problem}\n"));
    }
    text.push('\n');
    text
}

impl Manifest {
    /// Address every call is relative to, empty if the app is not reached by HTTP.
    pub(crate) fn root_url(&self) -> &str {
        self.http.as_ref().map_or("", |http| &http.root_url)
    }

    /// Everything that is wrong, in the plugin's order and words.
    fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut say = |text: String| found.push(format!("{text}: invalid input"));
        if self.display_name.is_empty() {
            say("display_name is empty".into());
        }
        if self.homepage_url.is_empty() {
            say("homepage_url is empty".into());
        }
        if let Err(why) = check_url(&self.homepage_url) {
            say(format!("homepage_url {:?} invalid: {why}", self.homepage_url));
        }
        if !self.icon.is_empty()
            && let Err(why) = clean_static(&self.icon)
        {
            say(why.trim_end_matches(": invalid input").to_owned());
        }
        self.id_problems(&mut say);
        self.version_problems(&mut say);
        self.permission_problems(&mut say);
        self.deploy_problems(&mut say);
        found
    }

    fn id_problems(&self, say: &mut impl FnMut(String)) {
        let id = &self.app_id;
        if id.len() < 3 {
            say(format!("appID {id} too short, should be 3 bytes"));
        }
        if id.len() > 32 {
            say(format!("appID {id} too long, should be 32 bytes"));
        }
        for character in id.chars().filter(|c| !is_name_char(*c)) {
            say(format!("invalid character '{character}' in appID {id:?}"));
        }
    }

    fn version_problems(&self, say: &mut impl FnMut(String)) {
        let version = &self.version;
        if version.len() > "v00_00_000".len() {
            say(format!("version {version} too long, should be in v00_00_000 format"));
        }
        for character in version.chars().filter(|c| !is_name_char(*c)) {
            say(format!("invalid character '{character}' in appVersion"));
        }
    }

    fn permission_problems(&self, say: &mut impl FnMut(String)) {
        let asked = &self.requested_permissions;
        for (permission, needed) in [
            ("remote_webhooks", "act_as_bot"),
            ("remote_oauth2", "act_as_user"),
            ("user_joined_channel_notification", "act_as_bot"),
        ] {
            let has = |name: &str| asked.iter().any(|have| have == name);
            if has(permission) && !has(needed) {
                let all: Vec<String> = asked.iter().map(|name| describe(name)).collect();
                say(format!("{} requires {}", all.join(", "), describe(needed)));
                return;
            }
        }
    }

    fn deploy_problems(&self, say: &mut impl FnMut(String)) {
        let others = [&self.aws_lambda, &self.open_faas, &self.plugin];
        let Some(http) = &self.http else {
            if others.iter().all(|other| other.is_none()) {
                say("manifest has no deployment information (http, aws_lambda, open_faas, etc.)".into());
            }
            return;
        };
        if http.root_url.is_empty() {
            say("root_url must be set for HTTP apps".into());
        } else if let Err(why) = check_url(&http.root_url) {
            say(format!("invalid root_url: {:?}: {why}", http.root_url));
        }
    }
}

fn is_name_char(character: char) -> bool {
    character.is_alphabetic() || character.is_numeric() || matches!(character, '-' | '_' | '.')
}

/// A permission in the plugin's words.
fn describe(permission: &str) -> String {
    match permission {
        "user_joined_channel_notification" => "be notified when users join channels".into(),
        "act_as_user" => "use Mattermost REST API as connected users".into(),
        "act_as_bot" => "use Mattermost REST API as the app's bot user".into(),
        "remote_oauth2" => "use a remote (3rd party) OAuth2 and store secrets".into(),
        "remote_webhooks" => "receive webhook messages from a remote (3rd party) system".into(),
        other => format!("unknown permission: {other}"),
    }
}

/// Checks an address: http or https, with a host.
fn check_url(address: &str) -> Result<(), String> {
    if address.is_empty() {
        return Err("parse \"\": empty url".into());
    }
    let wrong_scheme = "URL schema must either be \"http\" or \"https\"";
    if address.starts_with('/') {
        return Err(wrong_scheme.into());
    }
    let unreadable = || format!("parse {address:?}: invalid URI for request");
    let (scheme, rest) = address.split_once(':').ok_or_else(unreadable)?;
    if address.contains(|c: char| c.is_control() || c == ' ') {
        return Err(unreadable());
    }
    if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return Err(wrong_scheme.into());
    }
    let authority = rest.strip_prefix("//").unwrap_or_default();
    let host = authority.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    if host.is_empty() {
        return Err("URL must contain a host".into());
    }
    let port = host.rsplit_once(':').map(|(_, port)| port);
    if port.is_some_and(|port| !port.ends_with(']') && port.bytes().any(|b| !b.is_ascii_digit())) {
        return Err(unreadable());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_recorded_good_manifest_passes_unchanged() {
        let text = include_str!("../../vectors/valid_manifest.json");
        let manifest = decode(text.as_bytes()).unwrap();
        assert_eq!(serde_json::to_value(&manifest).unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn all_recorded_cases() {
        let cases: Vec<Value> = serde_json::from_str(include_str!("../../vectors/validation_cases.json")).unwrap();
        assert_eq!(cases.len(), 34);
        for case in cases {
            let name = &case["name"];
            let raw = match case["manifest_raw"].as_str() {
                Some(raw) => raw.as_bytes().to_vec(),
                None => serde_json::to_vec(&case["manifest"]).unwrap(),
            };
            match decode(&raw) {
                Ok(manifest) => {
                    assert_eq!(case["valid"], true, "{name}");
                    assert_eq!(serde_json::to_value(&manifest).unwrap(), case["normalised"], "{name}");
                }
                Err(why) => {
                    assert_eq!(case["valid"], false, "{name}: {why}");
                    assert_eq!(case["error"], json!(why), "{name}");
                }
            }
        }
    }
}
