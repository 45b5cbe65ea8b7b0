//! `trailbook demo`: events to look at, loaded into a running server: real ones, pseudonymised, or the examples of a profile.
//!
//! The real events come with the source in `testdata/real`, a file per source; see its README for licences.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, ensure};
use clap::Args;
use trailbook_event::Timestamp;
use trailbook_import::{BUILT_IN, command as import};

use crate::{
    client::{Server, encoded, tls},
    profile,
};

/// Load events to look at into a running server: the real ones that come with Trailbook, or a profile's examples
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  trailbook demo --key KEY
  trailbook demo --key KEY --profile shop.toml

With a profile the project gets its policy and catalog, and the organization its examples, repeated over the last weeks.")]
pub(crate) struct Arguments {
    /// The folder with the events
    #[arg(long, value_name = "DIR", default_value = "testdata/real")]
    events: PathBuf,
    /// A profile, by its name or file, whose examples are loaded instead
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// The organization to load them into
    #[arg(long, value_name = "NAME", default_value = profile::DEMO)]
    organization: String,
    #[command(flatten)]
    server: Server,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments, now: Timestamp) -> anyhow::Result<ExitCode> {
    if let Some(profile) = &arguments.profile {
        profile::demonstrate(&arguments.server, profile, &arguments.organization, now)?;
        print!("{}", introduction(&arguments.server, &arguments.organization));
        return Ok(ExitCode::SUCCESS);
    }
    let sources = sources(&arguments.events)?;
    ensure!(
        !sources.is_empty(),
        "{} holds no events of a known source",
        arguments.events.display()
    );
    for source in sources {
        let name = source.name.clone();
        let outcome = import::run_command(&load(arguments, source), now, tls);
        ensure!(outcome != ExitCode::from(2), "the events of {name} could not be loaded");
    }
    print!("{}", introduction(&arguments.server, &arguments.organization));
    Ok(ExitCode::SUCCESS)
}

/// A file of events and how to read it.
struct Source {
    name: String,
    file: PathBuf,
    /// For sources that import does not know by itself.
    mapping: Option<PathBuf>,
}

/// The files `NAME.jsonl.gz` whose mapping is built in, or is beside them in `../mappings/NAME.toml`.
fn sources(folder: &Path) -> anyhow::Result<Vec<Source>> {
    let entries = fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let source = |file: PathBuf| {
        let name = file.file_name()?.to_str()?.strip_suffix(".jsonl.gz")?.to_owned();
        let mapping = folder.join("../mappings").join(format!("{name}.toml"));
        let built_in = BUILT_IN.iter().any(|(known, _)| *known == name);
        let mapping = (!built_in).then_some(mapping);
        mapping
            .as_ref()
            .is_none_or(|mapping| mapping.exists())
            .then_some(Source { name, file, mapping })
    };
    Ok(files.into_iter().filter_map(source).collect())
}

fn load(arguments: &Arguments, source: Source) -> import::Arguments {
    let rejects = format!("trailbook-demo-{}.rejects.jsonl", source.name);
    import::Arguments {
        from: if source.mapping.is_some() {
            "generic".to_owned()
        } else {
            source.name
        },
        mapping: source.mapping,
        organization: arguments.organization.clone(),
        server: Some(arguments.server.server.clone()),
        key: Some(arguments.server.key.clone()),
        project: arguments.server.project.clone(),
        check: false,
        rejects: Some(std::env::temp_dir().join(rejects)),
        files: vec![source.file],
    }
}

/// What to do next; first of all the link that opens the page signed in. The key stays in its fragment, which browsers keep
/// to themselves.
fn introduction(server: &Server, organization: &str) -> String {
    let (url, key) = (server.server.trim_end_matches('/'), &server.key);
    let mut link = format!("{url}/#key={}&organization={}", encoded(key), encoded(organization));
    let mut header = String::new();
    if let Some(project) = &server.project {
        link += &format!("&project={}", encoded(project));
        header = format!(" -H 'Trailbook-Project: {project}'");
    }
    format!(
        "{link}\n\n  organization:  {organization}\n  key:           {key}\n\n\
         Open the link to look at the events. Add one, and see it appear at once:\n\n\
         curl -sS {url}/v1/events -H 'Authorization: Bearer {key}'{header} -H 'Content-Type: application/json' -d '{{\n  \
         \"organization\": \"{organization}\",\n  \"action\": \"user.role.updated\",\n  \"action_type\": \"update\",\n  \
         \"description\": \"Made organization owner\",\n  \"security\": true,\n  \
         \"actor\": {{\"id\": \"u_81\", \"name\": \"Sarah Khan\", \"email\": \"sarah@fashion.example\"}},\n  \
         \"targets\": [{{\"type\": \"user\", \"id\": \"u_92\", \"name\": \"Bill Hart\"}}],\n  \
         \"changes\": [{{\"field\": \"role\", \"before\": \"administrator\", \"after\": \"owner\"}}]\n}}'\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_a_link_that_signs_in() {
        let mut server = Server {
            server: "http://127.0.0.1:8321/".to_owned(),
            key: "tb_root_a+b&c".to_owned(),
            project: None,
        };
        let link = |server: &Server| introduction(server, "demo").lines().next().map(str::to_owned);
        let expected = "http://127.0.0.1:8321/#key=tb_root_a%2Bb%26c&organization=demo";
        assert_eq!(link(&server).as_deref(), Some(expected));
        server.project = Some("shop".to_owned());
        assert_eq!(link(&server), Some(format!("{expected}&project=shop")));
    }
}
