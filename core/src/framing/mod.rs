//! Frames out of raw response bytes.
//!
//! A [`Framer`] belongs to one attempt. It takes the bytes of the response as they come, split anywhere, and lends
//! out one [`Frame`] after another: an event of a server-sent event stream, a line of JSON, an element of a JSON
//! array, or a whole JSON body. A frame that lies complete within one read is borrowed from it; only the parts of a
//! frame that spans reads are copied, into a buffer that is reused and never grows past its cap.
//!
//! Framing knows nothing of providers: what a frame means is [`crate::provider`]'s business.
//!
//! ```
//! use llmspan_core::framing::{Frame, Framer, Framing};
//!
//! let mut framer = Framer::new(Framing::Sse, 1024, 1024);
//! let mut read: &[u8] = b"data: {\"a\":1}\n\ndata: {\"b\"";
//! assert_eq!(framer.next_frame(&mut read), Some(Frame::Event { name: None, data: b"{\"a\":1}" }));
//! assert_eq!(framer.next_frame(&mut read), None);
//! let mut read: &[u8] = b":2}\n\n";
//! assert_eq!(framer.next_frame(&mut read), Some(Frame::Event { name: None, data: b"{\"b\":2}" }));
//! assert_eq!(framer.next_frame(&mut read), None);
//! assert_eq!(framer.finish(), None);
//! ```

mod buffer;
#[cfg(feature = "protocols")]
mod event_stream;
mod framer;
mod json;
#[cfg(feature = "protocols")]
mod ndjson;
mod sse;

pub use framer::{Frame, Framer, Framing};
