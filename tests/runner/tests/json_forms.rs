//! The engine's own JSON of a record is that of its `serde` implementations, to the byte, both ways.

use std::{fs, path::Path};

use llmspan_core::{
    config::Config,
    definitions,
    engine::Tracker,
    event::TimedEvent,
    record::{Record, attributes_to_json},
    time::Timestamp,
    waterfall::{self, Waterfall},
};
use serde_json::Value;

#[test]
fn both_forms_of_a_record_are_one() {
    let mut count = 0;
    each_vector(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors")), &mut |vector| {
        let config = vector
            .get("config")
            .filter(|config| config.is_object())
            .map_or_else(|| Ok(Config::default()), |config| Config::from_json(&config.to_string()));
        let mut tracker = Tracker::new(config.unwrap()).unwrap();
        for step in vector["steps"].as_array().unwrap() {
            let event = TimedEvent::from_json(&step.to_string()).unwrap();
            let again = event.to_json().unwrap();
            assert_eq!(TimedEvent::from_json(&again).unwrap().to_json().unwrap(), again);
            assert_eq!(serde_json::to_string(&event).unwrap(), again);
            assert_eq!(serde_json::from_str::<TimedEvent>(&again).unwrap().to_json().unwrap(), again);
            tracker.handle_event(&event);
        }
        tracker.handle_shutdown(Timestamp::from_nanos(u64::MAX));
        while let Some(record) = tracker.poll_record() {
            let json = record.to_json();
            assert_eq!(json, serde_json::to_string(&record).unwrap());
            assert_eq!(Record::from_json(&json).unwrap(), record);
            assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), record);
            assert_eq!(waterfall::json(&record), serde_json::to_string(&Waterfall::new(&record)).unwrap());
            assert_eq!(attributes_to_json(&record.attributes), serde_json::to_string(&record.attributes).unwrap());
            let figures = record.definitions();
            assert_eq!(definitions::to_json(&figures), serde_json::to_string(&figures).unwrap());
            count += 1;
        }
    });
    assert!(count > 100, "{count} records");
}

fn each_vector(dir: &Path, each: &mut dyn FnMut(&Value)) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_vector(&path, each);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            let vector: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            each(&vector);
        }
    }
}
