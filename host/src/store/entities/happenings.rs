//! What was received from platforms.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "happenings")]
pub struct Model {
    pub organization: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub installation: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub fingerprint: Vec<u8>,
    pub outcome: Option<Json>,
    pub received_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
