//! `cargo xtask package`: `pkg/`, the JavaScript package, ready for `npm pack`.
//!
//! The modules are shipped as they are written, but for three names that the build fills in: whoever has a bundler has
//! what makes them small. Beside them lies `polar-signin.js`: all of them in one file, as short as it can be, for a
//! `<script>` tag, whose `integrity` then vouches for every byte, the WebAssembly included.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    artefacts, build, scripts,
    shell::{cargo, root, run, target},
    tools::{self, Tools},
};

/// In this order none needs a later one.
const MODULES: [&str; 14] = [
    "errors",
    "options",
    "wasm",
    "request",
    "frame",
    "window",
    "response",
    "client",
    "attributes",
    "link",
    "styles",
    "texts",
    "element",
    "define",
];
/// Not in the one file.
const FURTHER: [&str; 1] = ["index"];
/// All of them in one file.
const WHOLE: &str = "polar-signin.js";
/// The features that every browser with modules and `WebAssembly.instantiateStreaming` of today has.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-multivalue",
];

pub(crate) fn command(mut arguments: lexopt::Parser) -> Result<()> {
    let mut dpop = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            lexopt::Arg::Long("dpop") => dpop = true,
            other => return Err(other.unexpected().into()),
        }
    }
    let pkg = root().join("pkg");
    make_with(&tools::for_site(true)?, &pkg, dpop)?;
    report(&pkg)
}

/// Builds the package into a folder, which is emptied first.
pub(crate) fn make(tools: &Tools, pkg: &Path) -> Result<()> {
    make_with(tools, pkg, false)
}

/// The same, with proof of possession (RFC 9449) or without.
pub(crate) fn make_with(tools: &Tools, pkg: &Path, dpop: bool) -> Result<()> {
    let sources = root().join("crates/element/js");
    let bound = bind(tools, dpop)?;
    if pkg.exists() {
        fs::remove_dir_all(pkg)?;
    }
    fs::create_dir_all(pkg)?;
    let wasm = fs::read(bound.join("polar_signin_bg.wasm"))?;
    let names = Names::of(&wasm);
    let glue = names.fill(&glue(&fs::read_to_string(bound.join("polar_signin.js"))?)?);
    fs::write(pkg.join(&names.wasm), &wasm)?;
    fs::write(pkg.join(&names.glue), &glue)?;
    let mut bundle = Bundle::default();
    bundle.add("glue", &glue)?;
    for name in MODULES.into_iter().chain(FURTHER) {
        let text = fs::read_to_string(sources.join(format!("{name}.js")))?;
        fs::write(pkg.join(format!("{name}.js")), names.fill(&text))?;
        if MODULES.contains(&name) {
            bundle.add(name, &names.fill(&text))?;
        }
    }
    let whole = pkg.join(WHOLE);
    fs::write(&whole, bundle.finish())?;
    fs::write(&whole, scripts::short(tools, &whole)?)?;
    for types in ["index.d.ts", "element.d.ts", "define.d.ts", "react.d.ts"] {
        fs::copy(sources.join(types), pkg.join(types)).context(types)?;
    }
    let manifest = fs::read_to_string(sources.join("package.json"))?;
    let manifest = manifest.replace("\"0.0.0\"", &format!("\"{}\"", env!("CARGO_PKG_VERSION")));
    fs::write(pkg.join("package.json"), manifest)?;
    fs::copy(root().join("crates/element/README.md"), pkg.join("README.md"))?;
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        fs::copy(root().join(licence), pkg.join(licence))?;
    }
    artefacts::check_files(pkg, &["js", "wasm"])
}

/// Compiles, and lets wasm-bindgen and wasm-opt do their parts.
fn bind(tools: &Tools, dpop: bool) -> Result<PathBuf> {
    let mut compile = cargo();
    compile.args(["build", "--quiet", "--release", "--target", "wasm32-unknown-unknown"]);
    compile.args(["--package", "polar-signin-element"]);
    if dpop {
        compile.args(["--features", "dpop"]);
    }
    tools.for_size(&mut compile);
    run(compile.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", build::rust_flags()?))?;
    let bound = target()?.join("package");
    let mut bindgen = Command::new("wasm-bindgen");
    bindgen.args(["--target", "web", "--no-typescript", "--out-name", "polar_signin", "--out-dir"]).arg(&bound);
    bindgen.arg(target()?.join("wasm32-unknown-unknown/release/polar_signin_element.wasm"));
    run(tools.on_path(&mut bindgen))?;
    if tools.wasm_opt {
        let wasm = bound.join("polar_signin_bg.wasm");
        run(tools.on_path(Command::new("wasm-opt").arg("-Oz").args(FEATURES).arg(&wasm).arg("-o").arg(&wasm)))?;
    }
    Ok(bound)
}

/// What wasm-bindgen wrote, without its own idea of where the wasm is: a bundler would pack it twice.
fn glue(text: &str) -> Result<String> {
    const OWN: &str = "new URL('polar_signin_bg.wasm', import.meta.url)";
    if text.matches(OWN).count() != 1 {
        bail!("wasm-bindgen writes another glue than it did: where is {OWN}?");
    }
    Ok(text.replace(OWN, "undefined"))
}

/// The names of the files that hold their version, and the digest of the wasm.
struct Names {
    glue: String,
    wasm: String,
    integrity: String,
}

impl Names {
    fn of(wasm: &[u8]) -> Self {
        let hash = artefacts::hash(wasm);
        Self {
            glue: format!("polar_signin-{hash}.js"),
            wasm: format!("polar_signin-{hash}_bg.wasm"),
            integrity: artefacts::integrity(wasm),
        }
    }

    fn fill(&self, text: &str) -> String {
        let known = [("__GLUE__", &self.glue), ("__WASM__", &self.wasm), ("__INTEGRITY__", &self.integrity)];
        known.iter().fold(text.to_owned(), |text, (mark, name)| text.replace(mark, name))
    }
}

/// Modules in one file: each a function of its own, so that their names do not meet.
#[derive(Default)]
struct Bundle(String);

impl Bundle {
    fn add(&mut self, name: &str, text: &str) -> Result<()> {
        let mut exported = Vec::new();
        let mut body = String::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("import ") {
                let (what, from) = rest.split_once(" from \"./").context("an import of another form")?;
                let from = from.trim_end_matches(';').trim_matches('"').trim_end_matches(".js");
                if !self.0.contains(&format!("const {} = ", variable(from))) {
                    bail!("{name}.js imports {from}.js, which MODULES does not name before it");
                }
                body += &format!("const {what} = {};\n", variable(from));
            } else if let Some(list) = line.strip_prefix("export { ") {
                let list = list.split('}').next().unwrap_or_default();
                exported.extend(list.split(',').map(|name| match name.trim().split_once(" as ") {
                    Some((inside, outside)) => format!("{outside}: {inside}"),
                    None => name.trim().to_owned(),
                }));
            } else if let Some(declared) = line.strip_prefix("export ") {
                let mut words = declared.split([' ', '(', '=', '{']).filter(|word| !word.is_empty());
                let name = words.find(|word| !["async", "function", "class", "const"].contains(word));
                exported.push(name.context("an export of another form")?.to_owned());
                body += &format!("{declared}\n");
            } else if name == "wasm" && line.starts_with("const glue = ") {
                body += "const glue = async () => m_glue();\n";
            } else {
                body += line;
                body.push('\n');
            }
        }
        let known = format!("{{ __proto__: null, {} }}", exported.join(", "));
        // Of what wasm-bindgen wrote there can be another, if one has come to its end.
        let at_once = if name == "glue" { "" } else { "()" };
        self.0 += &format!("const {} = (() => {{\n{body}return {known};\n}}){at_once};\n", variable(name));
        Ok(())
    }

    fn finish(mut self) -> String {
        self.0 += "export const { createClient, PolarSigninClient } = m_client;\n";
        self.0 += "export const { PolarSigninError } = m_errors;\nexport const { PolarSigninElement } = m_element;\n";
        self.0
    }
}

fn variable(module: &str) -> String {
    format!("m_{module}")
}

/// The sizes, and what a page writes to use it.
fn report(pkg: &Path) -> Result<()> {
    build::sizes(pkg)?;
    println!("\nintegrity:");
    for name in fs::read_dir(pkg)?.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()) {
        if name.ends_with(".js") || name.ends_with(".wasm") {
            println!("  {name:<40} {}", artefacts::integrity(&fs::read(pkg.join(&name))?));
        }
    }
    println!(
        "\n<script type=\"module\" src=\"https://YOURS/polar-signin@{}/{WHOLE}\"\n  integrity=\"{}\" crossorigin=\"anonymous\"></script>",
        env!("CARGO_PKG_VERSION"),
        artefacts::integrity(&fs::read(pkg.join(WHOLE))?)
    );
    println!("\nnpm pack ./pkg");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_in_one_file_keep_their_names_apart() {
        let mut bundle = Bundle::default();
        bundle.add("a", "// A.\nconst hidden = 1;\nexport function f() {\n  return hidden;\n}\n").expect("a module");
        bundle
            .add("b", "import { f } from \"./a.js\";\nexport const g = f();\nexport { g as h };\n")
            .expect("a module");
        let text = bundle.0;
        assert_eq!(
            text,
            "const m_a = (() => {\n// A.\nconst hidden = 1;\nfunction f() {\n  return hidden;\n}\nreturn { __proto__: null, f };\n})();\n\
             const m_b = (() => {\nconst { f } = m_a;\nconst g = f();\nreturn { __proto__: null, g, h: g };\n})();\n"
        );
    }

    #[test]
    fn st_16_the_wasm_is_named_and_held_by_its_content() {
        let [one, other] = [Names::of(b"one"), Names::of(b"other")];
        assert!(one.wasm != other.wasm && one.glue != other.glue && one.integrity != other.integrity);
        let filled = one.fill("fetch(\"./__WASM__\", { integrity: \"__INTEGRITY__\" }), import(\"./__GLUE__\")");
        assert!(filled.contains(&one.integrity) && !filled.contains("__"), "{filled}");
    }
}
