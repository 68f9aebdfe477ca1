//! Records.

use alloc::string::String;
#[cfg(feature = "full")]
use alloc::vec::Vec;

use llmspan_core::record;
#[cfg(feature = "full")]
use llmspan_core::{
    definitions,
    metrics::{Labels, Observations, Options},
    names::{self, Profile},
    spans::{self, Context, SpanTree},
    waterfall::{self, Glyphs, HtmlStyle, Palette, Scheme, TextStyle},
};
use wasm_bindgen::prelude::*;

#[cfg(feature = "full")]
use crate::{
    error::{Result, raise},
    export::{layout, metric_names},
};

/// One call, finalized.
#[wasm_bindgen]
pub struct Record(pub(crate) record::Record);

#[wasm_bindgen]
impl Record {
    /// The record as JSON, without absent values: the same text in every language.
    pub fn json(&self) -> String {
        self.0.to_json()
    }
}

#[cfg(feature = "full")]
#[wasm_bindgen]
impl Record {
    /// Reads a record from JSON.
    #[wasm_bindgen(js_name = fromJson)]
    pub fn from_json(json: &str) -> Result<Record> {
        record::Record::from_json(json).map(Self).map_err(raise)
    }

    /// The attributes of the call's span as JSON, under the names of every profile given.
    pub fn attributes(&self, profiles: Vec<String>) -> Result<String> {
        Ok(record::attributes_to_json(&names::call_attributes(&self.0, &Profile::by_names(&profiles).map_err(raise)?)))
    }

    /// The attributes of each attempt's span as JSON.
    #[wasm_bindgen(js_name = attemptAttributes)]
    pub fn attempt_attributes(&self, profiles: Vec<String>) -> Result<String> {
        Ok(record::attributes_of_each_to_json(&names::attempt_attributes(
            &self.0,
            &Profile::by_names(&profiles).map_err(raise)?,
        )))
    }

    /// The spans of the call as JSON, with ids made of 24 random bytes where it has none; nothing if it has none then.
    pub fn spans(&self, profiles: Vec<String>, per_attempt: bool, random: &[u8]) -> Result<Option<String>> {
        let profiles = Profile::by_names(&profiles).map_err(raise)?;
        let tree = SpanTree::new(&self.0, &layout(per_attempt, &profiles), &Context::default().with_random_ids(random));
        Ok(tree.map(|tree| tree.to_json()))
    }

    /// The attributes of the call as JSON that may be added to a span of another library for it which has those `known`.
    #[wasm_bindgen(js_name = missingAttributes)]
    pub fn missing_attributes(&self, profiles: Vec<String>, known: Vec<String>) -> Result<String> {
        let known = |name: &str| known.iter().any(|known| known == name);
        Ok(record::attributes_to_json(&spans::missing_attributes(
            &self.0,
            &Profile::by_names(&profiles).map_err(raise)?,
            known,
        )))
    }

    /// What the record adds to the metrics of a profile, as JSON, with no more than about so many gaps between chunks.
    pub fn measurements(&self, profile: &str, response_model: bool, gaps: u32) -> Result<String> {
        let labels = if response_model { Labels::WithResponseModel } else { Labels::Default };
        let options = Options::default().with_labels(labels);
        Ok(Observations::new(&self.0, metric_names(profile)?, &options).to_json(gaps.into()))
    }

    /// The value of a `Server-Timing` header.
    #[wasm_bindgen(js_name = serverTiming)]
    pub fn server_timing(&self) -> String {
        self.0.server_timing()
    }

    /// Lines for people.
    pub fn explain(&self) -> Vec<String> {
        self.0.explain().into_iter().map(|line| line.text).collect()
    }

    /// What other tools would report, as JSON.
    pub fn definitions(&self) -> String {
        definitions::to_json(&self.0.definitions())
    }

    /// The waterfall in text, some columns wide.
    #[wasm_bindgen(js_name = waterfallText)]
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
    #[wasm_bindgen(js_name = waterfallHtml)]
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
    #[wasm_bindgen(js_name = waterfallJson)]
    pub fn waterfall_json(&self) -> String {
        waterfall::json(&self.0)
    }
}
