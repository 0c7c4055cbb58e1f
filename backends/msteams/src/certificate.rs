//! A certificate with its private key, as a person pastes it: PEM, in any order, its line breaks
//! possibly lost. It signs the assertion that stands for a client secret (RFC 7523).
//! <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>

use std::time::Duration;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use chatport_sdk::{crypto, prelude::*};
use serde_json::json;

/// How long an assertion is good.
const LIFETIME: Duration = Duration::from_secs(5 * 60);

/// A certificate and its key. Its debug form shows nothing.
pub(crate) struct Certificate {
    key: RsaKeyPair,
    /// SHA-256 of the certificate, base64url.
    thumbprint: String,
}

impl Certificate {
    /// Read both from PEM.
    ///
    /// # Errors
    /// What is missing, in words.
    pub(crate) fn read(pem: &Secret) -> Result<Self, &'static str> {
        let blocks = blocks(pem.expose());
        let find = |label: &str| blocks.iter().find(|(found, _)| *found == label).map(|(_, der)| der.as_slice());
        let key = match (find("PRIVATE KEY"), find("RSA PRIVATE KEY")) {
            (Some(pkcs8), _) => RsaKeyPair::from_pkcs8(pkcs8),
            (None, Some(pkcs1)) => RsaKeyPair::from_der(pkcs1),
            (None, None) => return Err("has no private key in PEM (`-----BEGIN PRIVATE KEY-----`), not encrypted"),
        };
        let key = key.map_err(|_| "has a private key that isn't an RSA key of 2,048 bits or more")?;
        let certificate = find("CERTIFICATE").ok_or("has no certificate in PEM (`-----BEGIN CERTIFICATE-----`)")?;
        // The public key stands in a certificate as it is (RFC 5280 §4.1.2.7, RFC 8017 §A.1.1).
        let public = key.public_key().as_ref();
        if !certificate.windows(public.len()).any(|window| window == public) {
            return Err("has a private key that isn't that of its first certificate");
        }
        Ok(Self { thumbprint: crypto::base64url(&crypto::sha256(certificate)), key })
    }

    /// An assertion by which the app `app_id` asks for a token at `token_url`.
    ///
    /// # Errors
    /// The key can't sign.
    pub(crate) fn assertion(&self, site: &Site, app_id: &str, token_url: &Url) -> Result<Secret, Failure> {
        let header = json!({ "alg": "RS256", "typ": "JWT", "x5t#S256": self.thumbprint });
        let (now, id) = (site.now(), crypto::hex(&site.random::<16>()));
        let claims = json!({
            "aud": token_url.as_str(), "iss": app_id, "sub": app_id, "jti": id,
            "nbf": now.as_seconds(), "exp": now.plus(LIFETIME).as_seconds(),
        });
        let segment = |value: &serde_json::Value| crypto::base64url(value.to_string().as_bytes());
        let input = format!("{}.{}", segment(&header), segment(&claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        let signed = self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature);
        signed.map_err(|_| Failure::new(Cause::Unauthorized, "the certificate's key can't sign"))?;
        Ok(Secret::new(format!("{input}.{}", crypto::base64url(&signature))))
    }
}

/// The blocks of a PEM text (RFC 7468): label and content.
fn blocks(pem: &str) -> Vec<(&str, Vec<u8>)> {
    let mut found = Vec::new();
    let mut rest = pem;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let Some((label, after)) = after.split_once("-----") else { break };
        let Some((body, after)) = after.split_once("-----END ") else { break };
        let body: String = body.split_whitespace().collect();
        found.extend(crypto::base64_decode(&body).map(|der| (label, der)));
        rest = after;
    }
    found
}
