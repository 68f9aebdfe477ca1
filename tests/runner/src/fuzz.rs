//! The form of the inputs that the fuzz targets take: a head of choices, then the data.
//!
//! `cargo xtask fuzz` writes the seeds, the targets in `fuzz/` read what became of them.

/// What an input chooses beside its data.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it is the table of the bytes in the head")]
pub struct Choices {
    /// Whether a target takes the data as the bytes of a response, or makes something well-formed of them first.
    pub form: Form,
    /// Bits of the target's own.
    pub flags: u8,
    /// Chooses caps; 0 stands for those that hold by default.
    pub caps: u8,
    /// Bytes of one read; 0 cuts only at `cuts`.
    pub read_bytes: u8,
    /// Places in the data that are cut; those behind its end count as the end.
    pub cuts: [u16; 2],
}

/// What the data of an input are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "one bit of the head")]
pub enum Form {
    /// Bytes as they come over the wire.
    #[default]
    Raw,
    /// What the target builds well-formed bytes or events from.
    Parts,
}

impl Choices {
    /// Bytes of the head.
    pub const HEAD: usize = 8;

    /// Splits an input into its choices and its data; `None` for one shorter than the head.
    pub fn split(input: &[u8]) -> Option<(Self, &[u8])> {
        let (&[form, flags, caps, read_bytes, a, b, c, d], data) = input.split_first_chunk()?;
        let form = if form & 1 == 0 { Form::Raw } else { Form::Parts };
        let cuts = [u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])];
        Some((Self { form, flags, caps, read_bytes, cuts }, data))
    }

    /// The input with these choices and that data.
    pub fn input(&self, data: &[u8]) -> Vec<u8> {
        let [[a, b], [c, d]] = self.cuts.map(u16::to_le_bytes);
        let head = [u8::from(self.form == Form::Parts), self.flags, self.caps, self.read_bytes, a, b, c, d];
        [&head, data].concat()
    }

    /// The data in pieces, as cut; some may be empty.
    pub fn pieces<'a>(&self, data: &'a [u8]) -> Vec<&'a [u8]> {
        let mut cuts = Vec::from(self.cuts.map(|cut| usize::from(cut).min(data.len())));
        if self.read_bytes > 0 {
            cuts.extend((0..data.len()).step_by(self.read_bytes.into()));
        }
        cuts.extend([0, data.len()]);
        cuts.sort_unstable();
        cuts.windows(2).map(|cut| &data[cut[0]..cut[1]]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_read_as_it_was_written() {
        let choices = Choices { form: Form::Parts, flags: 3, caps: 9, read_bytes: 2, cuts: [1, 700] };
        let input = choices.input(b"data");
        let (read, data) = Choices::split(&input).unwrap();
        assert_eq!(format!("{read:?}"), format!("{choices:?}"));
        assert_eq!(data, b"data");
        assert_eq!(read.pieces(data), [b"".as_slice(), b"d", b"a", b"ta", b""]);
        assert!(Choices::split(&input[..Choices::HEAD - 1]).is_none());
    }
}
