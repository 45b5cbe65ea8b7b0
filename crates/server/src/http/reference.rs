//! The page `/docs/api`: the OpenAPI document as plain HTML. No scripts, no network, no state.

use std::fmt::Write;

use serde_json::Value;

use crate::markup::escaped;

const STYLE: &str = "/docs/api.css";

/// The page for an OpenAPI document.
pub(crate) fn page(document: &str) -> String {
    let document: Value = serde_json::from_str(document).unwrap_or_default();
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Trailbook HTTP API</title>\n<link rel=\"stylesheet\" href=\"{STYLE}\">\n</head>\n<body>\n<main>\n\
         <h1>Trailbook HTTP API</h1>\n<p>Version {}. The same as data: <a href=\"/openapi.json\">openapi.json</a>.</p>\n",
        escaped(text(&document["info"]["version"]))
    );
    for (path, item) in members(&document["paths"]) {
        for (method, operation) in members(item) {
            write_operation(&mut out, path, method, operation);
        }
    }
    out.push_str("<h2>Documents</h2>\n");
    for (name, schema) in members(&document["components"]["schemas"]) {
        write_schema(&mut out, name, schema);
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn write_operation(out: &mut String, path: &str, method: &str, operation: &Value) {
    let method = method.to_uppercase();
    push(
        out,
        format_args!("<section>\n<h2><b>{method}</b> <code>{}</code></h2>\n", escaped(path)),
    );
    push(out, format_args!("<p>{}</p>\n", escaped(text(&operation["summary"]))));
    if let Some(parameters) = operation["parameters"].as_array() {
        out.push_str("<details><summary>Parameters</summary>\n<table>\n<tr><th>Name<th>In<th>Type<th>Meaning\n");
        for parameter in parameters {
            let [name, place, meaning] = ["name", "in", "description"].map(|key| escaped(text(&parameter[key])));
            let kind = kind(&parameter["schema"]);
            push(
                out,
                format_args!("<tr><td><code>{name}</code><td>{place}<td>{kind}<td>{meaning}\n"),
            );
        }
        out.push_str("</table>\n</details>\n");
    }
    for (media, content) in members(&operation["requestBody"]["content"]) {
        push(
            out,
            format_args!(
                "<p>Body: <code>{}</code> {}</p>\n",
                escaped(media),
                kind(&content["schema"])
            ),
        );
    }
    out.push_str("<table>\n<tr><th>Status<th>Meaning<th>Answer\n");
    for (status, response) in members(&operation["responses"]) {
        let kinds: Vec<String> = members(&response["content"])
            .map(|(media, content)| format!("{} <code>{}</code>", kind(&content["schema"]), escaped(media)))
            .collect();
        let meaning = escaped(text(&response["description"]));
        push(
            out,
            format_args!("<tr><td>{}<td>{meaning}<td>{}\n", escaped(status), kinds.join("<br>")),
        );
    }
    out.push_str("</table>\n</section>\n");
}

fn write_schema(out: &mut String, name: &str, schema: &Value) {
    let name = escaped(name);
    push(out, format_args!("<section id=\"{name}\">\n<h3>{name}</h3>\n"));
    push(
        out,
        format_args!(
            "<p>{}</p>\n<table>\n<tr><th>Member<th>Type<th>Meaning\n",
            escaped(text(&schema["description"]))
        ),
    );
    let own = members(&schema["properties"]);
    let inherited = schema["allOf"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|part| members(&part["properties"]));
    for (member, property) in own.chain(inherited) {
        let meaning = escaped(text(&property["description"]));
        push(
            out,
            format_args!(
                "<tr><td><code>{}</code><td>{}<td>{meaning}\n",
                escaped(member),
                kind(property)
            ),
        );
    }
    out.push_str("</table>\n</section>\n");
}

/// A schema in a few words: a link to its document, a list of something, or its type.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|reference| reference.rsplit('/').next())
    {
        return format!("<a href=\"#{0}\">{0}</a>", escaped(name));
    }
    if let Some(choices) = schema["enum"].as_array() {
        let choices: Vec<String> = choices
            .iter()
            .map(|choice| format!("<code>{}</code>", escaped(text(choice))))
            .collect();
        return choices.join(", ");
    }
    for several in ["oneOf", "anyOf", "allOf"] {
        if let Some(parts) = schema[several].as_array() {
            return parts.iter().map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    match &schema["type"] {
        Value::String(one) if one == "array" => format!("list of {}", kind(&schema["items"])),
        Value::String(one) => escaped(one),
        Value::Array(several) => {
            let names = several.iter().map(|one| match text(one) {
                "array" => format!("list of {}", kind(&schema["items"])),
                other => escaped(other),
            });
            names.collect::<Vec<_>>().join(" or ")
        }
        _ => "any".into(),
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, member)| (name.as_str(), member))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes all text");
}

/// The page's style sheet: a file of its own, for the content security policy allows no inline styles.
pub(crate) const STYLE_SHEET: &str = "\
:root{color-scheme:light dark}
body{font:15px/1.5 system-ui,sans-serif;margin:0}
main{max-width:72rem;margin:0 auto;padding:1rem 1.5rem 4rem}
h2{font-size:1.05rem;margin:2rem 0 .25rem}
h2 b{display:inline-block;min-width:3.5rem}
table{border-collapse:collapse;width:100%;margin:.5rem 0}
th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #8884}
code{font:13px/1.4 ui-monospace,monospace}
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_every_path_and_needs_no_network() {
        let page = page(super::super::openapi::document());
        assert!(page.contains("/v1/organizations/{organization}/events/histogram"));
        assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("<script"));
    }
}
