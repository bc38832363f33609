//! What an attack cannot know beforehand: addresses, times, the provider's key.

use serde_json::{Value, json};

/// What stands in braces in a fault, and what for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Template {
    /// Texts.
    pub(crate) texts: Vec<(&'static str, String)>,
    /// Numbers: they stand alone.
    pub(crate) numbers: Vec<(&'static str, i64)>,
}

impl Template {
    /// The value with everything filled in. What is not known stays: the provider may know it.
    #[must_use]
    pub(crate) fn fill(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.fill_text(text),
            Value::Array(values) => values.iter().map(|value| self.fill(value)).collect(),
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| (name.clone(), self.fill(value)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            other => other.clone(),
        }
    }

    fn fill_text(&self, text: &str) -> Value {
        if let Some((_, number)) = self.numbers.iter().find(|(name, _)| text == format!("{{{name}}}")) {
            return json!(number);
        }
        let filled = |text: String, (name, value): &(&str, String)| text.replace(&format!("{{{name}}}"), value);
        json!(self.texts.iter().fold(text.to_owned(), filled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_filled_in_and_the_rest_stays() {
        let template = Template { texts: vec![("host", "http://a".to_owned())], numbers: vec![("later", 5)] };
        let filled =
            template.fill(&json!({ "a": ["{host}/x", "{later}", "{code}"], "b": { "c": "{later} days" }, "d": 1 }));
        assert_eq!(filled, json!({ "a": ["http://a/x", 5, "{code}"], "b": { "c": "{later} days" }, "d": 1 }));
    }
}
