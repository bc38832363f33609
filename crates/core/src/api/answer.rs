//! What the API answers: JSON, or a refusal in Polar's words.

use core::fmt;

use crate::{
    error::{Code, Error, Phase, ProviderError},
    http::{HttpOutcome, HttpResponse, JsonType},
    json::{self, Object, Value},
};

/// A good answer: strict JSON.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    body: Vec<u8>,
}

// What is in it is no log's to know.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({} bytes)", self.body.len())
    }
}

impl Answer {
    /// Reads an answer (status 200, JSON by its content type, at most 256 KiB).
    ///
    /// # Errors
    /// `ApiUnauthorized`, `InsufficientScope`, `ApiNotFound`, `ApiInvalid`, each with what the API said;
    /// `ApiMalformed`; a status or network error.
    pub fn read(outcome: HttpOutcome) -> Result<Self, Error> {
        let response = outcome.answer(Phase::Api)?;
        let code = match response.status {
            200 => {
                let body = response.json(JsonType::Plain, Phase::Api, Code::ApiMalformed)?;
                json::parse(body).map_err(|_| Error::new(Code::ApiMalformed, Phase::Api))?;
                return Ok(Self { body: response.body });
            }
            401 => Code::ApiUnauthorized,
            403 => Code::InsufficientScope,
            404 => Code::ApiNotFound,
            422 => Code::ApiInvalid,
            _ => return Err(response.status_error(Phase::Api)),
        };
        let error = Error::new(code, Phase::Api);
        Err(match said(&response) {
            Some(said) => error.said(said),
            None => error,
        })
    }

    /// The JSON.
    #[must_use]
    pub fn json(&self) -> Value<'_> {
        // It was read before it came here.
        json::parse(&self.body).unwrap_or(Value::Null)
    }
}

/// `{"error":…,"detail":…}`; the detail of a validation error is a list of places and messages.
fn said(response: &HttpResponse) -> Option<ProviderError> {
    if response.is_too_large() || !response.has_type(JsonType::Plain) {
        return None;
    }
    let object = json::parse_object(&response.body).ok()?;
    let detail = match object.get("detail") {
        Some(Value::Array(problems)) => {
            let problems: Vec<String> = problems.iter().filter_map(|p| Some(problem(p.as_object()?))).collect();
            Some(problems.join("; "))
        }
        _ => object.str("detail").or_else(|| object.str("error_description")).map(str::to_owned),
    };
    Some(ProviderError::new(object.str("error")?, detail.as_deref()))
}

fn problem(problem: &Object<'_>) -> String {
    let place = problem.get("loc").and_then(Value::as_array).unwrap_or_default();
    let place: Vec<String> = place.iter().map(Value::to_display).collect();
    [&place.join("."), ": ", problem.str("msg").unwrap_or_default()].concat()
}
