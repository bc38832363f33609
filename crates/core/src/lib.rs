//! polar-signin-core
