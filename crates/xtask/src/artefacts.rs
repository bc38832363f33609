//! `cargo xtask artefacts`: what a built site must not hold, and what it must. Every release build
//! ends with it.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use lexopt::prelude::*;
use sha2::{Digest as _, Sha384};

use crate::{
    build,
    shell::{self, root},
};

/// The kinds of files that a site is made of. No source, no source map, nothing for developers.
const KINDS: [&str; 6] = ["html", "js", "wasm", "css", "svg", "json"];

/// What turns text into markup or code. A page that enforces Trusted Types refuses each of them; the
/// site must not even have them.
const SINKS: [&str; 16] = [
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "createContextualFragment",
    "parseFromString",
    "setHTMLUnsafe",
    "srcdoc",
    "eval(",
    "new Function",
    "setTimeout(\"",
    "setTimeout('",
    "setTimeout(`",
    "setInterval(\"",
    "setInterval('",
    "javascript:",
];
/// The name of an import, in the wasm and beside it: a name sets nothing.
const NAME_OF_IMPORT: &str = "__wbg_set_innerHTML";

/// Secrets, by what gives them away.
const SECRETS: [&str; 4] = ["PRIVATE KEY-----", "client_secret\":", "client_secret=", "\"kty\":\"oct\""];
/// How Polar's tokens and secrets begin. The app knows some of the beginnings; a secret goes on.
const BEGINNINGS: [&str; 7] =
    ["polar_cs_", "polar_oat_", "polar_pat_", "polar_at_u_", "polar_at_o_", "polar_rt_u_", "polar_crt_"];
/// How it goes on: so many letters and digits at least, with a digit among them. Some that are none can stand
/// there too: texts lie end to end in a wasm.
const REST: usize = 30;

/// What is from tests, the demo or the local provider.
const TESTS: [&str; 6] =
    ["polar.example", "polar_ci_e2e", "polar_ci_demo", "//rp.example", "//op.example", "/control/"];
/// Addresses that can only be of a test when a port follows.
const LOOPBACK: [&str; 3] = ["127.0.0.1:", "localhost:", "[::1]:"];

/// Folders of whoever built it.
const FOLDERS: [&str; 6] = ["/home/", "/Users/", "\\Users\\", ".cargo/registry", ".rustup/", "rustlib/src"];

/// What a developer's tools would follow to the sources.
const MAPS: [&str; 2] = ["sourceMappingURL", "sourceURL="];

pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<()> {
    let mut dist = root().join("dist");
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("dir") => dist = PathBuf::from(arguments.value()?),
            other => return Err(other.unexpected().into()),
        }
    }
    check(&dist)?;
    println!("{}: no secret, no path of this machine, no way from text to code", dist.display());
    Ok(())
}

/// Refuses a site that holds what it must not.
pub(crate) fn check(dist: &Path) -> Result<()> {
    let mut refused = Vec::new();
    let own = own_folders()?;
    for file in build::files(dist)? {
        let name = file.strip_prefix(dist)?.to_string_lossy().into_owned();
        let bytes = fs::read(&file)?;
        refused.extend(refusals(&name, &bytes, &own).into_iter().map(|what| format!("{name}: {what}")));
    }
    let page = fs::read_to_string(dist.join("index.html")).context("no index.html")?;
    let preloads = tags(&page).filter(|tag| tag.starts_with("link ") && attribute(tag, "rel") == Some("modulepreload"));
    // WebKit fetches and runs what it names, whatever its integrity is: a module has a script's tag of its own.
    refused.extend(preloads.map(|tag| format!("index.html: not every browser holds it to its content: <{tag}>")));
    for Seal { tag, file, by } in seals(&page) {
        let Ok(bytes) = fs::read(dist.join(file)) else {
            refused.push(format!("index.html: {file} is not there"));
            continue;
        };
        if attribute(tag, by) != Some(&integrity(&bytes)) {
            refused.push(format!("index.html: {file} is not held to its content by `{by}`"));
        }
    }
    if refused.is_empty() { Ok(()) } else { bail!("not fit for a release:\n  {}", refused.join("\n  ")) }
}

/// Folders of this machine that a compiler may have left in what it wrote.
fn own_folders() -> Result<Vec<String>> {
    let set = ["HOME", "USERPROFILE", "CARGO_HOME", "RUSTUP_HOME"].into_iter().filter_map(env::var_os);
    let folders = set.map(PathBuf::from).chain([root(), shell::target()?]);
    // A short one (`/`) would be found by chance.
    Ok(folders.map(|folder| folder.display().to_string() + "/").filter(|folder| folder.len() > 4).collect())
}

/// The same for files that belong to no page: those of these kinds.
pub(crate) fn check_files(folder: &Path, kinds: &[&str]) -> Result<()> {
    let own = own_folders()?;
    let mut refused = Vec::new();
    for file in build::files(folder)? {
        if file.extension().and_then(|kind| kind.to_str()).is_some_and(|kind| kinds.contains(&kind)) {
            let name = file.strip_prefix(folder)?.to_string_lossy().into_owned();
            refused.extend(refusals(&name, &fs::read(&file)?, &own).into_iter().map(|what| format!("{name}: {what}")));
        }
    }
    if refused.is_empty() { Ok(()) } else { bail!("not fit for a release:\n  {}", refused.join("\n  ")) }
}

fn refusals(name: &str, bytes: &[u8], own: &[String]) -> Vec<String> {
    let kind = Path::new(name).extension().and_then(|kind| kind.to_str()).unwrap_or_default();
    if !KINDS.contains(&kind) {
        return vec![format!("no file of this kind belongs to a site: {}", KINDS.join(", "))];
    }
    let holds = |text: &str| {
        let at = bytes.windows(text.len()).enumerate().filter(|(_, window)| *window == text.as_bytes());
        at.into_iter().any(|(at, _)| !bytes[..at + text.len()].ends_with(NAME_OF_IMPORT.as_bytes()))
    };
    let found = |texts: &[&str], what: &str| -> Vec<String> {
        texts.iter().filter(|text| holds(text)).map(|text| format!("{what}: `{text}`")).collect()
    };
    let mut refused = found(&SECRETS, "a secret");
    let goes_on = |start: &&&str| {
        let is_secret = |at: usize| {
            let rest = &bytes[at + start.len()..];
            let end = rest.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(rest.len());
            end >= REST && rest[..end].iter().any(u8::is_ascii_digit)
        };
        (0..bytes.len()).any(|at| bytes[at..].starts_with(start.as_bytes()) && is_secret(at))
    };
    refused.extend(BEGINNINGS.iter().filter(goes_on).map(|start| format!("a secret: `{start}…`")));
    refused.extend(found(&TESTS, "from tests"));
    let is_port = |host: &&&str| {
        let ends = |at: usize| bytes.get(at + host.len()).is_some_and(u8::is_ascii_digit);
        (0..bytes.len()).any(|at| bytes[at..].starts_with(host.as_bytes()) && ends(at))
    };
    refused.extend(LOOPBACK.iter().filter(is_port).map(|host| format!("a server of a test: `{host}…`")));
    refused.extend(found(&FOLDERS, "a folder of a machine"));
    refused
        .extend(own.iter().filter(|folder| holds(folder)).map(|folder| format!("a folder of this machine: {folder}")));
    refused.extend(found(&MAPS, "a source map"));
    refused.extend(found(&SINKS, "makes markup or code out of text"));
    if kind == "html" {
        refused.extend(inline(&String::from_utf8_lossy(bytes)));
    }
    refused
}

/// Scripts, styles and handlers that stand in the page itself, which the policy forbids.
fn inline(page: &str) -> Vec<String> {
    let mut refused = Vec::new();
    for tag in tags(page) {
        let name = tag.split_whitespace().next().unwrap_or_default();
        let is_inline = match name {
            "script" => attribute(tag, "src").is_none(),
            "style" => true,
            _ => {
                tag.split_whitespace().skip(1).any(|word| word.starts_with("on") && word.contains('='))
                    || attribute(tag, "style").is_some()
            }
        };
        if is_inline {
            refused.push(format!("inline: <{tag}>"));
        }
    }
    refused
}

/// The digest of a file's content, as hexadecimal digits for its name.
pub(crate) fn hash(bytes: &[u8]) -> String {
    Sha384::digest(bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The integrity of a file, as an attribute has it.
pub(crate) fn integrity(bytes: &[u8]) -> String {
    use base64::Engine as _;
    format!("sha384-{}", base64::engine::general_purpose::STANDARD.encode(Sha384::digest(bytes)))
}

/// A file that a page can hold to its content.
pub(crate) struct Seal<'a> {
    /// The tag that loads it.
    pub(crate) tag: &'a str,
    pub(crate) file: &'a str,
    /// The attribute with its digest.
    pub(crate) by: &'static str,
}

/// What a page can hold to its content: scripts, styles, and the wasm, which `boot.js` fetches. On
/// other links browsers ignore the attribute, and say so on the console.
pub(crate) fn seals(page: &str) -> Vec<Seal<'_>> {
    let mut seals = Vec::new();
    for tag in tags(page) {
        let is_link = tag.starts_with("link ") && attribute(tag, "rel") == Some("stylesheet");
        let loaded = match tag.starts_with("script ") {
            true => [(attribute(tag, "src"), "integrity"), (attribute(tag, "data-wasm"), "data-wasm-integrity")],
            false => [(attribute(tag, "href").filter(|_| is_link), "integrity"), (None, "")],
        };
        for (address, by) in loaded {
            let file = address.map(|address| address.strip_prefix("./").unwrap_or(address));
            seals.extend(file.map(|file| Seal { tag, file, by }));
        }
    }
    seals
}

/// What stands between `<` and `>`.
fn tags(page: &str) -> impl Iterator<Item = &str> {
    page.split('<').skip(1).filter_map(|rest| Some(rest.split_once('>')?.0))
}

/// The value of an attribute; a minifier leaves quotes out where it can.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, value) = tag.split_once(&format!(" {name}="))?;
    match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => value.split_whitespace().next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with a site in it; gone with its value.
    struct Site(PathBuf);

    impl Site {
        fn new(name: &str, files: &[(&str, &[u8])]) -> Self {
            let dist = env::temp_dir().join(format!("polar-signin-artefacts-{name}-{}", std::process::id()));
            fs::create_dir_all(&dist).expect("a temporary folder");
            for (name, bytes) in files {
                fs::write(dist.join(name), bytes).expect("a file");
            }
            Self(dist)
        }
    }

    impl Drop for Site {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn refused(name: &str, text: &str) -> Vec<String> {
        refusals(name, text.as_bytes(), &["/srv/builder/".to_owned()])
    }

    #[test]
    fn st_16_no_secret_no_test_and_no_folder_of_a_machine_is_in_a_release() {
        for bad in [
            "-----BEGIN RSA PRIVATE KEY-----",
            "x polar_cs_Zm9yIHRoZSB0ZXN0cyBvbmx5Zm9yIHRoZW0 y",
            "polar_at_u_0123456789abcdefghij0123456789",
            "polar_pat_0123456789abcdefghijKL0123456789",
            r#"{"client_secret":"x"}"#,
            "grant_type=x&client_secret=y",
            r#"{"kty":"oct","k":"AAAA"}"#,
            "https://polar.example/oauth2",
            "http://127.0.0.1:8400/v1",
            "http://localhost:3000/",
            "http://[::1]:9/",
            "polar_ci_e2e",
            "/home/somebody/app/src/main.rs",
            "C:\\Users\\somebody\\app",
            "/Users/somebody/app",
            "/any/.cargo/registry/src/a-1.0.0/lib.rs",
            "/srv/builder/src/main.rs",
            "//# sourceMappingURL=app.js.map",
        ] {
            for name in ["app.js", "app_bg.wasm", "index.html", "style.css", "config.json"] {
                assert_eq!(refused(name, bad).len(), 1, "{name}: {bad}: {:?}", refused(name, bad));
            }
        }
        // What the app itself has to know.
        let good =
            "https://api.polar.sh polar_at_o_ polar_ci_ http://localhost. http://127.0.0.1 [::1] crates/a-1/lib.rs";
        assert_eq!(refused("app_bg.wasm", good), [""; 0]);
        for kind in ["app.js.map", "main.rs", "app.d.ts", "package", "key.pem"] {
            assert_eq!(refused(kind, "").len(), 1, "{kind}");
        }
    }

    #[test]
    fn st_09_nothing_makes_markup_or_code_out_of_text() {
        for bad in [
            "a.innerHTML=b",
            "a['innerHTML']=b",
            "a.outerHTML = b",
            "a.insertAdjacentHTML('x', b)",
            "document.write(x)",
            "eval(x)",
            "new Function('x')",
            "setTimeout('x()', 1)",
            "setInterval(\"x()\", 1)",
            "location.href='javascript:x'",
            "frame.srcdoc=x",
        ] {
            for name in ["app.js", "app_bg.wasm", "boot.js"] {
                assert_eq!(refused(name, bad).len(), 1, "{name}: {bad}");
            }
        }
        for good in ["a.textContent=b", "imports.__wbg_set_innerHTML_0a1b=x", "setTimeout(x, 1)", "`Function(${name})`"]
        {
            assert_eq!(refused("app.js", good), [""; 0], "{good}");
        }
        for bad in ["<script>x</script>", "<p onclick=x()>", "<style>p{}</style>", "<p style=\"color:red\">"] {
            assert_eq!(refused("index.html", bad).len(), 1, "{bad}");
        }
        assert_eq!(refused("index.html", "<script src=./boot.js type=module></script><p class=\"one\">"), [""; 0]);
    }

    #[test]
    fn st_16_what_the_page_loads_is_held_to_its_content() {
        let [script, style, module] = [b"boot" as &[u8], b"p {}", b"export {}"];
        let page = format!(
            "<link rel=icon href=./icon.svg><link rel=stylesheet href=./a.css integrity={}>\
             <script type=module integrity=\"{}\" src=\"./boot.js\" data-wasm=./a.wasm data-wasm-integrity={}></script>\
             <script type=module src=./a.js integrity={}></script>",
            integrity(style),
            integrity(script),
            integrity(b"\0asm"),
            integrity(module)
        );
        let with = |page: &str, boot: &[u8], wasm: &[u8]| {
            let page = ("index.html", page.as_bytes());
            let files = [page, ("a.css", style), ("boot.js", boot), ("a.js", module), ("a.wasm", wasm)];
            let site = Site::new("sealed", &files);
            check(&site.0).map_err(|error| error.to_string())
        };
        assert_eq!(with(&page, script, b"\0asm"), Ok(()));
        let other = with(&page, b"other", b"\0asm").expect_err("the file is another");
        assert!(other.contains("boot.js is not held"), "{other}");
        let other = with(&page, script, b"other").expect_err("the file is another");
        assert!(other.contains("a.wasm is not held"), "{other}");
        let page = page.replace(&format!(" integrity=\"{}\"", integrity(script)), "");
        assert!(with(&page, script, b"\0asm").is_err(), "without an attribute");
        let preloaded = format!("<link href=./a.js integrity={} rel=modulepreload>", integrity(module));
        let other = with(&preloaded, script, b"\0asm").expect_err("a way that WebKit does not hold to its content");
        assert!(other.contains("modulepreload"), "{other}");
        // The digest is the one of the standard: SHA-384 of the empty text.
        assert_eq!(integrity(b""), "sha384-OLBgp1GsljhM2TJ+sbHjaiH9txEUvgdDTAzHv2P24donTt6/529l+9Ua0vFImLlb");
    }

    #[test]
    fn st_16_the_sources_of_the_page_are_fit_for_a_release() {
        for name in ["index.html", "assets/boot.js", "assets/style.css", "assets/config.json", "assets/icon.svg"] {
            let bytes = fs::read(root().join(name)).expect("it is there");
            assert_eq!(refusals(name, &bytes, &own_folders().expect("folders")), [""; 0], "{name}");
        }
    }
}
