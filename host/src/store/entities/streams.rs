//! What is paced and ordered together.

use sea_orm::entity::prelude::*;
use serde::Deserialize;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Deserialize)]
#[sea_orm(table_name = "streams")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub installation: Option<Uuid>,
    pub subscription: Option<String>,
    pub key: String,
    pub rate: String,
    pub urgency: i16,
    pub owner: Option<Uuid>,
    pub fence: i64,
    pub lease_until: i64,
    pub due_at: Option<i64>,
    pub held_until: i64,
    pub sequence: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
