//! Where events go: a name, a URL, the wanted kinds and the signing secrets.

use super::EventKind;

/// Whether a subscription with these stored kinds wants `kind`. No kinds means all.
pub(super) fn wants(kinds: &str, kind: EventKind) -> bool {
    kinds.is_empty() || kinds.split(' ').any(|wanted| wanted == kind.as_str())
}
