//! Filters from the parameters of a URL, where a value is taken literally but for a `*` at its end.

use std::borrow::Cow;

use super::{Field, Filter, Pattern};

/// Values that one parameter may have.
const VALUES_MAX: usize = 256;

/// The filter of a parameter such as `actor=u_1&actor=u_2` (any of the values) or `-area=billing` (none of them);
/// `None` when the name is not that of a field.
///
/// A `*` at the end of a value makes it a prefix; `\*` there is a star, and `\\*` a prefix that ends in a backslash.
///
/// # Errors
/// A sentence for the caller: an empty value, one that the field cannot have, or a metadata path that is never searched.
pub fn from_parameter(name: &str, values: &[&str]) -> Result<Option<Filter>, String> {
    let (excludes, field_name) = match name.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, name),
    };
    let Some(field) = Field::from_name(field_name).map_err(|detail| format!("`{name}`: {detail}"))? else {
        return Ok(None);
    };
    if values.len() > VALUES_MAX {
        return Err(format!("`{name}` may be repeated at most {VALUES_MAX} times"));
    }
    let patterns = values.iter().map(|value| {
        let (text, is_prefix) = split_star(value);
        Pattern::new(&field, text, is_prefix).map_err(|wanted| format!("`{name}` needs {wanted}, not `{value}`"))
    });
    let patterns = patterns.collect::<Result<_, _>>()?;
    let filter = Filter::Field { field, patterns };
    Ok(Some(if excludes { filter.negated() } else { filter }))
}

fn split_star(value: &str) -> (Cow<'_, str>, bool) {
    if let Some(text) = value.strip_suffix(r"\\*") {
        (format!(r"{text}\").into(), true)
    } else if let Some(text) = value.strip_suffix(r"\*") {
        (format!("{text}*").into(), false)
    } else if let Some(text) = value.strip_suffix('*') {
        (text.into(), true)
    } else {
        (value.into(), false)
    }
}
