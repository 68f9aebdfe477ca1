//! Credentials are taken out of error messages, however they stand in them, also where messages are asked for.

mod support;

use std::collections::BTreeSet;

use llmspan::{Failure, Memory};
use llmspan_privacy::{Output, Search, Secrets};

use crate::support::{builder, nothing_leaks};

/// Credentials as they stand in the messages of servers and of HTTP clients.
const MESSAGES: &[&str] = &[
    "Incorrect API key provided: sk-{{key_in_message|plain}}. You can find your API key at https://x.test/account",
    "invalid key 'sk-ant-api03-{{key_in_message|plain}}'",
    "API key not valid: AIza{{key_in_message|plain}}",
    "(gsk_{{key_in_message|plain}}) is disabled",
    "{\"authorization\":\"Bearer {{token_in_message|plain}}\",\"x\":1}",
    "headers: {'Authorization': 'Bearer {{token_in_message|plain}}'}",
    "Authorization: bearer\t{{token_in_message|plain}}\r\nHost: x.test",
    "Authorization: Basic {{token_in_message|base64}}",
    "{\\\"authorization\\\":\\\"Bearer {{token_in_message|plain}}\\\"}",
    "authorization=Bearer%20{{token_in_message|plain}} refused",
    "authorization=Bearer+{{token_in_message|plain}} refused",
    "https://{{user_in_message|plain}}:{{password_in_message|plain}}@x.test/v1 is unreachable",
    "\"https://{{user_in_message|plain}}@x.test\" is unreachable",
    "proxy http://{{user_in_message|percent}}:{{password_in_message|percent}}@x.test:3128 refused",
    "redirect_uri=https%3A%2F%2F{{user_in_message|plain}}%3A{{password_in_message|plain}}%40x.test%2Fv1",
    "GET https:\\/\\/{{user_in_message|plain}}:{{password_in_message|plain}}@x.test\\/v1 failed",
    "GET /v1/models?key={{query_in_message|plain}}&alt=sse failed",
    "GET /v1/models?alt=sse&API_KEY={{query_in_message|percent}} failed",
    "GET /v1?X-Amz-Security-Token={{query_in_message|plain}}&X-Amz-Signature={{query_in_message|plain}} failed",
    "GET /v1?subscription-key={{query_in_message|plain}}#top failed",
    "url=%2Fv1%2Fmodels%3Fkey%3D{{query_in_message|plain}}%26alt%3Dsse failed",
    "POST /token client_secret={{query_in_message|plain}} failed",
    "{\"url\":\"https://x.test/v1?key\\u003d{{query_in_message|plain}}\\u0026alt=sse\"}",
];

#[test]
fn credentials_are_taken_out_of_messages() {
    let secrets = Secrets::load();
    let search = Search::new(&secrets);
    let mut outputs = Vec::new();
    for template in MESSAGES {
        let message = secrets.spell(template);
        assert!(!search.found(message.as_bytes()).is_empty(), "there is no secret in {template}");
        let (builder, _) = builder(true);
        let records = Memory::default();
        let recorder = builder.with_sink(records.clone()).build().unwrap();
        let call = recorder.call(llmspan::CallStart::new("chat"));
        call.attempt().failed(Failure::of_type("failed").with_message(&message));
        call.end();
        let record = records.records().remove(0);
        assert!(record.error.as_ref().is_some_and(|error| error.message.is_some()), "{template}");
        outputs.push(Output { outlet: "message".into(), with_messages: true, bytes: record.to_json().into_bytes() });
    }
    let leaks: Vec<_> = outputs.iter().flat_map(|output| search.leaks(output, &mut BTreeSet::new())).collect();
    for leak in &leaks {
        println!("{} {:?}", leak.spelling, leak.around);
    }
    nothing_leaks(&search, &outputs, &mut BTreeSet::new());
}
