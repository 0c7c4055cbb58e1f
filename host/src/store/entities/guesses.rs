//! Counted attempts to enter a code.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "guesses")]
pub struct Model {
    pub organization: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub installation: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub guesser: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub period: i64,
    pub count: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
