//! Commands that people type, declared by the application and made known to the platform.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    async_trait,
    content::{Allow, ContentError},
    failure::Failure,
    install::SetupError,
    site::Site,
    token::NewToken,
};

/// Most commands of an installation.
pub const MAX_COMMANDS: usize = 50;
/// Longest name, in characters.
pub const MAX_NAME: usize = 32;
/// Longest description and hint, in characters.
pub const MAX_TEXT: usize = 100;
/// Most users that a command may name.
const MAX_USERS: usize = 1_000;

/// A command as the application declares it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclaredCommand {
    /// What is typed after the slash: `[a-z][a-z0-9_-]{0,31}`.
    pub name: String,
    /// What it does: one line of at most 100 characters.
    pub description: String,
    /// What may follow the name, e.g. `[team]`; at most 100 characters, shown while typing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hint: String,
    /// Who may use it.
    #[serde(default)]
    pub allow: Allow,
}

impl DeclaredCommand {
    /// A command that whoever is linked may use.
    pub fn new(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self { name: name.into(), description: description.into(), hint: String::new(), allow: Allow::Linked }
    }
}

/// Check the limits that hold for every platform.
///
/// # Errors
/// The first violation, with a JSON pointer into the list.
pub fn check(commands: &[DeclaredCommand]) -> Result<(), ContentError> {
    let refuse = |pointer: String, detail: String| Err(ContentError { pointer, detail });
    if commands.len() > MAX_COMMANDS {
        return refuse(String::new(), format!("more than {MAX_COMMANDS} commands"));
    }
    for (index, command) in commands.iter().enumerate() {
        if !is_name(&command.name) {
            let detail = format!("must start with a letter and have 1 to {MAX_NAME} of a-z, 0-9, - and _");
            return refuse(format!("/{index}/name"), detail);
        }
        if commands[..index].iter().any(|other| other.name == command.name) {
            return refuse(format!("/{index}/name"), format!("`{}` is declared twice", command.name));
        }
        for (name, text, least) in [("description", &command.description, 1), ("hint", &command.hint, 0)] {
            let is_long_enough = text.trim().chars().count() >= least;
            if !is_long_enough || text.chars().count() > MAX_TEXT || text.contains(char::is_control) {
                let detail = format!("must be one line of {least} to {MAX_TEXT} characters");
                return refuse(format!("/{index}/{name}"), detail);
            }
        }
        if let Allow::Users(users) = &command.allow
            && users.len() > MAX_USERS
        {
            return refuse(format!("/{index}/allow/users"), format!("more than {MAX_USERS} users"));
        }
    }
    Ok(())
}

/// Whether a text can be the name of a command.
pub fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    name.len() <= MAX_NAME && name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(allowed)
}

/// Making an application's commands known to a platform. A use comes back as the happening
/// [`CommandUsed`](crate::happening::HappeningKind::CommandUsed).
///
/// ```
/// use chatport_sdk::prelude::*;
/// use serde_json::json;
///
/// struct Noticeboard;
///
/// #[async_trait]
/// impl Commands for Noticeboard {
///     async fn sync(&self, site: &Site, commands: &[DeclaredCommand]) -> Result<Synced, Failure> {
///         let names: Vec<&str> = commands.iter().map(|command| command.name.as_str()).collect();
///         let url = Url::parse("https://board.example.com/api/commands").expect("an address");
///         // The whole list at once: what isn't in it is gone.
///         let put = site.http().request("PUT".parse().expect("a method"), url);
///         let answer = put.json(&json!({ "commands": names })).repeatable().send().await?;
///         match answer.status.as_u16() {
///             200 => Ok(Synced::default()),
///             status => Err(Failure::new(Cause::Unavailable, format!("the board answered {status}"))),
///         }
///     }
/// }
/// ```
#[async_trait]
pub trait Commands: Send + Sync {
    /// Say what is wrong with commands that this platform, or this installation, can't offer.
    /// Pure: no network. Asked before they are stored.
    ///
    /// # Errors
    /// What the application can mend.
    fn check(&self, _site: &Site, _commands: &[DeclaredCommand]) -> Result<(), SetupError> {
        Ok(())
    }

    /// Make the platform offer exactly these commands: make what is missing, change what
    /// differs, take away what is left of earlier ones. No other commands of the platform are
    /// touched. With an empty list nothing of them is left. May use the network; repeatable:
    /// it is called when the commands have changed or the installation was set up anew, again
    /// after a failure, and with an empty list before the installation is removed.
    ///
    /// # Errors
    /// A failure; what was done so far stays, and the host calls again later.
    async fn sync(&self, site: &Site, commands: &[DeclaredCommand]) -> Result<Synced, Failure>;
}

/// What came of making commands known.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Synced {
    /// Tokens to store, e.g. those that the platform will send with each use.
    pub tokens: Vec<NewToken>,
    /// What could not be offered though all else is, in words for the application's people.
    pub missing: Vec<String>,
}

impl Synced {
    /// Store this token.
    pub fn token(mut self, token: NewToken) -> Self {
        self.tokens.push(token);
        self
    }

    /// This could not be offered.
    pub fn missing(mut self, what: impl Into<String>) -> Self {
        self.missing.push(what.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(commands: &[DeclaredCommand]) -> String {
        check(commands).expect_err("refused").pointer
    }

    #[test]
    fn what_every_platform_can_offer_is_accepted() {
        let mut status = DeclaredCommand::new("status", "Says how things are");
        status.hint = "[service]".into();
        assert_eq!(check(&[status, DeclaredCommand::new("on-call_2", "Says who is on call")]), Ok(()));
        assert_eq!(check(&[]), Ok(()));
    }

    #[test]
    fn the_first_violation_is_pointed_to() {
        let with = |name: &str, description: &str| DeclaredCommand::new(name, description);
        let good = || with("status", "Says how things are");
        for name in ["", "2x", "Status", "a b", "/a", "ä", &"a".repeat(33)] {
            assert_eq!(refused(&[good(), with(name, "x")]), "/1/name", "{name}");
        }
        assert_eq!(refused(&[good(), good()]), "/1/name");
        for description in ["", "  ", "two\nlines", &"x".repeat(101)] {
            assert_eq!(refused(&[with("a", description)]), "/0/description", "{description}");
        }
        let mut hinted = good();
        hinted.hint = "x".repeat(101);
        assert_eq!(refused(&[hinted]), "/0/hint");
        let many: Vec<_> = (0..=MAX_COMMANDS).map(|number| with(&format!("c{number}"), "x")).collect();
        assert_eq!(refused(&many), "");
    }
}
