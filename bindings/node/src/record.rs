//! Records.

use llmspan_core::{
    metrics::{Labels, Observations, Options},
    names::{self, Profile},
    record,
    spans::{self, SpanTree},
    waterfall::{self, Glyphs, HtmlStyle, Palette, Scheme, TextStyle},
};
use napi_derive::napi;
use serde::Serialize;

use crate::{
    error::{Code, Result, raise},
    export::{ids, layout, metric_names},
};

/// One call, finalized.
#[napi]
pub struct Record(pub(crate) record::Record);

#[napi]
impl Record {
    /// Reads a record from JSON.
    #[napi(factory, catch_unwind)]
    pub fn from_json(json: String) -> Result<Self> {
        record::Record::from_json(&json).map(Self).map_err(raise)
    }

    /// The record as JSON, without absent values: the same text in every language.
    #[napi(catch_unwind)]
    pub fn json(&self) -> String {
        self.0.to_json()
    }

    /// The attributes of the call's span as JSON, under the names of every profile given.
    #[napi(catch_unwind)]
    pub fn attributes(&self, profiles: Vec<String>) -> Result<String> {
        to_json(&names::call_attributes(&self.0, &profiles_of(&profiles)?))
    }

    /// The attributes of each attempt's span as JSON.
    #[napi(catch_unwind)]
    pub fn attempt_attributes(&self, profiles: Vec<String>) -> Result<String> {
        to_json(&names::attempt_attributes(&self.0, &profiles_of(&profiles)?))
    }

    /// The spans of the call as JSON, with ids made of 24 random bytes where it has none; nothing if it has none then.
    #[napi(catch_unwind)]
    pub fn spans(&self, profiles: Vec<String>, per_attempt: bool, random: &[u8]) -> Result<Option<String>> {
        let profiles = profiles_of(&profiles)?;
        let tree = SpanTree::new(&self.0, &layout(per_attempt, &profiles), &ids(random));
        Ok(tree.map(|tree| tree.to_json()))
    }

    /// The attributes of the call as JSON that may be added to a span of another library for it which has those `known`.
    #[napi(catch_unwind)]
    pub fn missing_attributes(&self, profiles: Vec<String>, known: Vec<String>) -> Result<String> {
        let mut attributes = names::call_attributes(&self.0, &profiles_of(&profiles)?);
        attributes.retain(|name, _| spans::may_join(name) && !known.contains(name));
        to_json(&attributes)
    }

    /// What the record adds to the metrics of a profile, as JSON, with no more than about so many gaps between chunks.
    #[napi(catch_unwind)]
    pub fn measurements(&self, profile: String, response_model: bool, gaps: u32) -> Result<String> {
        let labels = if response_model { Labels::WithResponseModel } else { Labels::Default };
        let options = Options::default().with_labels(labels);
        Ok(Observations::new(&self.0, metric_names(&profile)?, &options).to_json(gaps.into()))
    }

    /// The value of a `Server-Timing` header.
    #[napi(catch_unwind)]
    pub fn server_timing(&self) -> String {
        self.0.server_timing()
    }

    /// Lines for people.
    #[napi(catch_unwind)]
    pub fn explain(&self) -> Vec<String> {
        self.0.explain().into_iter().map(|line| line.text).collect()
    }

    /// What other tools would report, as JSON.
    #[napi(catch_unwind)]
    pub fn definitions(&self) -> Result<String> {
        to_json(&self.0.definitions())
    }

    /// The waterfall in text, some columns wide.
    #[napi(catch_unwind)]
    pub fn waterfall_text(&self, width: Option<u32>, ansi: bool, ascii: bool, title: Option<String>) -> String {
        let mut style = TextStyle::default();
        if let Some(width) = width {
            style = style.with_width(usize::try_from(width).unwrap_or(usize::MAX));
        }
        if ansi {
            style = style.with_palette(Palette::Ansi);
        }
        if ascii {
            style = style.with_glyphs(Glyphs::Ascii);
        }
        if let Some(title) = title {
            style = style.with_title(&title);
        }
        waterfall::text(&self.0, &style)
    }

    /// The waterfall as one HTML figure, in the colours `dark` or `light`, or as the reader prefers.
    #[napi(catch_unwind)]
    pub fn waterfall_html(&self, scheme: Option<String>, title: Option<String>) -> String {
        let mut style = HtmlStyle::default();
        match scheme.as_deref() {
            Some("dark") => style = style.with_scheme(Scheme::Dark),
            Some("light") => style = style.with_scheme(Scheme::Light),
            _ => {}
        }
        if let Some(title) = title {
            style = style.with_title(&title);
        }
        waterfall::html(&self.0, &style)
    }

    /// The waterfall as JSON.
    #[napi(catch_unwind)]
    pub fn waterfall_json(&self) -> String {
        waterfall::json(&self.0)
    }
}

/// Profiles by their names; the default one when none is named.
pub(crate) fn profiles_of(names: &[String]) -> Result<Vec<&'static Profile>> {
    if names.is_empty() {
        return Ok(vec![Profile::by_name(Profile::DEFAULT).map_err(raise)?]);
    }
    names.iter().map(|name| Profile::by_name(name).map_err(raise)).collect()
}

fn to_json(value: &impl Serialize) -> Result<String> {
    const UNWRITABLE: Code = "invalid_record";
    serde_json::to_string(value).map_err(|error| napi::Error::new(UNWRITABLE, error.to_string()))
}
