//! What people are told, and how texts are made to fit. Everything said here is plain text.

use chatport_sdk::prelude::*;

/// Said of a button that isn't (or is no longer) ours.
pub(crate) const NOT_ACTIVE: &str = "This button isn't active any more.";
/// Said when nothing could be stored or proven.
pub(crate) const NOT_RECORDED: &str = "This was not recorded. Please try again.";
/// Said of a menu's button that was pressed without an entry.
pub(crate) const CHOOSE: &str = "Choose an entry first.";
const BEING_WORKED_ON: &str = "This is being worked on already.";

/// A text on one line.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most so many characters, the last one three dots where it was cut.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(most.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

/// What can be typed.
pub(crate) fn help(site: &Site) -> String {
    let app = site.app_name();
    format!(
        "I show messages of {app}. Send me \"link CODE\" in our chat to link yourself, \"unlink\" to end that; mention me \
         with \"link CODE\" in a channel or group chat to connect it. {app} makes the codes."
    )
}

/// How to link oneself.
fn how_to_link(site: &Site) -> String {
    let app = site.app_name();
    format!("You aren't linked to {app}. Ask {app} for a code and send it to me in a personal chat: link CODE")
}

/// What to say of an outcome to whoever wrote or pressed; `None`: nothing.
pub(crate) fn of_outcome(site: &Site, happening: &Happening, outcome: &Outcome) -> Option<String> {
    let app = site.app_name();
    Some(match outcome {
        Outcome::Linked { purpose: Purpose::User, name } => format!("You are linked to user {name} of {app}."),
        Outcome::Linked { purpose: Purpose::Channel, name } => {
            format!("{} is connected to {app}.", if name.is_empty() { "This conversation" } else { name })
        }
        Outcome::CodeRefused(refusal) => of_refusal(site, *refusal),
        Outcome::Unlinked { was_linked: true } => format!("You aren't linked to {app} any more."),
        Outcome::Unlinked { was_linked: false } => format!("You weren't linked to {app}."),
        Outcome::Pressed(answer) => {
            let refused = answer.refused.then(|| "You can't do that.".to_owned());
            answer.notice.clone().or(refused)?
        }
        Outcome::NotLinked => how_to_link(site),
        // What was said wasn't below a message of ours: the application has heard it all the same.
        Outcome::NotOurs if matches!(happening.kind, HappeningKind::SaidInThread { .. }) => help(site),
        Outcome::NotOurs => NOT_ACTIVE.into(),
        Outcome::Duplicate { same_content: true, first: Some(first) } => return of_outcome(site, happening, first),
        Outcome::Duplicate { same_content: true, first: None } => BEING_WORKED_ON.into(),
        Outcome::Duplicate { .. } => NOT_ACTIVE.into(),
        Outcome::Recorded => match happening.kind {
            HappeningKind::Commanded { .. } => help(site),
            _ => return None,
        },
        _ => NOT_RECORDED.into(),
    })
}

fn of_refusal(site: &Site, refusal: CodeRefusal) -> String {
    let app = site.app_name();
    match refusal {
        CodeRefusal::TooManyAttempts => "Too many attempts. Wait ten minutes, then try a new code.".into(),
        CodeRefusal::SeenByOthers => format!("Others could read that code, so it is void. Ask {app} for a new one."),
        CodeRefusal::NeedsChannel => {
            "This code is for a channel: mention me with it in the channel or group chat that is to be connected."
                .into()
        }
        CodeRefusal::AlreadyLinked => {
            format!("You, or this user of {app}, are linked already. Send unlink first, or unlink in {app}.")
        }
        _ => format!("This code isn't valid, or not any more. Ask {app} for a new one."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(cut("ééé", 3), "ééé");
        assert_eq!(cut("éééé", 3), "éé…");
    }
}
