//! The connector's tokens: JSON Web Tokens (RFC 7519) signed with RS256. The form is checked
//! first, then whom the token is for, then the signature, then what it says.
//! <https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication#step-4-verify-the-jwt-token>

use chatport_sdk::{crypto, prelude::*};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

/// Longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 8_192;
/// Longest name of a key.
const MAX_KEY_ID: usize = 256;
/// How far the clocks may be apart, in seconds.
const SKEW: i64 = 5 * 60;

/// Why a token is refused. Callers all get the same answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenError {
    /// No `Authorization: Bearer …`.
    Missing,
    /// Too long, not three base64url segments, not RS256, no key named.
    Form,
    /// For somebody else.
    Audience,
    /// Issued by somebody else.
    Issuer,
    /// Signed by a key that the issuer doesn't publish.
    UnknownKey,
    /// The issuer's keys couldn't be had.
    NoKeys,
    /// That key didn't make this signature.
    Signature,
    /// It has run out, or never does.
    Expired,
    /// Its time hasn't come.
    NotYet,
    /// It is for calls from another service than the one that the activity names.
    ServiceUrl,
    /// The key may not be used for Teams.
    Endorsement,
}

impl TokenError {
    /// For the operator.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Missing => "token-missing",
            Self::Form => "token-form",
            Self::Audience => "token-audience",
            Self::Issuer => "token-issuer",
            Self::UnknownKey => "token-key-unknown",
            Self::NoKeys => "token-keys-unavailable",
            Self::Signature => "token-signature",
            Self::Expired => "token-expired",
            Self::NotYet => "token-not-yet-valid",
            Self::ServiceUrl => "token-service-url",
            Self::Endorsement => "token-endorsement",
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
    /// Extensions that must be understood; none are.
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

/// What a token says.
#[derive(Clone, Debug, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
    #[serde(default, rename = "serviceurl")]
    service_url: Option<String>,
}

/// One of the issuer's keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// The modulus, base64url.
    pub(crate) n: String,
    /// The exponent, base64url.
    pub(crate) e: String,
    /// The channels that it may sign for; empty: any.
    pub(crate) endorsements: Vec<String>,
}

/// A token of which nothing is proven yet.
pub(crate) struct Unproven<'a> {
    token: &'a str,
    /// The name of the key that is said to have signed it.
    pub(crate) key_id: String,
    claims: Claims,
}

/// The token of a request.
pub(crate) fn of(request: &Request) -> Result<Unproven<'_>, TokenError> {
    let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let token = token.ok_or(TokenError::Missing)?;
    read(token).ok_or(TokenError::Form)
}

fn read(token: &str) -> Option<Unproven<'_>> {
    if token.len() > MAX_TOKEN {
        return None;
    }
    let segments: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = segments[..] else { return None };
    let header: Header = serde_json::from_slice(&crypto::base64url_decode(header)?).ok()?;
    let claims: Claims = serde_json::from_slice(&crypto::base64url_decode(payload)?).ok()?;
    crypto::base64url_decode(signature)?;
    let is_good = header.alg == "RS256" && header.crit.is_none() && (1..=MAX_KEY_ID).contains(&header.kid.len());
    is_good.then_some(Unproven { token, key_id: header.kid, claims })
}

impl Unproven<'_> {
    /// Whom it claims to be for.
    pub(crate) fn audience(&self) -> &str {
        &self.claims.aud
    }

    /// Check what needs no key: the issuer.
    pub(crate) fn from(&self, issuer: &str) -> Result<(), TokenError> {
        if self.claims.iss == issuer { Ok(()) } else { Err(TokenError::Issuer) }
    }

    /// Prove it: who signed it, and that its time is now.
    pub(crate) fn prove(self, key: &Key, now: Timestamp) -> Result<Proof, TokenError> {
        let mut validation = Validation::new(Algorithm::RS256);
        // Times are checked below, against the site's clock.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let decoding = DecodingKey::from_rsa_components(&key.n, &key.e).map_err(|_| TokenError::UnknownKey)?;
        // The same bytes were read above: what is proven is what is looked at.
        jsonwebtoken::decode::<serde_json::Value>(self.token, &decoding, &validation)
            .map_err(|_| TokenError::Signature)?;
        let now = now.as_seconds();
        if self.claims.exp.saturating_add(SKEW) <= now {
            return Err(TokenError::Expired);
        }
        if self.claims.nbf.is_some_and(|from| from.saturating_sub(SKEW) > now) {
            return Err(TokenError::NotYet);
        }
        let service_url = self.claims.service_url.unwrap_or_default();
        Ok(Proof { service_url, endorsements: key.endorsements.clone() })
    }
}

/// What a proven token allows.
pub(crate) struct Proof {
    service_url: String,
    endorsements: Vec<String>,
}

impl Proof {
    /// Whether it is for calls from this service in this channel.
    pub(crate) fn covers(&self, service_url: &str, channel: &str) -> Result<(), TokenError> {
        // The two differ in a slash at the end now and then; in nothing else.
        let claimed = self.service_url.trim_end_matches('/');
        if claimed.is_empty() || claimed != service_url.trim_end_matches('/') {
            return Err(TokenError::ServiceUrl);
        }
        if !self.endorsements.is_empty() && !self.endorsements.iter().any(|endorsed| endorsed == channel) {
            return Err(TokenError::Endorsement);
        }
        Ok(())
    }
}
