//! RSA keys, and tokens signed by them. Making a key takes long, so a process makes few and all
//! stand-ins in it share them.

use std::sync::{LazyLock, Mutex, PoisonError};

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

static MADE: LazyLock<Mutex<Vec<&'static RsaKeyPair>>> = LazyLock::new(Mutex::default);

/// A key of this process.
#[derive(Clone, Copy, Debug)]
pub struct Key(&'static RsaKeyPair);

impl Key {
    /// The process's key of this number; the same number is the same key.
    pub fn number(number: usize) -> Self {
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        while made.len() <= number {
            let key = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key can be made");
            made.push(Box::leak(Box::new(key)));
        }
        Self(made[number])
    }

    /// The public half as a JSON Web Key.
    pub fn jwk(&self, id: &str) -> Value {
        let public = self.0.public_key();
        let modulus = public.modulus().big_endian_without_leading_zero().to_vec();
        let exponent = public.exponent().big_endian_without_leading_zero().to_vec();
        json!({ "kty": "RSA", "use": "sig", "kid": id, "x5t": id, "n": base64url(&modulus), "e": base64url(&exponent) })
    }

    /// What stands for a certificate, with its key, as PEM, and the certificate's bytes: they hold
    /// the public key, which is all that is looked at.
    pub fn certificate(&self) -> (String, Vec<u8>) {
        let certificate = [&b"a certificate of "[..], self.0.public_key().as_ref()].concat();
        let key: Pkcs8V1Der<'_> = self.0.as_der().expect("a key of our own");
        let block = |label: &str, content: &[u8]| {
            format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(content))
        };
        (block("CERTIFICATE", &certificate) + &block("PRIVATE KEY", key.as_ref()), certificate)
    }

    /// A token with this header and these claims.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let segment = |value: &Value| base64url(value.to_string().as_bytes());
        let input = format!("{}.{}", segment(header), segment(claims));
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input.as_bytes(), &mut signature).expect("the key signs");
        format!("{input}.{}", base64url(&signature))
    }
}

/// Public keys, as they are published.
#[derive(Clone, Debug)]
pub struct KeySet(Value);

impl KeySet {
    /// The keys of a JSON Web Key Set.
    pub fn new(set: Value) -> Self {
        Self(set)
    }

    /// The claims of a token that one of the keys has signed with RS256.
    pub fn verify(&self, token: &str) -> Option<Value> {
        let (input, signature) = token.rsplit_once('.')?;
        let (header, claims) = input.split_once('.')?;
        let header: Value = serde_json::from_slice(&decoded(header)?).ok()?;
        if header["alg"] != "RS256" {
            return None;
        }
        let key = self.0["keys"].as_array()?.iter().find(|key| key["kid"] == header["kid"])?;
        let (n, e) = (decoded(key["n"].as_str()?)?, decoded(key["e"].as_str()?)?);
        let key = RsaPublicKeyComponents { n: &n[..], e: &e[..] };
        key.verify(&RSA_PKCS1_2048_8192_SHA256, input.as_bytes(), &decoded(signature)?).ok()?;
        serde_json::from_slice(&decoded(claims)?).ok()
    }
}

pub(crate) fn base64url(data: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(data)
}

pub(crate) fn decoded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
