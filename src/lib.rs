//! polar-signin
