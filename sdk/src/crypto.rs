//! The few cryptographic operations that platforms ask for, over the one provider that the
//! host uses too. Nothing here makes or keeps keys.

use aws_lc_rs::{constant_time, digest, hmac, signature};
use base64::{Engine, engine::general_purpose};

/// SHA-256 of `data`.
pub fn sha256(data: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, data).as_ref());
    out
}

/// HMAC-SHA-256 of `data` under `key`.
///
/// ```
/// use chatport_sdk::crypto;
///
/// // A request as many platforms sign it: the body, by a secret that both know.
/// let expected = crypto::hex(&crypto::hmac_sha256(b"secret", b"{}"));
/// let presented = "the header of the request";
/// assert!(!crypto::constant_time_eq(expected.as_bytes(), presented.as_bytes()));
/// ```
pub fn hmac_sha256(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data).as_ref());
    out
}

/// Compare two byte strings; the time doesn't depend on their content.
pub fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(left, right).is_ok()
}

/// Whether `signature` (ASN.1 DER) is the ECDSA P-256 signature over SHA-256 of `message`
/// by the key in `public_key`, a DER SubjectPublicKeyInfo (RFC 5480).
pub fn ecdsa_p256_sha256_verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = signature::ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_ASN1, public_key) else {
        return false;
    };
    key.verify_sig(message, signature).is_ok()
}

/// Lower-case hexadecimal.
pub fn hex(data: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    data.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| DIGITS[usize::from(digit)]).collect()
}

/// Base64url without padding (RFC 4648 §5).
pub fn base64url(data: &[u8]) -> String {
    general_purpose::URL_SAFE_NO_PAD.encode(data)
}

/// Decode base64url without padding; `None` unless canonical.
pub fn base64url_decode(text: &str) -> Option<Vec<u8>> {
    general_purpose::URL_SAFE_NO_PAD.decode(text).ok()
}

/// Decode standard base64 with padding (RFC 4648 §4); `None` unless canonical.
pub fn base64_decode(text: &str) -> Option<Vec<u8>> {
    general_purpose::STANDARD.decode(text).ok()
}

/// Standard base64 with padding.
pub fn base64(data: &[u8]) -> String {
    general_purpose::STANDARD.encode(data)
}
