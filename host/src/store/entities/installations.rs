//! Backends set up for organizations.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "installations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub backend: String,
    pub slot: String,
    pub state: String,
    pub settings: Json,
    pub settings_version: i32,
    pub stage: String,
    pub notes: Json,
    pub steps: Json,
    pub window_until: Option<i64>,
    pub identity: Option<Json>,
    pub problem: Option<Json>,
    pub health: Option<Json>,
    pub held_until: i64,
    pub last_delivered_at: Option<i64>,
    pub last_heard_at: Option<i64>,
    pub created_at: i64,
    pub updated_at: i64,
    pub removed_at: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
