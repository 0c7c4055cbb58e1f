//! Verification codes: twelve characters of Crockford's base32, 60 bits of randomness, shown
//! in groups of four. People type them from a screen, so reading one forgives case, spaces,
//! dashes and the letters that look like digits.

use chatport_sdk::{secret::Secret, site::Random};

use super::random;

/// Crockford's base32: no I, L, O and U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters in a code.
pub const LENGTH: usize = 12;
/// What is longer than this isn't a code with some spaces in it.
const LONGEST_TYPED: usize = 64;

/// A verification code.
#[derive(Clone, Debug)]
pub struct Code(Secret);

impl Code {
    /// A new one.
    pub fn generate(random: &dyn Random) -> Self {
        let bits = u64::from_be_bytes(random::bytes(random));
        let character = |place: usize| char::from(ALPHABET[(bits >> (place * 5)) as usize & 31]);
        Self(Secret::new((0..LENGTH).map(character).collect::<String>()))
    }

    /// What a person typed, if it is a code.
    pub fn parse(typed: &str) -> Option<Self> {
        if typed.len() > LONGEST_TYPED {
            return None;
        }
        let plain: String = typed.chars().filter(|c| !is_filler(*c)).map(as_digit).collect::<Option<_>>()?;
        (plain.len() == LENGTH).then(|| Self(Secret::new(plain)))
    }

    /// The code alone, as it is digested and as a deep link carries it.
    pub fn secret(&self) -> &Secret {
        &self.0
    }

    /// As it is shown to a person: `ABCD-EFGH-JKMN`.
    pub fn grouped(&self) -> Secret {
        let plain = self.0.expose();
        Secret::new(format!("{}-{}-{}", &plain[..4], &plain[4..8], &plain[8..]))
    }
}

/// Spaces, and the dashes that keyboards and chat programs make of a hyphen.
fn is_filler(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '_' | '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{200b}' | '\u{feff}')
}

fn as_digit(c: char) -> Option<char> {
    let digit = match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    (digit.is_ascii() && ALPHABET.contains(&(digit as u8))).then_some(digit)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::security::random::SystemRandom;

    struct Bits(u64);

    impl Random for Bits {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.copy_from_slice(&self.0.to_be_bytes());
        }
    }

    #[test]
    fn a_code_is_twelve_characters_in_three_groups() {
        let code = Code::generate(&Bits(u64::MAX));
        assert_eq!(code.secret().expose(), "ZZZZZZZZZZZZ");
        assert_eq!(code.grouped().expose(), "ZZZZ-ZZZZ-ZZZZ");
    }

    #[test]
    fn each_character_has_five_bits_of_its_own() {
        let codes: HashSet<String> =
            (0..60).map(|bit| Code::generate(&Bits(1 << bit)).secret().expose().to_owned()).collect();
        assert_eq!(codes.len(), 60);
        assert!(codes.iter().all(|code| code.chars().filter(|c| *c != '0').count() == 1), "{codes:?}");
    }

    #[test]
    fn every_place_of_a_code_uses_the_whole_alphabet() {
        let codes: Vec<Code> = (0..2_000).map(|_| Code::generate(&SystemRandom)).collect();
        for place in 0..LENGTH {
            let seen: HashSet<u8> = codes.iter().map(|code| code.secret().expose().as_bytes()[place]).collect();
            assert_eq!(seen.len(), 32, "place {place}");
        }
    }

    #[test]
    fn what_a_person_types_is_read_as_the_code_that_was_shown() {
        let spellings = [
            "0123-4567-89AB",
            "0123456789AB",
            "o123-4567-89ab",
            "Oi23 4567 89Ab",
            " OL23\u{2013}4567\u{2011}89ab\n",
            "oI23_4567_89aB",
        ];
        for typed in spellings {
            assert_eq!(Code::parse(typed).expect(typed).secret().expose(), "0123456789AB", "{typed:?}");
        }
    }

    #[test]
    fn what_is_shown_is_read_back() {
        let code = Code::generate(&SystemRandom);
        let read = Code::parse(code.grouped().expose()).expect("a code");
        assert_eq!(read.secret().expose(), code.secret().expose());
    }

    #[test]
    fn anything_else_is_no_code() {
        let padded = format!("0123456789AB{}", " ".repeat(100));
        for typed in
            ["", "0123-4567-89A", "0123-4567-89ABC", "0123-4567-89AU", "0123-4567-89A!", "０123456789AB", &padded]
        {
            assert!(Code::parse(typed).is_none(), "{typed:?}");
        }
    }

    #[test]
    fn a_code_cannot_be_seen_in_debug_output() {
        let code = Code::parse("0123-4567-89AB").expect("a code");
        assert!(!format!("{code:?}").contains("0123"));
    }
}
