//! Records.

use llmspan_core::{
    names::{self, Profile},
    record,
    waterfall::{self, Glyphs, HtmlStyle, Palette, Scheme, TextStyle},
};
use napi_derive::napi;
use serde::Serialize;

use crate::error::{Code, Result, raise};

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
