//! The app package that an administrator uploads: a manifest and two pictures in a zip.
//! <https://learn.microsoft.com/microsoftteams/platform/concepts/build-and-test/apps-package>
//!
//! It is served at an address with a key in it: without the key nothing tells whether the slot
//! exists.

use std::io::{Cursor, Write as _};

use chatport_sdk::{crypto, prelude::*};
use http::StatusCode;
use serde_json::{Value, json};
use zip::{CompressionMethod, ZipWriter, result::ZipResult, write::SimpleFileOptions};

use crate::{
    descriptor::PACKAGE_KEY,
    details::Details,
    words::{cut, one_line},
};

/// Where it is, below the slot.
pub(crate) const PATH: &str = "/app-package.zip";
/// The version of the manifest's schema.
const SCHEMA: &str = "1.16";

const COLOR: &[u8] = include_bytes!("color.png");
const OUTLINE: &[u8] = include_bytes!("outline.png");

/// The address of the package, with a new key.
pub(crate) fn link(site: &Site) -> Option<(Url, NewToken)> {
    let key = crypto::base64url(&site.random::<24>());
    let url = Url::parse(&format!("{}{PATH}?key={key}", site.ingress_url()?)).ok()?;
    // Whoever has the page open still may use the link before this one.
    Some((url, NewToken::new(PACKAGE_KEY, Secret::new(key)).rotating()))
}

/// Serve it to whoever has the key.
pub(crate) fn serve(site: &Site, request: &Request) -> Received {
    let key = request.query.as_deref().and_then(|query| query.strip_prefix("key="));
    let is_ours = key.is_some_and(|key| site.matches(PACKAGE_KEY, key.as_bytes()).is_some());
    let package = Details::of(site).filter(|_| is_ours).and_then(|details| package(site, &details).ok());
    match package {
        Some(package) => {
            let response = Response::new(StatusCode::OK, "application/zip", package)
                .header("content-disposition", "attachment; filename=\"teams-app.zip\"")
                .header("cache-control", "no-store");
            Received::Answer(response)
        }
        None => {
            let response = Response::text(StatusCode::NOT_FOUND, "not found");
            Received::Refused { response, reason: "package-key" }
        }
    }
}

fn package(site: &Site, details: &Details) -> ZipResult<Vec<u8>> {
    let manifest = serde_json::to_vec_pretty(&manifest(site, details)).unwrap_or_default();
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, content) in [("manifest.json", &manifest[..]), ("color.png", COLOR), ("outline.png", OUTLINE)] {
        zip.start_file(name, stored)?;
        zip.write_all(content)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// The version of what is in the package. Teams takes a higher one alone for an update, so each
/// download has one: the day and the minute, for a number must be below 65,536.
fn version(now: Timestamp) -> String {
    let minutes = now.as_seconds() / 60;
    format!("1.{}.{}", minutes / (24 * 60), minutes % (24 * 60))
}

/// The manifest: <https://learn.microsoft.com/microsoft-365/extensibility/schema/>.
fn manifest(site: &Site, details: &Details) -> Value {
    let app = one_line(site.app_name());
    let app = if app.is_empty() { "Chatport".to_owned() } else { app };
    let ingress = site.ingress_url();
    let home = ingress.map(|url| format!("{}/", url.origin().ascii_serialization())).unwrap_or_default();
    // The schema wants https; without it nothing would be sent here anyway.
    let home = home.replacen("http://", "https://", 1);
    let domains: Vec<&str> = ingress.and_then(Url::host_str).into_iter().collect();
    let command = |title: &str, description: &str| json!({ "title": title, "description": description });
    json!({
        "$schema": format!("https://developer.microsoft.com/json-schemas/teams/v{SCHEMA}/MicrosoftTeams.schema.json"),
        "manifestVersion": SCHEMA,
        "version": version(site.now()),
        "id": details.app_id,
        "packageName": format!("chatport.{}", details.app_id.replace('-', "")),
        "developer": { "name": cut(&app, 32), "websiteUrl": home, "privacyUrl": home, "termsOfUseUrl": home },
        "name": { "short": cut(&app, 30), "full": cut(&app, 100) },
        "description": {
            "short": cut(&format!("Messages of {app}"), 80),
            "full": cut(&format!("Shows messages of {app} in channels and chats, and lets people answer them."), 4_000),
        },
        "icons": { "color": "color.png", "outline": "outline.png" },
        "accentColor": "#5059C9",
        "bots": [{
            "botId": details.app_id,
            "scopes": ["personal", "team", "groupchat"],
            "supportsFiles": false,
            "isNotificationOnly": false,
            "commandLists": [
                { "scopes": ["personal"], "commands": [
                    command("link", "Link yourself with a code"),
                    command("unlink", "End your link"),
                    command("help", "What can be typed"),
                ] },
                { "scopes": ["team", "groupchat"], "commands": [
                    command("link", "Connect this conversation with a code"),
                    command("help", "What can be typed"),
                ] },
            ],
        }],
        "permissions": ["identity", "messageTeamMembers"],
        "validDomains": domains,
    })
}
