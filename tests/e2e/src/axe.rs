//! What axe finds in a page: barriers for people who use it by another way than most.

use std::{env, fs};

use serde_json::json;

use crate::{Context, Result, Tab};

/// Holds that axe finds nothing against the page, or against what a selector names in it. It looks into
/// open shadow roots too. `view` is said if there is something.
///
/// # Errors
/// If there is no axe, or it cannot be run.
pub async fn finds_nothing(tab: &Tab, selector: &str, view: &str) -> Result {
    let script = env::var_os("E2E_AXE").context("no E2E_AXE: run `cargo xtask test e2e`, which installs it")?;
    let axe = fs::read_to_string(&script).context(script.display())?;
    let run = "return axe.run(arguments[0], { resultTypes: ['violations'] }).then(({ violations, passes }) =>
        [passes.length > 0, violations.map(({ id, nodes }) => [id, nodes.map(node => node.html + node.failureSummary)])])";
    let found = tab.eval(&format!("{axe};\n{run}"), &[selector]).await?;
    assert_eq!(found, json!([true, []]), "axe: {view}");
    Ok(())
}
