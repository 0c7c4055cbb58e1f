//! Outcomes as they are kept with their happening, so that a repetition gets the first
//! answer. What a press showed isn't kept: the message may have moved on since.

use chatport_sdk::{
    happening::{CodeRefusal, Outcome, PressAnswer},
    verification::Purpose,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
enum Stored {
    Recorded,
    Linked { purpose: Purpose, name: String },
    CodeRefused { why: CodeRefusal },
    Unlinked { was_linked: bool },
    Pressed { notice: Option<String>, refused: bool },
    NotLinked,
    NotOurs,
    Installed,
    InstallRefused,
    InstalledByAnother { present: String },
}

/// As it is kept; `None` for what isn't kept.
pub fn store(outcome: &Outcome) -> Option<Value> {
    let stored = match outcome {
        Outcome::Recorded => Stored::Recorded,
        Outcome::Linked { purpose, name } => Stored::Linked { purpose: *purpose, name: name.clone() },
        Outcome::CodeRefused(why) => Stored::CodeRefused { why: *why },
        Outcome::Unlinked { was_linked } => Stored::Unlinked { was_linked: *was_linked },
        Outcome::Pressed(answer) => Stored::Pressed { notice: answer.notice.clone(), refused: answer.refused },
        Outcome::NotLinked => Stored::NotLinked,
        Outcome::NotOurs => Stored::NotOurs,
        Outcome::Installed => Stored::Installed,
        Outcome::InstallRefused => Stored::InstallRefused,
        Outcome::InstalledByAnother { present } => Stored::InstalledByAnother { present: present.clone() },
        _ => return None,
    };
    serde_json::to_value(stored).ok()
}

/// Read back what is kept.
pub fn load(stored: &Value) -> Option<Outcome> {
    Some(match Stored::deserialize(stored).ok()? {
        Stored::Recorded => Outcome::Recorded,
        Stored::Linked { purpose, name } => Outcome::Linked { purpose, name },
        Stored::CodeRefused { why } => Outcome::CodeRefused(why),
        Stored::Unlinked { was_linked } => Outcome::Unlinked { was_linked },
        Stored::Pressed { notice, refused } => {
            let mut answer = PressAnswer::notice(notice);
            answer.refused = refused;
            Outcome::Pressed(answer)
        }
        Stored::NotLinked => Outcome::NotLinked,
        Stored::NotOurs => Outcome::NotOurs,
        Stored::Installed => Outcome::Installed,
        Stored::InstallRefused => Outcome::InstallRefused,
        Stored::InstalledByAnother { present } => Outcome::InstalledByAnother { present },
    })
}

/// A short name, for counting.
pub fn name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Recorded => "recorded",
        Outcome::Linked { .. } => "linked",
        Outcome::CodeRefused(_) => "code_refused",
        Outcome::Unlinked { .. } => "unlinked",
        Outcome::Pressed(_) => "pressed",
        Outcome::NotLinked => "not_linked",
        Outcome::Refreshed(_) => "refreshed",
        Outcome::NotOurs => "not_ours",
        Outcome::Installed => "installed",
        Outcome::InstallRefused => "install_refused",
        Outcome::InstalledByAnother { .. } => "installed_by_another",
        Outcome::Duplicate { same_content: true, .. } => "duplicate",
        Outcome::Duplicate { .. } => "duplicate_refused",
        Outcome::Unavailable => "unavailable",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_outcome_comes_back_as_it_was() {
        let mut refused = PressAnswer::notice(Some("no".into()));
        refused.refused = true;
        let outcomes = [
            Outcome::Recorded,
            Outcome::Linked { purpose: Purpose::User, name: "Ann".into() },
            Outcome::CodeRefused(CodeRefusal::NeedsChannel),
            Outcome::Unlinked { was_linked: true },
            Outcome::Pressed(refused),
            Outcome::NotLinked,
            Outcome::NotOurs,
            Outcome::Installed,
            Outcome::InstallRefused,
            Outcome::InstalledByAnother { present: "@bot".into() },
        ];
        for outcome in outcomes {
            let back = store(&outcome).as_ref().and_then(load);
            assert_eq!(format!("{back:?}"), format!("{:?}", Some(&outcome)));
        }
    }

    #[test]
    fn what_was_not_stored_is_not_kept_either() {
        assert_eq!(store(&Outcome::Unavailable), None);
    }
}
