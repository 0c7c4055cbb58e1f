//! The tokens of one installation, in memory.

use super::dice::Slot;
use crate::{
    site::Vault,
    time::Timestamp,
    token::{NewToken, Replace, Token, TokenKind, TokenUse},
};

#[derive(Debug)]
struct Stored {
    kind: &'static str,
    token: Token,
    /// Not in use before the platform has shown that it uses it.
    waits: bool,
}

/// A vault that keeps to what the descriptor declares: a kind that is only compared is never
/// given back.
#[derive(Debug)]
pub struct MemoryVault {
    kinds: Vec<TokenKind>,
    stored: Slot<Vec<Stored>>,
}

impl MemoryVault {
    /// An empty vault for tokens of these kinds.
    pub fn new(kinds: &[TokenKind]) -> Self {
        Self { kinds: kinds.to_vec(), stored: Slot::default() }
    }

    /// Store a token, as the host does.
    ///
    /// # Errors
    /// The kind isn't declared, or the value is empty.
    pub fn store(&self, new: NewToken, now: Timestamp) -> Result<(), String> {
        if !self.kinds.iter().any(|kind| kind.name == new.kind) {
            return Err(format!("the token kind `{}` isn't declared in the descriptor", new.kind));
        }
        if new.value.is_empty() {
            return Err(format!("a token of kind `{}` is empty", new.kind));
        }
        self.stored.with(|stored| {
            let mut others = 0;
            stored.retain(|other| {
                if other.kind != new.kind {
                    return true;
                }
                let is_same = new.value.matches(other.token.value.expose().as_bytes());
                match new.replace {
                    Replace::All => false,
                    Replace::SameLabel => other.token.label != new.label,
                    Replace::AfterGrace => {
                        others += usize::from(!is_same && !other.waits);
                        !is_same && !other.waits && others == 1
                    }
                    Replace::OnceConfirmed => !other.waits,
                }
            });
            let token = Token { value: new.value, label: new.label, created_at: now, expires_at: new.expires_at };
            let waits = new.replace == Replace::OnceConfirmed;
            let place = if waits { stored.len() } else { 0 };
            stored.insert(place, Stored { kind: new.kind, token, waits });
        });
        Ok(())
    }

    /// The values of all tokens, to look for where none may stand.
    pub fn values(&self) -> Vec<String> {
        self.named().into_iter().map(|(_, value)| value).collect()
    }
}

impl MemoryVault {
    /// The tokens by their kinds, the one in use first.
    pub fn named(&self) -> Vec<(String, String)> {
        let pair = |stored: &Stored| (stored.kind.to_owned(), stored.token.value.expose().to_owned());
        self.stored.with(|stored| stored.iter().map(pair).collect())
    }
}

impl Vault for MemoryVault {
    fn tokens(&self, kind: &str) -> Vec<Token> {
        if !self.kinds.iter().any(|known| known.name == kind && known.usage == TokenUse::Reveal) {
            return Vec::new();
        }
        self.stored.with(|stored| {
            stored.iter().filter(|stored| stored.kind == kind).map(|stored| stored.token.clone()).collect()
        })
    }

    fn matches(&self, kind: &str, presented: &[u8]) -> Option<String> {
        self.stored.with(|stored| {
            let found = stored.iter().find(|stored| stored.kind == kind && stored.token.value.matches(presented));
            found.map(|stored| stored.token.label.clone().unwrap_or_default())
        })
    }
}
