//! Finds the built page (`web/dist`) for `src/http/assets.rs`, or writes one that says how to build it.

use std::{env, fs, io, path::PathBuf};

const MISSING: &str = "<!doctype html>
<html lang=\"en\">
  <head>
    <meta charset=\"utf-8\" />
    <title>Trailbook</title>
  </head>
  <body>
    <h1>Trailbook</h1>
    <p>The server runs, but this binary was built without its page. Build the page with
      <code>npm ci &amp;&amp; npm run build</code> in <code>web/</code>, then build the server again.</p>
    <p>The HTTP API works: <a href=\"/docs/api\">its description</a>.</p>
  </body>
</html>
";

#[allow(clippy::disallowed_methods, reason = "this is how cargo speaks to build scripts")]
fn main() -> io::Result<()> {
    let manifest = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let built = manifest.join("../../web/dist");
    println!("cargo::rerun-if-changed={}", built.display());
    println!("cargo::rerun-if-changed=build.rs");
    let page = if built.join("index.html").exists() {
        built
    } else {
        // Watching the folder above notices that the page is built later.
        println!("cargo::rerun-if-changed={}", manifest.join("../../web").display());
        let substitute = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("page");
        fs::create_dir_all(&substitute)?;
        fs::write(substitute.join("index.html"), MISSING)?;
        substitute
    };
    println!("cargo::rustc-env=TRAILBOOK_PAGE={}", page.display());
    Ok(())
}
