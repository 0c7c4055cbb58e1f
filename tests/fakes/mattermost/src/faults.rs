//! Faults on demand: tests say which requests go wrong, how, and how often.

use std::time::Duration;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// One of the recorded error answers, by its name in `errors.json`; nothing is done.
    Error(String),
    /// Any status and text; nothing is done.
    Status(u16, String),
    /// The server's "too many requests" answer; nothing is done.
    RateLimited {
        /// Seconds in `Retry-After`.
        retry_after: u64,
    },
    /// Nothing is done and no answer ever comes.
    Stall,
    /// The request is carried out, then the connection closes without an answer.
    LoseAnswer,
    /// The connection closes before anything is done.
    CutBefore,
    /// The request takes this long. A new post is being made meanwhile, so a twin of it is refused.
    Delay(Duration),
    /// The request is carried out, and the connection closes in the middle of the answer's body.
    HalfBody,
}

/// Which requests go wrong.
#[derive(Debug, Clone)]
pub struct FaultRule {
    /// Method in capitals, or `*`.
    pub method: String,
    /// Path below the site URL, e.g. `/api/v4/posts`; `*` stands for any characters.
    pub path: String,
    /// How often; `None` for ever.
    pub times: Option<u32>,
    /// What goes wrong.
    pub kind: FaultKind,
}

impl FaultRule {
    /// A rule that holds once.
    pub fn once(method: &str, path: &str, kind: FaultKind) -> Self {
        Self::times(1, method, path, kind)
    }

    /// A rule that holds some times.
    pub fn times(times: u32, method: &str, path: &str, kind: FaultKind) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), times: Some(times), kind }
    }

    /// A rule that holds until the faults are cleared.
    pub fn always(method: &str, path: &str, kind: FaultKind) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), times: None, kind }
    }
}

/// The rules in force, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<FaultRule>,
}

impl Faults {
    /// Adds a rule.
    pub(crate) fn add(&mut self, rule: FaultRule) {
        self.rules.push(rule);
    }

    /// Drops all rules.
    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// The fault for a request, if a rule matches; counts it.
    pub(crate) fn take(&mut self, method: &str, path: &str) -> Option<FaultKind> {
        let at = self.rules.iter().position(|rule| {
            rule.times != Some(0) && (rule.method == "*" || rule.method == method) && matches(&rule.path, path)
        })?;
        let rule = &mut self.rules[at];
        let kind = rule.kind.clone();
        if let Some(times) = &mut rule.times {
            *times -= 1;
        }
        self.rules.retain(|rule| rule.times != Some(0));
        Some(kind)
    }
}

/// Whether the text fits the pattern, in which `*` stands for any characters.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(text) = text.strip_prefix(head) else {
        return false;
    };
    (0..=text.len()).any(|skip| text.is_char_boundary(skip) && matches(rest, &text[skip..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(matches("/api/v4/posts", "/api/v4/posts"));
        assert!(!matches("/api/v4/posts", "/api/v4/posts/1"));
        assert!(matches("/api/v4/posts/*/patch", "/api/v4/posts/1/patch"));
        assert!(matches("*", "/anything"));
        assert!(!matches("/a*b", "/abc"));
    }

    #[test]
    fn rules_count_down() {
        let mut faults = Faults::default();
        faults.add(FaultRule::times(2, "POST", "/x", FaultKind::Stall));
        assert_eq!(faults.take("GET", "/x"), None);
        assert_eq!(faults.take("POST", "/x"), Some(FaultKind::Stall));
        assert_eq!(faults.take("POST", "/x"), Some(FaultKind::Stall));
        assert_eq!(faults.take("POST", "/x"), None);
    }
}
