//! How filters, facets and indexes see an event: the values of its fields and the texts that words are searched in.

use std::{borrow::Cow, net::IpAddr};

use super::{Field, Record, indexed_metadata, metadata};

/// Hands over the values of a field, as stored; the same value may come more than once, none when the field is unset.
///
/// Addresses come in their shortest form, IPv4-mapped ones as IPv4. Metadata come in their text form.
pub fn values(record: &Record<'_>, field: &Field, each: &mut dyn FnMut(&str)) {
    let event = record.event;
    let mut some = |text: &Option<Cow<'_, str>>| text.iter().for_each(|text| each(text));
    match field {
        Field::Action => each(&event.action),
        Field::ActionType => each(&event.action_type),
        Field::Area => some(&event.area),
        Field::Product => some(&event.product),
        Field::Actor => [&event.actor.id, &event.actor.email, &event.actor.name]
            .into_iter()
            .for_each(some),
        Field::ActorType => each(&event.actor.kind),
        Field::Team => some(&event.actor.team),
        Field::Target => {
            for target in &event.targets {
                [&target.id, &target.email, &target.name]
                    .into_iter()
                    .for_each(&mut some);
            }
        }
        Field::TargetType => event.targets.iter().for_each(|target| each(&target.kind)),
        Field::Ip => event.context.ip.iter().for_each(|ip| each(&address_text(ip))),
        Field::Country => record.country.into_iter().for_each(each),
        Field::Result => each(&event.result),
        Field::TraceId => some(&event.trace_id),
        Field::ClientId => some(&event.client_id),
        Field::Security => each(if event.security { "true" } else { "false" }),
        Field::Changed => event.changes.iter().for_each(|change| each(&change.field)),
        Field::Metadata(path) => indexed_metadata(event, &mut |at, value| {
            if at == path.as_str() {
                each(value);
            }
        }),
    }
}

/// Hands over the values that a facet counts, each with a label when the field has one; a value may come more than once.
///
/// These are the values of [`values`], but one for an actor and one for each target: the id, or without one the e-mail
/// address or the name. The label of those two is the name.
pub fn facet_values(record: &Record<'_>, field: &Field, each: &mut dyn FnMut(&str, Option<&str>)) {
    let mut one = |id: &Option<Cow<'_, str>>, email: &Option<Cow<'_, str>>, name: &Option<Cow<'_, str>>| {
        if let Some(value) = id.as_ref().or(email.as_ref()).or(name.as_ref()) {
            each(value, name.as_deref());
        }
    };
    match field {
        Field::Actor => one(
            &record.event.actor.id,
            &record.event.actor.email,
            &record.event.actor.name,
        ),
        Field::Target => {
            for target in &record.event.targets {
                one(&target.id, &target.email, &target.name);
            }
        }
        _ => values(record, field, &mut |value| each(value, None)),
    }
}

/// Hands over every text that word search looks into: description, message, action, the actor's and the targets' ids,
/// names and addresses, the actor's team, the targets' types, changed fields with their values, and indexed metadata.
///
/// Words in a row never reach over two of these texts.
pub fn searched_texts(record: &Record<'_>, each: &mut dyn FnMut(&str)) {
    let event = record.event;
    let actor = &event.actor;
    each(&event.action);
    let texts = [
        &event.description,
        &event.message,
        &actor.id,
        &actor.name,
        &actor.email,
        &actor.team,
    ];
    texts.into_iter().flatten().for_each(|text| each(text));
    for target in &event.targets {
        each(&target.kind);
        [&target.id, &target.name, &target.email]
            .into_iter()
            .flatten()
            .for_each(|text| each(text));
    }
    let mut scratch = String::new();
    for change in &event.changes {
        each(&change.field);
        for value in [&change.before, &change.after].into_iter().flatten() {
            metadata::scalars(value, &mut scratch, each);
        }
    }
    indexed_metadata(event, &mut |_, value| each(value));
}

fn address_text(stored: &str) -> Cow<'_, str> {
    match stored.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => Cow::Owned(IpAddr::V6(address).to_canonical().to_string()),
        Ok(IpAddr::V4(_)) | Err(_) => Cow::Borrowed(stored),
    }
}
