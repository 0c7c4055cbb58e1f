//! What an application declared that people can type, and how far the platform knows it.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "command_sets")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub installation: Uuid,
    pub commands: Json,
    pub hash: Vec<u8>,
    pub due_at: Option<i64>,
    pub leased_until: i64,
    pub attempts: i32,
    pub missing: Json,
    pub problem: Option<Json>,
    pub synced_at: Option<i64>,
    pub updated_at: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
