//! `cargo xtask serve`: a static host as plain as they come (no rewrite rules), with the headers
//! that we recommend. The demo and the end-to-end tests use it.

use std::{
    fs,
    io::Write as _,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result, anyhow};
use lexopt::prelude::*;
use tiny_http::{Header, Request, Response, Server};

/// What is served, and how.
struct Site {
    dir: PathBuf,
    base: String,
    config: Option<Vec<u8>>,
    policy: Option<String>,
}

pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<()> {
    let (mut dir, mut host, mut port) = (None, "127.0.0.1".to_owned(), 0_u16);
    let (mut base, mut config, mut connect, mut with_policy) = ("/".to_owned(), None, Vec::new(), true);
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("dir") => dir = Some(PathBuf::from(arguments.value()?)),
            Long("host") => host = arguments.value()?.string()?,
            Long("port") => port = arguments.value()?.parse()?,
            Long("base") => base = format!("/{}/", arguments.value()?.string()?.trim_matches('/')).replace("//", "/"),
            Long("config") => config = Some(read_config(&arguments.value()?.string()?)?),
            Long("connect") => connect.push(arguments.value()?.string()?),
            Long("no-csp") => with_policy = false,
            other => return Err(other.unexpected().into()),
        }
    }
    let policy = with_policy.then(|| policy(&connect));
    let site = Arc::new(Site { dir: dir.context("--dir is missing")?, base, config, policy });
    let server =
        Server::http((host.as_str(), port)).map_err(|error| anyhow!("cannot listen on {host}:{port}: {error}"))?;
    let port = server.server_addr().to_ip().context("no TCP address")?.port();
    println!("serving http://{host}:{port}{}", site.base);
    std::io::stdout().flush()?;

    let server = Arc::new(server);
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let (server, site) = (server.clone(), site.clone());
            std::thread::spawn(move || {
                while let Ok(request) = server.recv() {
                    // A browser that went away is no concern of a static host.
                    let _ = site.answer(request);
                }
            })
        })
        .collect();
    for worker in workers {
        worker.join().map_err(|_| anyhow!("a worker stopped"))?;
    }
    Ok(())
}

/// JSON as it is given, or the file of that name.
fn read_config(given: &str) -> Result<Vec<u8>> {
    if given.trim_start().starts_with('{') {
        return Ok(given.as_bytes().to_vec());
    }
    fs::read(given).with_context(|| format!("cannot read {given}"))
}

/// `docs/hosting.md` explains each part.
fn policy(connect: &[String]) -> String {
    let connect = connect.join(" ");
    [
        "default-src 'none'".to_owned(),
        "script-src 'self' 'wasm-unsafe-eval'".to_owned(),
        "style-src 'self'".to_owned(),
        format!("connect-src 'self' {connect}"),
        format!("img-src 'self' https: data: {connect}"),
        "base-uri 'none'".to_owned(),
        "form-action 'self'".to_owned(),
        "frame-ancestors 'none'".to_owned(),
        "require-trusted-types-for 'script'".to_owned(),
    ]
    .join("; ")
}

impl Site {
    fn answer(&self, request: Request) -> std::io::Result<()> {
        let path = request.url().split(['?', '#']).next().unwrap_or_default().to_owned();
        let Some((file, bytes)) = self.find(&path) else {
            let response = Response::from_string("404: there is nothing here\n").with_status_code(404);
            return request.respond(response);
        };
        let mut response = Response::from_data(bytes);
        for (name, value) in self.headers(&file) {
            if let Ok(header) = Header::from_bytes(name, value) {
                response.add_header(header);
            }
        }
        request.respond(response)
    }

    /// The file of a path. No path but the base itself means `index.html`.
    fn find(&self, path: &str) -> Option<(PathBuf, Vec<u8>)> {
        let relative = path.strip_prefix(&self.base)?;
        let relative = Path::new(if relative.is_empty() { "index.html" } else { relative });
        if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
            return None;
        }
        let file = self.dir.join(relative);
        match &self.config {
            Some(config) if relative == Path::new("config.json") => Some((file, config.clone())),
            _ => fs::read(&file).ok().map(|bytes| (file, bytes)),
        }
    }

    fn headers(&self, file: &Path) -> Vec<(&'static str, String)> {
        let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let content_type = match extension {
            "html" => "text/html; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "wasm" => "application/wasm",
            "json" => "application/json",
            "svg" => "image/svg+xml",
            "png" => "image/png",
            _ => "application/octet-stream",
        };
        let cache = if is_hashed(file) { "public, max-age=31536000, immutable" } else { "no-store" };
        let mut headers = vec![
            ("content-type", content_type.to_owned()),
            ("cache-control", cache.to_owned()),
            ("referrer-policy", "no-referrer".to_owned()),
            ("x-content-type-options", "nosniff".to_owned()),
        ];
        headers.extend(self.policy.iter().map(|policy| ("content-security-policy", policy.clone())));
        headers
    }
}

/// Whether a name carries the hash of its content: sixteen hexadecimal digits after a `-`.
fn is_hashed(file: &Path) -> bool {
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let hash = stem.trim_end_matches("_bg").rsplit('-').next().unwrap_or_default();
    hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_below_the_base_are_found() {
        let dir = std::env::temp_dir().join(format!("polar-signin-serve-{}", std::process::id()));
        fs::create_dir_all(dir.join("assets")).expect("a temporary folder");
        fs::write(dir.join("index.html"), "home").expect("a file");
        fs::write(dir.join("assets/a.css"), "css").expect("a file");
        let site = Site { dir: dir.clone(), base: "/sub/".to_owned(), config: Some(b"{}".to_vec()), policy: None };
        let body = |path| site.find(path).map(|(_, bytes)| bytes);
        assert_eq!(body("/sub/"), Some(b"home".to_vec()));
        assert_eq!(body("/sub/assets/a.css"), Some(b"css".to_vec()));
        assert_eq!(body("/sub/config.json"), Some(b"{}".to_vec()));
        for missing in
            ["/", "/index.html", "/sub", "/sub/callback", "/sub/../index.html", "/sub/assets/", "/sub//etc/passwd"]
        {
            assert_eq!(body(missing), None, "{missing}");
        }
        fs::remove_dir_all(dir).expect("the folder is ours");
    }

    #[test]
    fn only_names_with_a_hash_are_kept_by_caches() {
        for hashed in ["app-0123456789abcdef.js", "app-0123456789abcdef_bg.wasm"] {
            assert!(is_hashed(Path::new(hashed)), "{hashed}");
        }
        for plain in ["index.html", "config.json", "boot.js", "polar-signin.svg"] {
            assert!(!is_hashed(Path::new(plain)), "{plain}");
        }
    }
}
