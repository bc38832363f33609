//! The pages as a person meets them. Only these files know how the pages are built.

mod error;
mod organizations;
mod provider;
mod requests;
mod set_up;
mod signed_in;
mod start;

pub use error::ErrorPage;
pub use organizations::Organizations;
pub use provider::{Consent, Organization, ProviderPage};
pub use requests::Requests;
pub use set_up::SetUpPage;
pub use signed_in::{Reach, SignedInPage};
pub use start::StartPage;

use crate::{Result, Tab};

/// Waits until the app shows one of its views. What `index.html` shows before is not the app yet.
///
/// # Errors
/// If it does not.
pub(crate) async fn wait_for_view(tab: &Tab, view: &str) -> Result {
    tab.wait_for(&format!("main[data-view={view}]:not(#shell)")).await
}
