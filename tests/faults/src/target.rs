//! Where a request goes, and what it asks for on the way: `/s/{scenario}/real/path`, and the header `x-faults`.

use percent_encoding::percent_decode_str;

use crate::{
    params::{self, Params},
    request::Request,
    scenario,
};

/// The target of a request.
#[derive(Debug)]
pub(crate) struct Target {
    /// The provider's path, with the query.
    pub(crate) path: String,
    /// What is asked for, the prefix before the header: what comes later wins.
    asked: Vec<String>,
}

impl Target {
    /// Takes the prefix off.
    ///
    /// # Errors
    /// When the prefix or the header cannot be read.
    pub(crate) fn of(request: &Request) -> Result<Self, String> {
        let mut path = request.target.as_str();
        let mut asked = Vec::new();
        if let Some(rest) = path.strip_prefix("/s/") {
            // A client that posts to its base URL itself leaves nothing behind the prefix.
            let end = rest.find('/').unwrap_or(rest.len());
            path = if end == rest.len() { "/" } else { &rest[end..] };
            asked.push(&rest[..end]);
        }
        asked.extend(request.header("x-faults"));
        let decode = |text: &str| {
            let text = percent_decode_str(text).decode_utf8().map_err(|_| "a scenario is UTF-8".to_owned())?;
            // It may become part of a header.
            if text.contains(char::is_control) { Err("a scenario is one line".into()) } else { Ok(text.into_owned()) }
        };
        let asked = asked.into_iter().map(decode).collect::<Result<_, String>>()?;
        Ok(Self { path: path.into(), asked })
    }

    /// The parameters of request `number` of its run; without a number, those of all its requests.
    ///
    /// # Errors
    /// When there is no such parameter or scenario, or a plan of several steps has no run.
    pub(crate) fn params(&self, number: Option<usize>) -> Result<Params, String> {
        let mut params = Params::default();
        for text in &self.asked {
            for part in params::parts(text) {
                if part.contains('=') {
                    params.apply(part, number)?;
                } else {
                    params.apply(scenario::faults_of(part)?, number)?;
                }
            }
        }
        if params.plan.len() > 1 && params.run.is_none() {
            return Err("a plan of several steps needs `run=ID`, to tell which request is which".into());
        }
        Ok(params)
    }
}
