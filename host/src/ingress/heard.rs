//! When each installation was last heard from: noted once a minute, since nobody needs it to
//! the second.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use chatport_sdk::time::Timestamp;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, sea_query::Expr};

use super::COARSE;
use crate::{app::App, ids::InstallationId, setup::sites::Loaded, store::entities::installations};

/// Most installations that are remembered; beyond it all are forgotten, and noted once more.
const MOST: usize = 4_096;

/// When this process last noted it.
#[derive(Clone, Debug, Default)]
pub(super) struct Heard(Arc<Mutex<HashMap<InstallationId, Timestamp>>>);

impl Heard {
    /// This installation is heard from now.
    ///
    /// # Errors
    /// The database refuses.
    pub(super) async fn note(&self, app: &App, loaded: &Loaded) -> Result<(), DbErr> {
        let now = app.clock.now();
        if !self.is_news(loaded.id, loaded.row.last_heard_at.map(Timestamp::from_micros), now) {
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

    /// Whether it is worth noting; then it counts as noted.
    fn is_news(&self, id: InstallationId, stored: Option<Timestamp>, now: Timestamp) -> bool {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = noted.get(&id).copied().max(stored);
        if last.is_some_and(|last| now.minus(COARSE) < last) {
            return false;
        }
        if noted.len() >= MOST {
            noted.clear();
        }
        noted.insert(id, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_is_noted_once_a_minute_for_each_installation() {
        let (heard, one, other) = (Heard::default(), InstallationId::new(), InstallationId::new());
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        assert!(heard.is_news(one, None, at(100)));
        assert!(!heard.is_news(one, None, at(159)), "though the row that is kept in memory doesn't say so");
        assert!(heard.is_news(other, None, at(159)));
        assert!(heard.is_news(one, None, at(100).plus(COARSE)));
        assert!(!heard.is_news(InstallationId::new(), Some(at(100)), at(100).plus(Duration::from_secs(59))));
    }
}
