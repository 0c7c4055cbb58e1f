//! A strict stand-in for a Mattermost server, for test suites.
//!
//! [`FakeMattermost::start`] listens on a port of this machine and speaks the REST interface
//! (`/api/v4`), the Apps plugin's interface and the address for late command answers. The handle
//! acts as people do: they post, click buttons, type commands, install apps. The stand-in refuses
//! what the real server refuses; where the real server would silently store something broken,
//! it refuses as well (see [`Options::strict_attachments`]).
//!
//! Tests look behind the scenes too: stored posts with their integrations, every request in both
//! directions, who would have been notified. They can move the clock, break requests on purpose
//! and forge what an attacker might send.

mod apps;
mod attachments;
mod clicks;
mod clock;
mod control;
mod faults;
mod gojson;
mod handle;
mod hooks;
mod ids;
mod limiter;
mod mentions;
mod model;
mod options;
mod outgoing;
mod reply;
mod request_log;
mod rest;
mod serve;
mod slash;
mod state;
mod trigger;
mod views;
mod world;

pub use apps::bindings::BindingsOutcome;
pub use apps::calls::AppResponse;
pub use apps::command::AppsCommandOutcome;
pub use apps::install::AppsOutcome;
pub use clicks::ClickOutcome;
pub use faults::{FaultKind, FaultRule};
pub use handle::FakeMattermost;
pub use handle::apps::{AppInfo, RawCall, RawCallOutcome, sign_app_jwt};
pub use handle::forge::{ForgedClick, ForgedSlash, RawAnswer, Trigger};
pub use model::{Channel, ChannelKind, Command, Ephemeral, MentionPlace, Notification, Post, Team, User};
pub use options::{Options, PluginBuild, RateLimit, RestrictDm};
pub use request_log::{LoggedRequest, SentRequest};
pub use slash::CommandOutcome;
