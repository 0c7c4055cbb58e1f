//! What applications call. One file a resource: its requests, its answers, its handlers and
//! its routes. [`routes`] holds the frame: no route without a policy and a description.

pub mod answer;
mod audit;
mod backends;
pub mod callers;
mod commands;
mod dead_letters;
mod directory;
mod docs;
mod events;
pub mod extract;
mod installations;
mod keys;
mod links;
mod messages;
pub mod openapi;
mod openapi_events;
#[cfg(test)]
mod openapi_faults;
pub mod operation;
mod organizations;
pub mod page;
pub mod problem;
pub mod problem_types;
pub mod routes;
mod setup_problems;
mod strict_json;
mod system;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;

use crate::{
    app::App,
    delivery::view::MessageEvent,
    events::{Event, invoke::EventReply},
    ingress::told::{ActionInvoked, CommandInvoked, ReplyPosted},
    setup::{channels::ChannelEvent, installations::InstallationEvent, links::LinkEvent},
};
use routes::{About, Api, Outline};

/// The routes of the whole host, and what there is to describe of them.
pub fn build() -> (Router<App>, Arc<Outline>) {
    let about = About::new(
        "Chatport",
        env!("CARGO_PKG_VERSION"),
        "One port between any application and any chat platform. Every id of an organization, a user and a message is \
         the application's own; every answer from 400 on is a problem (RFC 9457) that says what to do.",
    );
    let api = Api::new(about)
        .tag("Backends", "What is linked in.")
        .tag("Organizations", "The application's tenants.")
        .tag("Installations", "Setting platforms up.")
        .tag("Linking", "Codes, accounts and channels, and finding them.")
        .tag("Messages", "What is to be shown, and where.")
        .tag("Events", "What the application hears.")
        .tag("API keys", "Who may call.")
        .tag("Platforms", "What platforms call.")
        .tag("Operation", "Signs of life and figures.")
        .parameter("org", "The application's own id of the organization.");
    let parts: [fn(Api<App>) -> Api<App>; 12] = [
        backends::routes,
        organizations::routes,
        installations::routes,
        commands::routes,
        links::routes,
        directory::routes,
        messages::routes,
        dead_letters::routes,
        events::routes,
        keys::routes,
        audit::routes,
        system::routes,
    ];
    let api = parts.into_iter().fold(api, |api, part| part(api));
    describe_events(crate::ingress::routes(api)).finish()
}

/// What an application hears, as the description tells it.
fn describe_events(api: Api<App>) -> Api<App> {
    api.event::<Event<InstallationEvent>>("installation.activated", "Setup is complete, or goes on")
        .event::<Event<InstallationEvent>>(
            "installation.suspended",
            "An installation needs a person; its messages wait",
        )
        .event::<Event<InstallationEvent>>("installation.removed", "An installation is gone")
        .event::<Event<LinkEvent>>("account.linked", "A user was linked to an account")
        .event::<Event<LinkEvent>>("account.changed", "A linked account has another name")
        .event::<Event<LinkEvent>>("account.unlinked", "A link is gone")
        .event::<Event<ChannelEvent>>("channel.linked", "A conversation was connected")
        .event::<Event<ChannelEvent>>("channel.changed", "A channel has another name, status or default mark")
        .event::<Event<ChannelEvent>>("channel.removed", "A channel is no longer connected")
        .answered_event::<Event<ActionInvoked>, EventReply>("action.invoked", "Somebody pressed a button; answer at once if you can")
        .answered_event::<Event<CommandInvoked>, EventReply>("command.invoked", "Somebody used a declared command, which can be answered at once, or typed something that Chatport doesn't know")
        .event::<Event<ReplyPosted>>("reply.posted", "Somebody replied to a message")
        .event::<Event<MessageEvent>>("message.delivered", "A revision of a copy is shown")
        .event::<Event<MessageEvent>>("message.failed", "A revision of a copy will not be shown")
}
