//! The host of the pages: files in memory, compressed beforehand, with the same headers for every client.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use hyper::{Response, StatusCode, body::Bytes, header::HeaderName};
use polar_signin_e2e::{Context, Result};

/// The built pages of all clients.
#[derive(Debug)]
pub(crate) struct Site {
    files: BTreeMap<String, Bytes>,
}

impl Site {
    /// Reads a folder.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        let mut left: Vec<PathBuf> = vec![folder.to_owned()];
        while let Some(next) = left.pop() {
            for entry in fs::read_dir(&next).context(next.display())? {
                let path = entry?.path();
                if path.is_dir() {
                    left.push(path);
                    continue;
                }
                let name = path.strip_prefix(folder)?.to_string_lossy().replace('\\', "/");
                files.insert(format!("/{name}"), Bytes::from(fs::read(&path)?));
            }
        }
        Ok(Self { files })
    }

    /// The answer for a path, as small as the browser takes it.
    #[must_use]
    pub(crate) fn answer(&self, path: &str, accepts: &str) -> Response<Bytes> {
        let file = if path.ends_with('/') { format!("{path}index.html") } else { path.to_owned() };
        let takes = |coding: &str| accepts.split(',').any(|offered| offered.trim() == coding);
        let coded = [("br", ".br"), ("gzip", ".gz")].into_iter().find_map(|(coding, ending)| {
            let body = self.files.get(&format!("{file}{ending}")).filter(|_| takes(coding))?;
            Some((Some(coding), body))
        });
        let found = coded.or_else(|| self.files.get(&file).map(|body| (None, body)));
        let Some((coding, body)) = found else {
            let mut missing = Response::new(Bytes::from_static(b"404: there is nothing here\n"));
            *missing.status_mut() = StatusCode::NOT_FOUND;
            return missing;
        };
        let mut response = Response::new(body.clone());
        let mut headers = vec![
            ("content-type", content_type(&file)),
            ("cache-control", if is_hashed(&file) { "public, max-age=31536000, immutable" } else { "no-store" }),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("vary", "accept-encoding"),
        ];
        headers.extend(coding.map(|coding| ("content-encoding", coding)));
        for (name, value) in headers {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), hyper::header::HeaderValue::from_static(value));
        }
        response
    }

    /// What a client's folder weighs: each file as it is sent, in brotli.
    #[must_use]
    pub(crate) fn weight(&self, folder: &str) -> Vec<(String, usize)> {
        let inside = self.files.iter().filter(|(name, _)| name.starts_with(folder));
        let coded = inside.filter_map(|(name, body)| Some((name.strip_suffix(".br")?.to_owned(), body.len())));
        coded.collect()
    }
}

fn content_type(file: &str) -> &'static str {
    match file.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

/// Whether a name carries the hash of its content: what a build writes, Vite or Trunk.
fn is_hashed(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem).trim_end_matches("_bg");
    stem.split_once('-').is_some_and(|(_, hash)| hash.len() >= 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashed_names_are_kept_by_the_browser() {
        for hashed in ["/a/assets/index-BJvrl0uq.css", "/app/app-b6bd8578319170dc_bg.wasm", "/x/index-CYQ-w_h6.js"] {
            assert!(is_hashed(hashed), "{hashed}");
        }
        for plain in ["/app/config.json", "/oidc-client-ts/index.html"] {
            assert!(!is_hashed(plain), "{plain}");
        }
    }
}
