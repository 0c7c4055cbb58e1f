//! What people are told. One place, so that the two ways in say the same.

use chatport_sdk::prelude::*;

use crate::{commands, settings::Settings};

/// Said of a button that isn't (or is no longer) ours, and of presses that can't be proven:
/// the two look alike.
pub(super) const NOT_ACTIVE: &str = "This button isn't active any more.";
/// Said when nothing could be stored.
pub(super) const NOT_RECORDED: &str = "This was not recorded. Please try again.";

/// What came of a command, in words, and whether it went well.
pub(super) struct Said {
    pub(super) well: bool,
    pub(super) text: String,
}

fn said(well: bool, text: impl Into<String>) -> Said {
    Said { well, text: text.into() }
}

/// The command, as people type it.
pub(super) fn command(site: &Site) -> String {
    Settings::of(site).map(|settings| settings.command(site.app_name())).unwrap_or_default()
}

/// How to link oneself.
pub(super) fn how_to_link(site: &Site) -> String {
    let (app, command) = (site.app_name(), command(site));
    format!("You aren't linked to {app}. Ask {app} for a code and run `/{command} link CODE`.")
}

/// What to say of an outcome to the person who ran a command.
pub(super) fn of_outcome(site: &Site, happening: &Happening, outcome: &Outcome) -> Said {
    let app = site.app_name();
    match outcome {
        Outcome::Linked { purpose: Purpose::User, name } => {
            said(true, format!("You are linked to user **{name}** of {app}."))
        }
        Outcome::Linked { purpose: Purpose::Channel, name } => {
            said(true, format!("The channel **{name}** is linked to {app}."))
        }
        Outcome::CodeRefused(refusal) => said(false, of_refusal(site, *refusal)),
        Outcome::Unlinked { was_linked: true } => said(true, format!("You aren't linked to {app} any more.")),
        Outcome::Unlinked { was_linked: false } => said(true, format!("You weren't linked to {app}.")),
        Outcome::Pressed(answer) => said(!answer.refused, answer.notice.clone().unwrap_or_else(|| "Recorded.".into())),
        Outcome::NotLinked => said(false, how_to_link(site)),
        Outcome::NotOurs => said(false, "This command isn't in use any more."),
        Outcome::Installed => said(true, of_install(site)),
        Outcome::InstallRefused => said(
            false,
            format!("The time for installing is over. Start setup in {app} again, then repeat the command."),
        ),
        Outcome::InstalledByAnother { present } => said(
            false,
            format!(
                "This app is installed by another bot ({present}), to which links and channels belong. Enable that bot \
                 and install again, or start setup in {app} anew, as an installation of its own."
            ),
        ),
        Outcome::Duplicate { same_content: true, first: Some(first) } => of_outcome(site, happening, first),
        Outcome::Duplicate { same_content: true, first: None } => said(true, "This is being worked on already."),
        Outcome::Duplicate { same_content: false, .. } => said(false, "Please try that once more."),
        Outcome::Recorded => match happening.kind {
            HappeningKind::Commanded { .. } => said(true, commands::help(&command(site), app)),
            _ => said(true, "Recorded."),
        },
        _ => said(false, NOT_RECORDED),
    }
}

fn of_refusal(site: &Site, refusal: CodeRefusal) -> String {
    let (app, command) = (site.app_name(), command(site));
    match refusal {
        CodeRefusal::TooManyAttempts => "Too many attempts. Wait ten minutes, then try a new code.".into(),
        CodeRefusal::SeenByOthers => format!("Others could read that code, so it is void. Ask {app} for a new one."),
        CodeRefusal::NeedsChannel => {
            "This code is for a channel. Run the command in the channel that is to be linked. The bot must be in its team; \
             if the channel is private, invite the bot first. An archived channel can't be linked."
                .into()
        }
        CodeRefusal::AlreadyLinked => {
            format!("You, or this user of {app}, are linked already. Run `/{command} unlink` first, or unlink in {app}.")
        }
        _ => format!("This code isn't valid, or not any more. Ask {app} for a new one."),
    }
}

fn of_install(site: &Site) -> String {
    let (app, command) = (site.app_name(), command(site));
    format!(
        "{app} is connected. People link themselves with `/{command} link CODE`; add its bot to the teams, and invite it \
         to the private channels, that it is to post in."
    )
}
