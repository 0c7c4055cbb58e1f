//! A strict profile of JSON Web Tokens (RFC 7519) signed with HS256. The usual libraries
//! take more than a platform ever sends; here the form is checked before the signature.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{crypto, secret::Secret, time::Timestamp};

/// Longest token that is looked at, in bytes.
pub const MAX_TOKEN: usize = 4_096;

/// A verified token.
#[derive(Clone, Debug)]
pub struct Verified<C> {
    /// Its claims.
    pub claims: C,
    /// When it runs out.
    pub expires_at: Timestamp,
    /// SHA-256 of the signing input, in hex: the same token has the same digest.
    pub digest: String,
    /// Which of the keys signed it.
    pub key: usize,
}

/// Why a token is refused. Callers all get the same answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwtError {
    /// Too long, not three canonical base64url segments, or a header that isn't
    /// `{"alg":"HS256"}` with an optional `"typ":"JWT"`.
    #[error("the token's form is not allowed")]
    Form,
    /// No key made this signature.
    #[error("the signature is wrong")]
    Signature,
    /// The claims aren't of the expected shape, or there is no `exp`.
    #[error("the claims are not as expected")]
    Claims,
    /// `exp` is in the past.
    #[error("the token has expired")]
    Expired,
    /// `exp` is further ahead than the issuer ever puts it.
    #[error("the token's expiry is too far ahead")]
    TooFarAhead,
}

/// When `exp` may be, in seconds from now: `earliest..=latest`.
#[derive(Clone, Copy, Debug)]
pub struct ExpiryWindow {
    /// At least this far ahead (negative: leeway after expiry).
    pub earliest: i64,
    /// At most this far ahead.
    pub latest: i64,
}

/// Verify an HS256 token against `keys`; empty keys never match.
///
/// With no usable key the same work is done with a key that nobody has, so that callers
/// can't tell.
///
/// # Errors
/// The first rule that the token breaks.
pub fn verify_hs256<C: DeserializeOwned>(
    token: &str,
    keys: &[Secret],
    now: Timestamp,
    window: ExpiryWindow,
) -> Result<Verified<C>, JwtError> {
    let signing_input = check_form(token)?;
    let mut validation = Validation::new(Algorithm::HS256);
    // `exp` is checked below, against the caller's clock and window.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();

    let mut found: Option<(usize, Value)> = None;
    let usable = keys.iter().enumerate().filter(|(_, key)| !key.is_empty());
    for (number, key) in usable {
        let key = DecodingKey::from_secret(key.expose().as_bytes());
        if let Ok(decoded) = jsonwebtoken::decode::<Value>(token, &key, &validation) {
            found = Some((number, decoded.claims));
        }
    }
    if keys.iter().all(Secret::is_empty) {
        let nobody = DecodingKey::from_secret(&crypto::sha256(signing_input.as_bytes()));
        let _ = jsonwebtoken::decode::<Value>(token, &nobody, &validation);
    }
    let (key, claims) = found.ok_or(JwtError::Signature)?;

    let exp = claims.get("exp").and_then(Value::as_i64).ok_or(JwtError::Claims)?;
    let ahead = exp.saturating_sub(now.as_seconds());
    if ahead < window.earliest {
        return Err(JwtError::Expired);
    }
    if ahead > window.latest {
        return Err(JwtError::TooFarAhead);
    }
    Ok(Verified {
        claims: serde_json::from_value(claims).map_err(|_| JwtError::Claims)?,
        expires_at: Timestamp::from_seconds(exp),
        digest: crypto::hex(&crypto::sha256(signing_input.as_bytes())),
        key,
    })
}

/// Check everything that can be checked without a key; the answer is the signing input.
fn check_form(token: &str) -> Result<&str, JwtError> {
    if token.len() > MAX_TOKEN || !token.is_ascii() {
        return Err(JwtError::Form);
    }
    let segments: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = segments[..] else { return Err(JwtError::Form) };
    let header = crypto::base64url_decode(header).ok_or(JwtError::Form)?;
    let payload = crypto::base64url_decode(payload).ok_or(JwtError::Form)?;
    crypto::base64url_decode(signature).filter(|mac| mac.len() == 32).ok_or(JwtError::Form)?;

    let header: Value = serde_json::from_slice(&header).map_err(|_| JwtError::Form)?;
    let members = header.as_object().ok_or(JwtError::Form)?;
    let known = members.iter().all(|(name, value)| match name.as_str() {
        "alg" => value == "HS256",
        "typ" => value == "JWT",
        _ => false,
    });
    if !known || !members.contains_key("alg") || serde_json::from_slice::<Value>(&payload).is_err() {
        return Err(JwtError::Form);
    }
    token.rsplit_once('.').map(|(input, _)| input).ok_or(JwtError::Form)
}
