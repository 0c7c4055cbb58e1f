//! What a test may choose about the server before it starts.

use std::time::Duration;

/// Rule for direct messages between people who share no team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RestrictDm {
    /// Anybody may write to anybody.
    #[default]
    Any,
    /// Only people with a common team; every bot is exempt (servers before 11).
    TeamV10,
    /// Only people with a common team; only bots of the writer and Apps bots are exempt
    /// (servers from 11), and the refusal may come at the post.
    TeamV11,
}

/// Which build of the Apps plugin answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PluginBuild {
    /// Builds after the last release: `user_agent` and `track_as_submit` are passed on.
    #[default]
    Master,
    /// The last release, 1.2.2: the user agent part of the context is wiped completely.
    V1_2_2,
}

/// Numbers of the optional rate limiter; the defaults are the server's.
#[derive(Debug, Clone, Copy)]
pub struct RateLimit {
    /// Requests given back each second.
    pub per_sec: u32,
    /// Requests that may come at once, beyond the first.
    pub max_burst: u32,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self { per_sec: 10, max_burst: 100 }
    }
}

/// Everything a test may choose. `Options::default()` is a server of version 10.11 with the
/// standard world and without the Apps plugin.
#[derive(Debug, Clone)]
pub struct Options {
    /// Port to listen on; 0 picks a free one.
    pub port: u16,
    /// Sub-path of the site URL, e.g. `/chat`; empty for none.
    pub subpath: String,
    /// Server version, `major.minor.patch`.
    pub version: (u32, u32, u32),
    /// Whether sysadmin, alice, bob, mallory, two teams and their channels exist at the start.
    pub standard_world: bool,
    /// Whether the Apps plugin runs.
    pub apps_enabled: bool,
    /// Build of the Apps plugin.
    pub plugin_build: PluginBuild,
    /// The system setting without which the Apps plugin refuses every `/apps` command.
    pub oauth_service_provider: bool,
    /// Longest message in Unicode characters.
    pub max_post_size: usize,
    /// Largest request body of the REST interface in bytes.
    pub max_body: usize,
    /// Seconds in which a message may be edited; -1 for ever.
    pub post_edit_time_limit: i64,
    /// How long the server waits for an integration's answer.
    pub integration_timeout: Duration,
    /// Also accept `_` and `-` in action ids, as newer servers route them.
    pub wide_action_ids: bool,
    /// Refuse posts whose attachments would come out broken (missing type or name of an action,
    /// an unroutable action id, null entries). The real server stores some of these as dead
    /// buttons, which no test would notice: so the strict answer is the default.
    pub strict_attachments: bool,
    /// Also give `MaxPostSize` and `PostEditTimeLimit` in `config/client` to callers who are not
    /// logged in. The real server gives those two to logged-in callers only.
    pub full_config_for_anyone: bool,
    /// Whether everybody sees mail addresses; otherwise administrators alone.
    pub show_email: bool,
    /// Whether the members of a team may list its public channels; a scheme can take that away.
    pub list_team_channels: bool,
    /// Rule for direct messages.
    pub restrict_dm: RestrictDm,
    /// The rate limiter; off by default as in the real server.
    pub rate_limit: Option<RateLimit>,
    /// Whether deactivating a person deactivates the bots this person owns.
    pub disable_bots_with_owner: bool,
    /// Whether the `/_fake` control interface answers.
    pub control_api: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            subpath: String::new(),
            version: (10, 11, 0),
            standard_world: true,
            apps_enabled: false,
            plugin_build: PluginBuild::default(),
            oauth_service_provider: true,
            max_post_size: 16383,
            max_body: 300_000,
            post_edit_time_limit: -1,
            integration_timeout: Duration::from_secs(30),
            wide_action_ids: false,
            strict_attachments: true,
            full_config_for_anyone: false,
            show_email: true,
            list_team_channels: true,
            restrict_dm: RestrictDm::default(),
            rate_limit: None,
            disable_bots_with_owner: true,
            control_api: false,
        }
    }
}

impl Options {
    /// The defaults plus the Apps plugin.
    pub fn with_apps() -> Self {
        Self { apps_enabled: true, ..Self::default() }
    }

    /// The version as the server writes it.
    pub(crate) fn version_text(&self) -> String {
        let (major, minor, patch) = self.version;
        format!("{major}.{minor}.{patch}")
    }

    /// Whether the server is at least `major.minor`.
    pub(crate) fn at_least(&self, major: u32, minor: u32) -> bool {
        (self.version.0, self.version.1) >= (major, minor)
    }
}
