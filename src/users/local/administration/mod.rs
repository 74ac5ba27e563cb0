//! Looking after accounts: who may see and change whose, roles and keys, and what a person may ask for.

pub mod authority;
pub mod description;
pub mod directory;
pub mod keyring;
pub mod operator;
pub mod personal;
pub mod role_book;
