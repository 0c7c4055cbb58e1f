//! Random identifiers of the shape the platform uses: 26 characters of `[a-z0-9]`.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// The 32 characters an identifier is made of.
const ALPHABET: &[u8; 32] = b"ybndrfg8ejkmcpqxot1uwisza345h769";

/// Length of every identifier and token.
const LENGTH: usize = 26;

/// Makes a new random identifier.
pub(crate) fn new_id() -> String {
    let mut bytes = [0u8; LENGTH];
    SystemRandom::new().fill(&mut bytes).expect("the operating system gives random bytes");
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect()
}

/// Whether `text` has the shape of an identifier, as the server's route parameters ask for.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_shape_and_differ() {
        let (one, two) = (new_id(), new_id());
        assert!(is_id(&one) && is_id(&two));
        assert_ne!(one, two);
        assert!(one.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
        assert!(!is_id("short") && !is_id("12345678901234567890123_56"));
    }
}
