//! Page objects for the end-to-end tests.
