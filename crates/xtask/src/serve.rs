//! `cargo xtask serve`: a static host as plain as they come (no rewrite rules), with the headers
//! that we recommend. The demo and the end-to-end tests use it.

use std::{
    fs,
    io::Write as _,
    path::{Component, Path, PathBuf},
    thread,
};

use anyhow::{Context as _, Result, anyhow, bail};
use lexopt::prelude::*;
use tiny_http::{Header, Method, Request, Response, Server};

/// What is served, and how.
struct Site {
    dir: PathBuf,
    base: String,
    config: Option<Vec<u8>>,
    policy: Option<String>,
    /// Pages of other origins may load it, and hold it to its content.
    cors: bool,
}

pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<()> {
    let (mut dir, mut host, mut port) = (None, "127.0.0.1".to_owned(), 0_u16);
    let (mut base, mut config, mut connect, mut with_policy) = ("/".to_owned(), None, Vec::new(), true);
    let mut cors = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("dir") => dir = Some(PathBuf::from(arguments.value()?)),
            Long("host") => host = arguments.value()?.string()?,
            Long("port") => port = arguments.value()?.parse()?,
            Long("base") => base = format!("/{}/", arguments.value()?.string()?.trim_matches('/')).replace("//", "/"),
            Long("config") => config = Some(read_config(&arguments.value()?.string()?)?),
            Long("connect") => connect.push(arguments.value()?.string()?),
            Long("no-csp") => with_policy = false,
            Long("cors") => cors = true,
            other => return Err(other.unexpected().into()),
        }
    }
    let policy = with_policy.then(|| policy(&connect));
    let dir = dir.context("--dir is missing: the folder to serve")?;
    if !dir.is_dir() {
        bail!("no folder {}", dir.display());
    }
    let site = Site { dir, base, config, policy, cors };
    let server =
        Server::http((host.as_str(), port)).map_err(|error| anyhow!("cannot listen on {host}:{port}: {error}"))?;
    println!("serving http://{host}:{}{}", port_of(&server)?, site.base);
    std::io::stdout().flush()?;
    site.serve(&server)
}

fn port_of(server: &Server) -> Result<u16> {
    Ok(server.server_addr().to_ip().context("no TCP address")?.port())
}

/// JSON as it is given, or the file of that name.
fn read_config(given: &str) -> Result<Vec<u8>> {
    if given.trim_start().starts_with('{') {
        return Ok(given.as_bytes().to_vec());
    }
    fs::read(given).with_context(|| format!("cannot read {given}"))
}

/// The policy that we recommend. Scripts, styles and requests of the site's own origin, the provider
/// and its pictures; nothing inline, no frame around it, no HTML made out of text.
fn policy(connect: &[String]) -> String {
    let with = |directive: &str| connect.iter().fold(directive.to_owned(), |all, origin| format!("{all} {origin}"));
    [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self'",
        &with("connect-src 'self'"),
        &with("img-src 'self' https:"),
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ]
    .join("; ")
}

impl Site {
    /// Answers until the server is unblocked.
    fn serve(&self, server: &Server) -> Result<()> {
        let work = || {
            while let Ok(request) = server.recv() {
                // A browser that went away is no concern of a static host.
                let _ = self.answer(request);
            }
        };
        thread::scope(|scope| {
            let workers = [(); 4].map(|()| scope.spawn(work));
            workers.into_iter().try_for_each(|worker| worker.join()).map_err(|_| anyhow!("a worker stopped"))
        })
    }

    fn answer(&self, request: Request) -> std::io::Result<()> {
        let path = request.url().split(['?', '#']).next().unwrap_or_default();
        let (status, file, bytes) = match (request.method(), self.find(path)) {
            (Method::Get | Method::Head, Some((file, bytes))) => (200, file, bytes),
            (Method::Get | Method::Head, None) => (404, "404.txt".into(), b"404: there is nothing here\n".to_vec()),
            _ => (405, "405.txt".into(), b"405: this host only serves files\n".to_vec()),
        };
        let mut response = Response::from_data(bytes).with_status_code(status);
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
            "txt" => "text/plain; charset=utf-8",
            _ => "application/octet-stream",
        };
        let cache = if is_hashed(file) { "public, max-age=31536000, immutable" } else { "no-store" };
        let mut headers = vec![
            ("content-type", content_type.to_owned()),
            ("cache-control", cache.to_owned()),
            ("referrer-policy", "no-referrer".to_owned()),
            ("x-content-type-options", "nosniff".to_owned()),
        ];
        if self.cors {
            headers.push(("access-control-allow-origin", "*".to_owned()));
        }
        headers.extend(self.policy.iter().map(|policy| ("content-security-policy", policy.clone())));
        headers
    }
}

/// Whether a name carries the hash of its content: up to sixteen hexadecimal digits after a `-`. Trunk
/// writes a number, so that leading zeros are missing.
fn is_hashed(file: &Path) -> bool {
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let hash = stem.trim_end_matches("_bg").rsplit('-').next().unwrap_or_default();
    (8..=16).contains(&hash.len()) && hash.bytes().all(|b| b.is_ascii_hexdigit())
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
        let site = Site {
            dir: dir.clone(),
            base: "/sub/".to_owned(),
            config: Some(b"{}".to_vec()),
            policy: None,
            cors: false,
        };
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
    fn the_headers_are_those_that_we_recommend() {
        let policy = policy(&["http://127.0.0.1:8400".to_owned()]);
        assert_eq!(
            policy,
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self' \
             http://127.0.0.1:8400; img-src 'self' https: http://127.0.0.1:8400; base-uri 'none'; form-action \
             'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
        );
        let site =
            Site { dir: PathBuf::new(), base: "/".to_owned(), config: None, policy: Some(policy.clone()), cors: false };
        let of = |file: &str, name: &str| {
            let headers = site.headers(Path::new(file));
            headers.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value)
        };
        assert_eq!(of("index.html", "content-security-policy"), Some(policy));
        assert_eq!(of("app-0123456789abcdef_bg.wasm", "content-type").as_deref(), Some("application/wasm"));
        for fresh in ["index.html", "config.json"] {
            assert_eq!(of(fresh, "cache-control").as_deref(), Some("no-store"), "{fresh}");
            assert_eq!(of(fresh, "x-content-type-options").as_deref(), Some("nosniff"), "{fresh}");
            assert_eq!(of(fresh, "referrer-policy").as_deref(), Some("no-referrer"), "{fresh}");
        }
        assert_eq!(of("index.html", "access-control-allow-origin"), None);
        let site = Site { dir: PathBuf::new(), base: "/".to_owned(), config: None, policy: None, cors: true };
        let headers = site.headers(Path::new("index.html"));
        assert!(headers.iter().all(|(name, _)| *name != "content-security-policy"));
        assert!(headers.contains(&("access-control-allow-origin", "*".to_owned())));
    }

    #[test]
    fn st_07_every_recipe_has_this_policy() {
        let read = |name: &str| fs::read_to_string(crate::shell::root().join(name)).expect("it is there");
        let policy = policy(&["https://api.polar.sh".to_owned()]);
        // Polar's pictures are of https, which is allowed as a whole.
        let policy = policy.replace("img-src 'self' https: https://api.polar.sh", "img-src 'self' https:");
        let nginx = read("examples/hosting/nginx.conf");
        assert!(nginx.contains(&format!("add_header Content-Security-Policy \"{policy}\" always;")), "nginx.conf");
        let headers = read("examples/hosting/_headers");
        assert!(headers.contains(&format!("\n/*\n  Content-Security-Policy: {policy}\n")), "_headers");
        for (header, value) in [("Referrer-Policy", "no-referrer"), ("X-Content-Type-Options", "nosniff")] {
            assert!(nginx.contains(&format!("add_header {header} \"{value}\" always;")), "nginx.conf: {header}");
            assert!(headers.contains(&format!("\n  {header}: {value}\n")), "_headers: {header}");
        }
        let guide = read("docs/hosting.md");
        let block = format!("```\nContent-Security-Policy:\n  {}\n```", policy.replace("; ", ";\n  "));
        assert!(guide.contains(&block), "hosting.md: the policy");
        // A tag cannot do this one part, and browsers say so on the console.
        let in_a_tag = policy.replace(" frame-ancestors 'none';", "");
        let tag = format!("\n<meta http-equiv=\"Content-Security-Policy\" content=\"{in_a_tag}\">\n");
        assert!(guide.contains(&tag), "hosting.md: the tag");
        for url in ["https://api.polar.sh", "https://sandbox-api.polar.sh"] {
            assert!(guide.contains(&format!("`{url}` |")), "hosting.md: {url}");
        }
    }

    #[test]
    fn a_path_that_is_no_file_is_a_plain_404() {
        let dir = std::env::temp_dir().join(format!("polar-signin-served-{}", std::process::id()));
        fs::create_dir_all(&dir).expect("a temporary folder");
        fs::write(dir.join("index.html"), "home").expect("a file");
        let site = Site { dir: dir.clone(), base: "/some/sub/".to_owned(), config: None, policy: None, cors: false };
        let server = Server::http("127.0.0.1:0").expect("a free port");
        let port = port_of(&server).expect("a port");
        let ask = |request: &str| {
            let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).expect("it listens");
            write!(stream, "{request} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").expect("it reads");
            let mut answer = String::new();
            std::io::Read::read_to_string(&mut stream, &mut answer).expect("it answers");
            answer
        };
        thread::scope(|scope| {
            scope.spawn(|| site.serve(&server));
            let answers = [
                ask("GET /some/sub/?code=1"),
                ask("GET /some/sub/callback"),
                ask("GET /"),
                ask("POST /some/sub/"),
                ask("HEAD /some/sub/"),
            ];
            (0..4).for_each(|_| server.unblock());
            let status = answers.each_ref().map(|answer| &answer[9..12]);
            assert_eq!(status, ["200", "404", "404", "405", "200"]);
            assert!(answers[0].ends_with("\r\n\r\nhome") && answers[4].ends_with("\r\n\r\n"), "{answers:?}");
            assert!(!answers[1].contains("home"), "{}", answers[1]);
        });
        fs::remove_dir_all(dir).expect("the folder is ours");
    }

    #[test]
    fn only_names_with_a_hash_are_kept_by_caches() {
        for hashed in ["app-0123456789abcdef.js", "app-0123456789abcdef_bg.wasm", "style-c56119d36482b9d.css"] {
            assert!(is_hashed(Path::new(hashed)), "{hashed}");
        }
        for plain in ["index.html", "config.json", "boot.js", "polar-signin.svg", "icon-face.svg"] {
            assert!(!is_hashed(Path::new(plain)), "{plain}");
        }
    }
}
