//! A stand-in of ours for what Microsoft Teams shows a bot: the Bot Framework connector, the login
//! service that issues access tokens, and the OpenID metadata and keys by which a bot verifies the
//! connector's calls. It isn't Microsoft's: it was written from the documentation, from what
//! Microsoft's own libraries accept, and from nothing else.
//!
//! [`FakeTeams`] refuses what the real services are documented to refuse, and where they would
//! silently show something broken it refuses as well: ids that aren't percent-encoded, members
//! that no activity or card has, mentions of nobody. It plays people: they write, mention the bot,
//! press buttons, add and remove the app. What they do is an activity, which can be looked at,
//! changed and signed before it is sent.

mod acting;
mod card;
mod connector;
mod keys;
mod login;
mod post;
mod refusal;
mod serve;
mod teams;
mod world;

pub use acting::Delivered;
pub use keys::{Key, KeySet};
pub use post::Post;
pub use refusal::{Asked, Reply};
pub use teams::FakeTeams;
pub use world::Options;
