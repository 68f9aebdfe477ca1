//! The binary form: <https://protobuf.dev/programming-guides/encoding/>.

use alloc::vec::Vec;

use super::writer::{Field, Writer};

/// Appends the fields of a message to a buffer.
pub(super) struct Protobuf<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Protobuf<'a> {
    /// Writes a whole message, without a length.
    pub(super) fn root(out: &'a mut Vec<u8>, write: impl FnOnce(&mut Self)) {
        write(&mut Self { out });
    }

    fn tag(&mut self, field: Field, wire_type: u32) {
        self.varint(u64::from((field.number << 3) | wire_type));
    }

    fn varint(&mut self, value: u64) {
        match u8::try_from(value) {
            Ok(byte @ ..0x80) => self.out.push(byte),
            _ => self.out.extend(varint(value)),
        }
    }

    /// Numbers without tags between them.
    fn packed_fixed64(&mut self, field: Field, values: impl ExactSizeIterator<Item = u64>) {
        self.tag(field, LENGTH_DELIMITED);
        self.varint(length(values.len()).saturating_mul(8));
        values.for_each(|value| self.out.extend_from_slice(&value.to_le_bytes()));
    }

    fn bytes(&mut self, field: Field, value: &[u8]) {
        self.tag(field, LENGTH_DELIMITED);
        self.varint(length(value.len()));
        self.out.extend_from_slice(value);
    }
}

impl Writer for Protobuf<'_> {
    fn text(&mut self, field: Field, value: &str) {
        self.bytes(field, value.as_bytes());
    }

    fn id(&mut self, field: Field, value: &[u8]) {
        self.bytes(field, value);
    }

    fn flag(&mut self, field: Field, value: bool) {
        self.tag(field, VARINT);
        self.varint(u64::from(value));
    }

    fn uint32(&mut self, field: Field, value: u32) {
        self.tag(field, VARINT);
        self.varint(u64::from(value));
    }

    fn int64(&mut self, field: Field, value: i64) {
        self.tag(field, VARINT);
        self.varint(value.cast_unsigned());
    }

    fn fixed32(&mut self, field: Field, value: u32) {
        self.tag(field, FIXED_32);
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    fn fixed64(&mut self, field: Field, value: u64) {
        self.tag(field, FIXED_64);
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    fn sfixed64(&mut self, field: Field, value: i64) {
        self.fixed64(field, value.cast_unsigned());
    }

    /// Signs alternate, so that numbers near zero are short: 0, -1, 1, -2, ...
    fn sint32(&mut self, field: Field, value: i32) {
        self.tag(field, VARINT);
        self.varint(u64::from(((value << 1) ^ (value >> 31)).cast_unsigned()));
    }

    fn double(&mut self, field: Field, value: f64) {
        self.fixed64(field, double_bits(value));
    }

    fn fixed64s(&mut self, field: Field, values: &[u64]) {
        self.packed_fixed64(field, values.iter().copied());
    }

    fn uint64s(&mut self, field: Field, values: &[u64]) {
        self.message(field, |w| values.iter().for_each(|value| w.varint(*value)));
    }

    fn doubles(&mut self, field: Field, values: impl ExactSizeIterator<Item = f64>) {
        self.packed_fixed64(field, values.map(double_bits));
    }

    /// The length stands before the message and is known after it. One byte is kept free for it; a message of 128 bytes
    /// or more is moved up by what its length needs more, so that every length has its shortest form.
    fn message(&mut self, field: Field, write: impl FnOnce(&mut Self)) {
        self.tag(field, LENGTH_DELIMITED);
        let at = self.out.len();
        self.out.push(0);
        let start = self.out.len();
        write(self);
        let written = self.out.len().saturating_sub(start);
        match (u8::try_from(written), self.out.get_mut(at)) {
            (Ok(byte @ ..0x80), Some(free)) => *free = byte,
            _ => drop(self.out.splice(at..start, varint(length(written)))),
        }
    }

    fn list(&mut self, _: Field, write: impl FnOnce(&mut Self)) {
        write(self);
    }

    fn item(&mut self, field: Field, write: impl FnOnce(&mut Self)) {
        self.message(field, write);
    }
}

const VARINT: u32 = 0;
const FIXED_64: u32 = 1;
const LENGTH_DELIMITED: u32 = 2;
const FIXED_32: u32 = 5;

fn double_bits(value: f64) -> u64 {
    if value.is_finite() { value.to_bits() } else { 0 }
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// Seven bits a byte, the least significant first, the high bit for "more follows".
fn varint(value: u64) -> impl Iterator<Item = u8> {
    let length = usize::try_from((70_u32.saturating_sub(value.leading_zeros())) / 7).unwrap_or_default().max(1);
    let mut rest = value;
    (1..=length).map(move |place| {
        let [low, ..] = rest.to_le_bytes();
        rest >>= 7;
        if place < length { low | 0x80 } else { low & 0x7f }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_shortest_form() {
        for (value, bytes) in [
            (0, &[0][..]),
            (1, &[1]),
            (127, &[0x7f]),
            (128, &[0x80, 1]),
            (150, &[0x96, 1]),
            (16_383, &[0xff, 0x7f]),
            (16_384, &[0x80, 0x80, 1]),
            (u64::MAX, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]),
        ] {
            assert_eq!(varint(value).collect::<Vec<_>>(), bytes, "{value}");
        }
    }

    /// Signed numbers from the table of the encoding's documentation.
    #[test]
    fn signs_alternate() {
        for (value, bytes) in [
            (0, &[0x08, 0][..]),
            (-1, &[0x08, 1]),
            (1, &[0x08, 2]),
            (-2, &[0x08, 3]),
            (i32::MAX, &[0x08, 0xfe, 0xff, 0xff, 0xff, 0x0f]),
            (i32::MIN, &[0x08, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        ] {
            let mut out = Vec::new();
            Protobuf::root(&mut out, |w| w.sint32(Field::new(1, "a"), value));
            assert_eq!(out, bytes, "{value}");
        }
    }

    #[test]
    fn repeated_numbers_are_packed() {
        let field = Field::new(2, "a");
        let written = |write: &dyn Fn(&mut Protobuf<'_>)| {
            let mut out = Vec::new();
            Protobuf::root(&mut out, |w| write(w));
            out
        };
        assert_eq!(written(&|w| w.uint64s(field, &[0, 1, 150])), [0x12, 4, 0, 1, 0x96, 1]);
        assert_eq!(written(&|w| w.uint64s(field, &[u64::MAX; 13]))[..4], [0x12, 0x82, 1, 0xff], "130 bytes");
        assert_eq!(
            written(&|w| w.fixed64s(field, &[1, u64::MAX - 1])),
            [0x12, 16, 1, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
        );
        assert_eq!(
            written(&|w| w.doubles(field, [1.5, f64::NAN].into_iter())),
            [0x12, 16, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0]
        );
        assert_eq!(written(&|w| w.sfixed64(field, -1)), [0x11, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    }

    #[test]
    fn a_length_of_any_size_fits_before_its_message() {
        let field = Field::new(1, "a");
        for size in [0_usize, 1, 125, 126, 127, 128, 16_380, 16_384, 70_000] {
            let text = "x".repeat(size);
            let mut out = Vec::new();
            Protobuf::root(&mut out, |w| w.message(Field::new(2, "b"), |w| w.text(field, &text)));
            let inner: Vec<u8> = [0x0a].into_iter().chain(varint(length(size))).chain(text.bytes()).collect();
            let whole: Vec<u8> = [0x12].into_iter().chain(varint(length(inner.len()))).chain(inner).collect();
            assert_eq!(out, whole, "{size}");
        }
    }
}
