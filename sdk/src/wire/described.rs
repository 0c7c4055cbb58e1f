//! A remote backend's descriptor, and what the host knows of it once it has been checked.

use std::{collections::BTreeSet, time::Duration};

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::bounds::{self, Broken};
use crate::{
    crypto,
    delivery::StreamKey,
    descriptor::{self, CONTRACT_LEVEL, Limits, RatePer},
    failure::{Cause, Failure},
    identity::Address,
    token::{self, TokenOrigin, TokenUse},
    verification::Purpose,
};

const MAX_ICON: usize = 64 * 1024;
const MAX_SCHEMA: usize = 64 * 1024;
const MAX_KINDS: usize = 16;
const MAX_RATES: usize = 16;
/// Longest key of a conversation, in characters.
const MAX_KEY: usize = 256;
/// Longest address, in bytes as JSON.
const MAX_ADDRESS: usize = 8 * 1024;

/// What is constant about a remote backend. The host reads it when it connects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Descriptor {
    /// Lower-case name, `[a-z][a-z0-9-]{1,31}`: the one under which the operator attached it.
    pub id: String,
    /// The platform's name as people write it.
    pub name: String,
    /// One sentence on what the backend does.
    #[serde(default)]
    pub description: String,
    /// A small picture for catalogues: a PNG of at most 64 KiB, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon_png: Option<String>,
    /// The level of the contract that it was written for: 1.
    pub contract: u32,
    /// What it can do. What is left out is never called.
    pub parts: Parts,
    /// What the platform takes.
    pub limits: Limits,
    /// JSON Schema of the settings (draft 2020-12).
    pub settings: Schema,
    /// The version of the settings' shape, from 1.
    #[serde(default = "one")]
    pub settings_version: u32,
    /// The kinds of token that it keeps. All are stored sealed and come with each call.
    #[serde(default)]
    pub tokens: Vec<TokenKind>,
    /// Rates that sending keeps to; at least one.
    pub rates: Vec<Rate>,
    /// How long the platform waits for the answer to a press, in milliseconds.
    #[serde(default = "three_seconds")]
    pub press_limit_ms: u32,
    /// Whether it works only when the platform can reach the host's public address.
    #[serde(default)]
    pub needs_public_url: bool,
}

fn one() -> u32 {
    1
}

fn three_seconds() -> u32 {
    3_000
}

/// What a remote backend can do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Parts {
    /// `install/…`: it can be set up.
    pub install: bool,
    /// `install/renew`: the kinds of token that run out and that it renews.
    pub renew: Vec<String>,
    /// `verification/present`: what it links by codes.
    pub verification: Vec<Purpose>,
    /// `delivery/render` and `delivery/post`.
    pub deliver: bool,
    /// `delivery/edit`.
    pub edit: bool,
    /// `delivery/delete`.
    pub delete: bool,
    /// `delivery/find`.
    pub find: bool,
    /// `delivery/direct`.
    pub direct: bool,
    /// `ingress/…`: the platform calls.
    pub receive: bool,
    /// `listen/…`: the platform is asked; where it calls too (`receive`), only if it can't: if the
    /// host has no public address.
    pub listen: bool,
    /// `directory/…`: finding people and channels.
    pub directory: bool,
    /// `commands/…`: making the application's commands known.
    pub commands: bool,
}

/// One kind of token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenKind {
    /// Its name within the backend: `[a-z][a-z0-9_]*`.
    pub name: String,
    /// Who makes it up.
    pub origin: TokenOrigin,
    /// How long it lives, in seconds, unless the token says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<u32>,
}

/// A token bucket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Its name: `[a-z][a-z0-9_]*`.
    pub name: String,
    /// Who shares it.
    #[serde(default)]
    pub per: RatePer,
    /// How many in a second, in the long run.
    pub per_second: f64,
    /// How many at once.
    pub burst: u32,
}

/// A descriptor that has been checked.
#[derive(Clone, Debug)]
pub struct Known {
    /// As the contract has it.
    pub descriptor: descriptor::Descriptor,
    /// What it can do.
    pub parts: Parts,
    /// The kinds of token that it renews.
    pub renews: &'static [&'static str],
    /// What it links by codes.
    pub purposes: &'static [Purpose],
}

impl Descriptor {
    /// Check it, and make it what the contract has.
    ///
    /// The contract's descriptors are constants of the program, so the texts of this one are
    /// never freed: call it once for each backend that is attached.
    ///
    /// # Errors
    /// A rule that it breaks.
    pub fn know(self, id: &str) -> Result<Known, Broken> {
        self.check(id)?;
        let icon = self.icon_png.as_deref().map(leak_icon).transpose()?;
        let leaked: Vec<token::TokenKind> = self.tokens.iter().map(leak_kind).collect();
        let mut known = descriptor::Descriptor::new(leak(&self.id), leak(&self.name));
        known.description = leak(&self.description);
        known.icon = icon;
        known.limits = self.limits;
        known.settings = self.settings;
        known.settings_version = self.settings_version;
        known.tokens = leaked.leak();
        known.rates = self.rates.iter().map(leak_rate).collect::<Vec<_>>().leak();
        known.press_limit = Duration::from_millis(self.press_limit_ms.into());
        known.needs_public_url = self.needs_public_url;
        let kind = |name: &String| known.token_kind(name).map(|kind| kind.name);
        let renews = self.parts.renew.iter().filter_map(kind).collect::<Vec<_>>().leak();
        let purposes = self.parts.verification.clone().leak();
        Ok(Known { descriptor: known, parts: self.parts, renews, purposes })
    }

    fn check(&self, id: &str) -> Result<(), Broken> {
        if self.id != id {
            return Err(Broken::new(format!("its id isn't `{id}`, under which it is attached")));
        }
        if self.contract != CONTRACT_LEVEL {
            let level = self.contract;
            return Err(Broken::new(format!("it speaks level {level} of the contract, not {CONTRACT_LEVEL}")));
        }
        bounds::name("name", &self.name, 64)?;
        bounds::text("description", &self.description, 300)?;
        if self.limits.text == 0 || self.limits.text > 1_000_000 {
            return Err(Broken::new("limits.text must be 1 to 1000000"));
        }
        if !(1_000..=60_000).contains(&self.press_limit_ms) || self.settings_version == 0 {
            return Err(Broken::new("press_limit_ms must be 1000 to 60000, and settings_version at least 1"));
        }
        let settings = self.settings.as_value();
        if settings.get("type").and_then(serde_json::Value::as_str) != Some("object") {
            return Err(Broken::new("settings must be the schema of an object"));
        }
        bounds::json("settings", settings, MAX_SCHEMA)?;
        self.check_names()?;
        self.check_parts()
    }

    fn check_names(&self) -> Result<(), Broken> {
        bounds::count("tokens", &self.tokens, MAX_KINDS)?;
        bounds::count("rates", &self.rates, MAX_RATES)?;
        let kinds = self.tokens.iter().map(|kind| kind.name.as_str());
        let rates = self.rates.iter().map(|rate| rate.name.as_str());
        for (what, names) in [("tokens", kinds.collect::<Vec<_>>()), ("rates", rates.collect())] {
            if let Some(bad) = names.iter().find(|name| !is_good_name(name)) {
                let bad = bounds::words(bad);
                return Err(Broken::new(format!("{what}: the name `{bad}` isn't of the form [a-z][a-z0-9_]*")));
            }
            if names.iter().collect::<BTreeSet<_>>().len() != names.len() {
                return Err(Broken::new(format!("{what}: a name is used twice")));
            }
        }
        let is_bad = |rate: &Rate| !rate.per_second.is_finite() || rate.per_second <= 0.0 || rate.burst == 0;
        if self.rates.is_empty() || self.rates.iter().any(is_bad) {
            return Err(Broken::new("there must be a rate, and all must be above 0"));
        }
        Ok(())
    }

    fn check_parts(&self) -> Result<(), Broken> {
        let Parts { install, deliver, edit, delete, find, direct, renew, .. } = &self.parts;
        if [edit, delete, find, direct].into_iter().any(|part| *part) && !deliver {
            return Err(Broken::new("parts: edit, delete, find and direct need deliver"));
        }
        let is_unknown = |kind: &String| !self.tokens.iter().any(|known| known.name == *kind);
        if renew.iter().any(is_unknown) || (!renew.is_empty() && !install) {
            return Err(Broken::new("parts.renew must name kinds in tokens, and needs install"));
        }
        Ok(())
    }
}

fn is_good_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

fn leak(text: &str) -> &'static str {
    text.to_owned().leak()
}

fn leak_kind(kind: &TokenKind) -> token::TokenKind {
    token::TokenKind {
        name: leak(&kind.name),
        usage: TokenUse::Reveal,
        origin: kind.origin,
        lifetime: kind.lifetime.map(|seconds| Duration::from_secs(seconds.into())),
    }
}

fn leak_rate(rate: &Rate) -> descriptor::Rate {
    descriptor::Rate { name: leak(&rate.name), per: rate.per, per_second: rate.per_second, burst: rate.burst }
}

/// A PNG alone: an SVG can hold a script.
fn leak_icon(icon: &str) -> Result<descriptor::Icon, Broken> {
    let is_png = |bytes: &Vec<u8>| bytes.len() <= MAX_ICON && bytes.starts_with(b"\x89PNG\r\n\x1a\n");
    let bytes = crypto::base64_decode(icon).filter(is_png);
    let bytes = bytes.ok_or_else(|| Broken::new("icon_png must be a PNG of at most 64 KiB, in base64"))?;
    Ok(descriptor::Icon { media_type: "image/png", bytes: bytes.leak() })
}

/// The stream of a remote backend's address, read without asking it: an object whose `key` is
/// the conversation's key, and whose `rate`, if it is there, names a rate. All else in it is
/// the backend's own.
///
/// # Errors
/// An address of another form.
pub fn stream_of(address: &Address, backend: &descriptor::Descriptor) -> Result<StreamKey, Failure> {
    let refuse = |detail: &str| Failure::new(Cause::ChannelNotFound, detail);
    let key = address.0.get("key").and_then(serde_json::Value::as_str).unwrap_or_default();
    bounds::name("key", key, MAX_KEY).map_err(|broken| refuse(&format!("the address: {broken}")))?;
    bounds::json("the address", &address.0, MAX_ADDRESS).map_err(|broken| refuse(&broken.to_string()))?;
    let rate = match address.0.get("rate") {
        Some(name) => name.as_str().and_then(|name| backend.rate(name)),
        None => backend.rates.first(),
    };
    let rate = rate.ok_or_else(|| refuse("the address names a rate that the backend doesn't have"))?;
    Ok(StreamKey { key: key.to_owned(), rate: rate.name })
}
