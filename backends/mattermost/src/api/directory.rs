//! The calls that find people and channels.
//! See <https://developers.mattermost.com/api-documentation/>.

use chatport_sdk::prelude::*;
use http::Method;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::{Channel, Client, NOTHING, User, settle};
use crate::errors::{NO_PERMISSION, Operation};

impl Client<'_> {
    /// A page of the accounts that are in use, by their names.
    pub(crate) async fn users(&self, page: usize, per_page: usize) -> Result<Vec<User>, Failure> {
        self.get_with("/users", &format!("page={page}&per_page={per_page}&active=true")).await
    }

    /// The first accounts of which a name begins like this.
    pub(crate) async fn search_users(&self, term: &str, limit: usize) -> Result<Vec<User>, Failure> {
        let body = json!({ "term": term, "limit": limit });
        self.call(Operation::Other, Method::POST, "/users/search", Some(&body)).await
    }

    /// The account with this mail address, if there is one and the bot may know it.
    pub(crate) async fn user_by_email(&self, email: &str) -> Result<Option<User>, Failure> {
        known(self.get_named(&["users", "email", email]).await)
    }

    /// The account of this name, if there is one and the bot may know it.
    pub(crate) async fn user_by_name(&self, name: &str) -> Result<Option<User>, Failure> {
        known(self.get_named(&["users", "username", name]).await)
    }

    /// The channels of a team that the token's account is in.
    pub(crate) async fn own_channels(&self, team: &str) -> Result<Vec<Channel>, Failure> {
        // In a team without channels of its own, the server says that there is nothing.
        Ok(known(self.get(&format!("/users/me/teams/{team}/channels")).await)?.unwrap_or_default())
    }

    /// A page of a team's public channels.
    pub(crate) async fn public_channels(
        &self,
        team: &str,
        page: usize,
        per_page: usize,
    ) -> Result<Vec<Channel>, Failure> {
        self.get_with(&format!("/teams/{team}/channels"), &format!("page={page}&per_page={per_page}")).await
    }

    /// The channels of a team of which a name begins like this.
    pub(crate) async fn search_channels(&self, team: &str, term: &str) -> Result<Vec<Channel>, Failure> {
        let path = format!("/teams/{team}/channels/search");
        self.call(Operation::Other, Method::POST, &path, Some(&json!({ "term": term }))).await
    }

    /// The channel of this name in a team, if there is one and the bot may see it.
    pub(crate) async fn channel_by_name(&self, team: &str, name: &str) -> Result<Option<Channel>, Failure> {
        known(self.get_named(&["teams", team, "channels", "name", name]).await)
    }

    /// Read something whose path has a part that somebody typed.
    async fn get_named<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, Failure> {
        let mut url = self.base.at("/api/v4");
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(path);
        }
        let answer = self.send(Operation::Other, Method::GET, url, NOTHING).await?;
        answer.json().map_err(|error| settle(Operation::Other, error.into()))
    }
}

/// What isn't there, or isn't to be seen, is nothing.
fn known<T>(found: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(failure) if matches!(failure.cause, Cause::ChannelNotFound | Cause::RecipientUnreachable) => Ok(None),
        Err(failure) if failure.error_id.as_deref() == Some(NO_PERMISSION) => Ok(None),
        Err(failure) => Err(failure),
    }
}
