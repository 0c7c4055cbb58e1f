//! The first minutes: on loopback the host makes a demo organization with an installation of
//! each backend that works there alone, and its first lines say what to try.

use std::{fmt::Write, net::SocketAddr};

use chatport_sdk::secret::Secret;
use sea_orm::{ActiveValue::Set, EntityTrait, sea_query::OnConflict};
use serde_json::json;
use url::Url;

use crate::{
    app::App,
    ids::OrganizationId,
    setup::{
        SetupFailure,
        audit::Actor,
        installations::{self, InstallationFilter},
        machine,
        page::Page,
        sites,
    },
    store::entities::organizations::{ActiveModel, Column, Entity},
};

/// The demo organization's id.
const DEMO: &str = "demo";

/// Where a demo installation is reached.
#[derive(Debug)]
pub(crate) struct Playground {
    backend: &'static str,
    ingress_url: Url,
}

/// Make the demo organization and its installations. It is a convenience: if it can't be
/// made, the host runs all the same.
pub(crate) async fn prepare(app: &App) -> Option<Playground> {
    match try_prepare(app).await {
        Ok(playground) => playground,
        Err(error) => {
            tracing::warn!(%error, "the demo organization could not be made");
            None
        }
    }
}

async fn try_prepare(app: &App) -> Result<Option<Playground>, SetupFailure> {
    let Some(organization) = OrganizationId::parse(DEMO) else { return Ok(None) };
    let now = app.clock.now().as_micros();
    let row = ActiveModel {
        id: Set(DEMO.to_owned()),
        name: Set("Demo".to_owned()),
        locale: Set("en".to_owned()),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let keep = OnConflict::column(Column::Id).do_nothing().to_owned();
    Entity::insert(row).on_conflict(keep).exec_without_returning(app.database.write()).await?;
    let mut playground = None;
    for (backend, _) in app.registry.iter().filter(|(backend, _)| backend.descriptor().loopback_only) {
        let id = backend.descriptor().id;
        // One that was made before others could reach the host isn't there for them.
        if !app.settings.serves_this_machine_alone() {
            return Err(SetupFailure::LoopbackOnly { backend: id.to_owned() });
        }
        let filter = InstallationFilter { backend: Some(id.to_owned()), updated_after: None };
        let known = installations::list(app, &organization, &filter, Page::default()).await?;
        let installation = match known.items.into_iter().next() {
            Some(installation) => installation.id,
            None => {
                let file = std::path::absolute(app.settings.data.join(format!("{id}-demo.json"))).unwrap_or_default();
                let settings = json!({ "file": file });
                machine::create(app, &organization, id, settings, &Actor::host()).await?.id
            }
        };
        let loaded = sites::load(app, &organization, installation).await?;
        if let Some(ingress_url) = loaded.site.ingress_url() {
            playground = Some(Playground { backend: id, ingress_url: ingress_url.clone() });
        }
    }
    Ok(playground)
}

/// The first lines: the key, once, and the next three things to try.
pub(crate) fn greeting(
    app: &App,
    address: SocketAddr,
    key: Option<&Secret>,
    playground: Option<&Playground>,
) -> String {
    let base = app
        .public_url
        .as_ref()
        .map_or_else(|| format!("http://{address}"), |url| url.as_str().trim_end_matches('/').to_owned());
    let mut text = String::new();
    // Writing to a String can't fail.
    let _ = writeln!(text, "\nChatport listens on http://{address}");
    if let Some(key) = key {
        let _ = writeln!(
            text,
            "\nThe first API key, shown this once (it may do everything; keep it safe):\n\n  {}",
            key.expose()
        );
    }
    let shown = if key.is_some() { "the key above" } else { "your API key" };
    let _ = writeln!(text, "\nThree things to try:\n");
    let _ = writeln!(
        text,
        "  1. See what is linked in:  curl -H \"Authorization: Bearer $KEY\" {base}/v1/backends   (KEY={shown})"
    );
    let _ = writeln!(text, "  2. Read the API:           {base}/docs");
    match playground {
        Some(Playground { backend, ingress_url }) => {
            let _ = writeln!(
                text,
                "  3. Look into the {backend}:   {ingress_url}   (in a browser; the README walks through it in five minutes)"
            );
        }
        None => {
            let _ = writeln!(
                text,
                "  3. Make an organization:   curl -X PUT -H \"Authorization: Bearer $KEY\" -H 'content-type: application/json' -d '{{}}' {base}/v1/organizations/acme"
            );
        }
    }
    text.push('\n');
    text
}
