//! Messages at addresses.

use sea_orm::entity::prelude::*;
use serde::Deserialize;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Deserialize)]
#[sea_orm(table_name = "copies")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub stream: Option<Uuid>,
    pub installation: Option<Uuid>,
    pub message: Option<Uuid>,
    pub event: Option<Uuid>,
    pub root: Option<Uuid>,
    pub log_id: Option<String>,
    pub log_text: Option<String>,
    pub target: String,
    pub account: Option<String>,
    pub address: Option<String>,
    pub sequence: i64,
    pub revision: i64,
    pub pinned: Option<i64>,
    pub shown: Option<i64>,
    pub sending: Option<i64>,
    pub is_open: bool,
    pub removal: bool,
    pub is_fallback: bool,
    pub may_fold: bool,
    pub folded_into: Option<Uuid>,
    pub fence: i64,
    pub state: String,
    pub code: Option<String>,
    pub detail: Option<String>,
    pub due_at: Option<i64>,
    pub attempts: i32,
    pub crashes: i32,
    pub first_tried_at: Option<i64>,
    pub parts: String,
    pub urgency: i16,
    pub expires_at: i64,
    pub created_at: i64,
    pub updated_at: i64,
}

impl Model {
    /// Whether it is on its way: it is sent, or, after a doubt, found out about first.
    pub fn is_taken(&self) -> bool {
        matches!(self.state.as_str(), "sending" | "finding")
    }

    /// Whether it may stand though nobody knows: it is on its way, is being found out, or was when
    /// it was given up; then it is `doubtful` when it waits for its turn again.
    pub fn is_in_doubt(&self) -> bool {
        match self.is_open {
            true => self.is_taken() || matches!(self.state.as_str(), "unknown" | "doubtful"),
            false => self.sending.is_some(),
        }
    }
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
