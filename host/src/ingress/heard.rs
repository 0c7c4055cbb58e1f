//! When each installation was last heard from: noted once a minute, since nobody needs it to
//! the second.

use chatport_sdk::time::Timestamp;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, sea_query::Expr};

use super::COARSE;
use crate::{
    app::App,
    setup::sites::Loaded,
    store::{entities::installations, noted::Noted},
};

/// When this process last noted it.
#[derive(Clone, Debug)]
pub(super) struct Heard(Noted);

impl Default for Heard {
    fn default() -> Self {
        Self(Noted::every(COARSE))
    }
}

impl Heard {
    /// This installation is heard from now.
    ///
    /// # Errors
    /// The database refuses.
    pub(super) async fn note(&self, app: &App, loaded: &Loaded) -> Result<(), DbErr> {
        let now = app.clock.now();
        if !self.0.is_news(loaded.id, loaded.row.last_heard_at.map(Timestamp::from_micros), now) {
            return Ok(());
        }
        installations::Entity::update_many()
            .col_expr(installations::Column::LastHeardAt, Expr::value(now.as_micros()))
            .filter(installations::Column::Organization.eq(loaded.organization.as_str()))
            .filter(installations::Column::Id.eq(loaded.id.0))
            .exec(app.database.write_uncached())
            .await?;
        Ok(())
    }
}
