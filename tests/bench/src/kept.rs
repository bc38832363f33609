//! The document, out of what each section found when it was last measured as a whole: a long comparison can be made in
//! several sittings.

use std::{fs, path::Path};

use polar_signin_e2e::{Context, Result};
use serde_json::Value;

use crate::{
    introduction::Introduction,
    report::{Report, Table},
    sections::NAMES,
};

/// Keeps a section in a folder.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn keep(folder: &Path, section: &str, report: &Report, introduction: &Introduction) -> Result {
    let mut kept = report.to_json();
    kept["when"] = introduction.when().into();
    fs::create_dir_all(folder).context(folder.display())?;
    let file = folder.join(format!("{section}.json"));
    fs::write(&file, kept.to_string()).context(file.display())
}

/// The whole document.
///
/// # Errors
/// If a section that was kept cannot be read.
pub(crate) fn document(folder: &Path, introduction: &Introduction) -> Result<String> {
    let mut goals = Table::new("", &["goal", "wanted", "seen", ""]);
    let (mut bodies, mut failures) = (String::new(), String::new());
    for section in NAMES {
        let file = folder.join(format!("{section}.json"));
        let Ok(text) = fs::read_to_string(&file) else {
            bodies += &format!("## Not measured: {section}\n\n");
            continue;
        };
        let kept: Value = serde_json::from_str(&text).context(file.display())?;
        for goal in kept["goals"].as_array().into_iter().flatten() {
            let cells = goal.as_array().into_iter().flatten().map(|cell| cell.as_str().unwrap_or_default().to_owned());
            goals.row(&cells.collect::<Vec<_>>());
        }
        bodies += kept["body"].as_str().unwrap_or_default();
        bodies += &format!("*{}.*\n\n", kept["when"].as_str().unwrap_or_default());
        for (client, all) in kept["failures"].as_object().into_iter().flatten() {
            let all = all.as_array().map(Vec::as_slice).unwrap_or_default();
            let first = all.first().and_then(Value::as_str).and_then(|words| words.lines().last()).unwrap_or_default();
            failures += &format!("- {section}, {client}: {} runs, the first: {first}\n", all.len());
        }
    }
    if !failures.is_empty() {
        failures = format!("## Runs without a result\n\n{failures}");
    }
    let text = format!("{}\n## The goals\n\n{}{bodies}{failures}", introduction.text(), goals.markdown());
    Ok(text.trim_end().to_owned() + "\n")
}
