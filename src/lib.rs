//! polar-signin

pub mod browser;
