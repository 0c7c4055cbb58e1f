//! The marker that the driver puts into each message and the platform finds in each post:
//! which run, which message, when it was sent. Only letters and digits, so that it passes
//! through every rendering unchanged.

use std::fmt;

use jiff::Timestamp;

const START: &[u8] = b"bm";

/// A marker; its text is `bm<run>x<number>x<microseconds>z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The run, see [`new_run`], so that a straggler of an earlier one isn't counted.
    pub run: u64,
    /// The message's number, from 0.
    pub number: u64,
    /// When it was to be sent, in microseconds since 1970.
    pub sent: u64,
}

impl Marker {
    /// The first marker in a body.
    pub fn find(body: &[u8]) -> Option<Self> {
        let starts = body.windows(START.len()).enumerate().filter(|(_, window)| *window == START);
        starts.map(|(at, _)| &body[at + START.len()..]).find_map(Self::read)
    }

    fn read(text: &[u8]) -> Option<Self> {
        let (run, rest) = number(text, b'x')?;
        let (number_, rest) = number(rest, b'x')?;
        let (sent, _) = number(rest, b'z')?;
        Some(Self { run, number: number_, sent })
    }
}

/// Digits up to `end`, and what follows.
fn number(text: &[u8], end: u8) -> Option<(u64, &[u8])> {
    let length = text.iter().position(|byte| !byte.is_ascii_digit())?;
    let value = std::str::from_utf8(&text[..length]).ok()?.parse().ok()?;
    (text[length] == end).then(|| (value, &text[length + 1..]))
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bm{}x{}x{}z", self.run, self.number, self.sent)
    }
}

/// A number for this run of this process. Two drivers that start side by side may do so within
/// one microsecond, and would put the same messages.
pub fn new_run() -> u64 {
    now() % 1_000_000_000 * 10_000_000 + u64::from(std::process::id())
}

/// Now, in microseconds since 1970. Driver and platform run on one machine, so both read
/// the same clock.
pub fn now() -> u64 {
    u64::try_from(Timestamp::now().as_microsecond()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_found_again_in_whatever_is_around_it() {
        let marker = Marker { run: 7, number: 0, sent: 1_700_000_000_000_001 };
        let body = format!("{{\"text\":\"bm bm1x bm2x3z **{marker}** and {marker}\"}}");
        assert_eq!(Marker::find(body.as_bytes()), Some(marker));
    }

    #[test]
    fn a_cut_marker_is_none() {
        for text in ["", "bm", "bm1x2x3", "bm1x2xz", "bm1y2x3z"] {
            assert_eq!(Marker::find(text.as_bytes()), None, "{text}");
        }
    }
}
