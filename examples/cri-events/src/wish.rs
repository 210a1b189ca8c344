//! What a client requests in the metadata: where to begin, and its name.

use tonic::Status;
use tonic::metadata::{AsciiMetadataValue, MetadataMap};

/// In a request: the sequence to begin with, or `oldest`, or `latest`, which is the default. In the
/// final status: the sequence to request in order to resume without a gap.
pub const RESUME_FROM: &str = "seqcast-resume-from";
/// The epoch, in hexadecimal digits: it identifies a run of the server, because sequences start at
/// 0 in each run. In a response: the current epoch. In a request: the epoch of the requested
/// sequence.
pub const EPOCH: &str = "seqcast-epoch";
/// In a request: the name of this client in the metrics.
pub const NAME: &str = "seqcast-name";
/// In the header of a response: the sequence at which the stream begins. Events missed from there
/// on are reported.
pub const START: &str = "seqcast-start";
/// In the final status: how many events before the sequence to resume from were missed, and not
/// reported with an event.
pub const MISSED: &str = "seqcast-missed";

const LONGEST_NAME: usize = 64;

/// Where to begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum From {
    /// With the next event that is published.
    #[default]
    Latest,
    /// With the oldest event in the ring.
    Oldest,
    /// With this sequence, or with a report of how many events were missed.
    Sequence(u64),
}

impl std::str::FromStr for From {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "latest" => Ok(Self::Latest),
            "oldest" => Ok(Self::Oldest),
            // `parse` would accept a plus sign.
            _ if text.starts_with(|digit: char| digit.is_ascii_digit()) => text
                .parse()
                .map(Self::Sequence)
                .map_err(|_| format!("{text:?} is not a sequence: it is not a number, or does not fit in 64 bits")),
            _ => Err(format!("{text:?} is neither a sequence nor `oldest` nor `latest`")),
        }
    }
}

/// What a client requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Where to begin.
    pub from: From,
    /// The epoch of the sequence. `None` means any.
    pub epoch: Option<u64>,
    /// The client's name in the metrics.
    pub name: Option<String>,
}

impl Wish {
    /// Reads the metadata of a request.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT`, with the key and the reason.
    pub fn read(metadata: &MetadataMap) -> Result<Self, Status> {
        let from = text(metadata, RESUME_FROM)?
            .map(|text| text.parse().map_err(|why: String| malformed(RESUME_FROM, &why)))
            .transpose()?
            .unwrap_or_default();
        let epoch = text(metadata, EPOCH)?
            .map(|text| {
                parse_epoch(text)
                    .ok_or_else(|| malformed(EPOCH, &format!("{text:?} is not a hexadecimal number of 64 bits")))
            })
            .transpose()?;
        let name = text(metadata, NAME)?.map(str::to_owned);
        if name.as_ref().is_some_and(|name| name.len() > LONGEST_NAME) {
            return Err(malformed(NAME, &format!("more than {LONGEST_NAME} characters")));
        }
        Ok(Self { from, epoch, name })
    }

    /// Writes the metadata of a request.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT` if metadata cannot carry the name.
    pub fn write(&self, metadata: &mut MetadataMap) -> Result<(), Status> {
        match self.from {
            From::Latest => {}
            From::Oldest => insert(metadata, RESUME_FROM, "oldest"),
            From::Sequence(sequence) => insert(metadata, RESUME_FROM, &sequence.to_string()),
        }
        if let Some(epoch) = self.epoch {
            insert(metadata, EPOCH, &epoch_text(epoch));
        }
        if let Some(name) = &self.name {
            if !name.bytes().all(|letter| matches!(letter, b' '..=b'~')) {
                return Err(malformed(NAME, &format!("{name:?} is not plain ASCII")));
            }
            insert(metadata, NAME, name);
        }
        Ok(())
    }
}

/// Formats an epoch.
pub fn epoch_text(epoch: u64) -> String {
    format!("{epoch:016x}")
}

/// Parses an epoch.
pub fn parse_epoch(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|digit| digit.is_ascii_hexdigit());
    if digits { u64::from_str_radix(text, 16).ok() } else { None }
}

/// Inserts `text`. Ignores text that metadata cannot carry.
pub(crate) fn insert(metadata: &mut MetadataMap, key: &'static str, text: &str) {
    if let Ok(value) = AsciiMetadataValue::try_from(text) {
        metadata.insert(key, value);
    }
}

/// The value of a key, which must not be repeated.
fn text<'a>(metadata: &'a MetadataMap, key: &str) -> Result<Option<&'a str>, Status> {
    let mut values = metadata.get_all(key).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(malformed(key, "repeated"));
    }
    value.to_str().map(Some).map_err(|_| malformed(key, "not plain ASCII"))
}

fn malformed(key: &str, why: &str) -> Status {
    Status::invalid_argument(format!("metadata `{key}`: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::Code;

    fn read(pairs: &[(&'static str, &'static str)]) -> Result<Wish, Status> {
        let mut metadata = MetadataMap::new();
        for (key, value) in pairs {
            metadata.append(*key, AsciiMetadataValue::try_from(*value).unwrap());
        }
        Wish::read(&metadata)
    }

    #[test]
    fn metadata_is_read_as_it_was_written() {
        for from in [From::Latest, From::Oldest, From::Sequence(0), From::Sequence(u64::MAX)] {
            let wish = Wish { from, epoch: Some(0xabc), name: Some("a client".to_owned()) };
            let mut metadata = MetadataMap::new();
            wish.write(&mut metadata).unwrap();
            assert_eq!(Wish::read(&metadata).unwrap(), wish);
        }
        for name in ["na\u{ef}ve", "two\nlines", "\u{7f}"] {
            let wish = Wish { name: Some(name.to_owned()), ..Wish::default() };
            let status = wish.write(&mut MetadataMap::new()).unwrap_err();
            assert!(status.code() == Code::InvalidArgument && status.message().contains(NAME), "{status:?}");
        }
        assert_eq!(read(&[]).unwrap(), Wish::default());
    }

    #[test]
    fn malformed_metadata_is_refused_by_its_key() {
        let huge = "18446744073709551616";
        for value in ["", "-1", "+1", " 1", "1 ", "1.5", "0x10", "newest", "12three", huge] {
            let status = read(&[(RESUME_FROM, value)]).unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument, "{value:?}");
            assert!(status.message().contains(RESUME_FROM), "{}", status.message());
        }
        for (key, value) in [(EPOCH, "xyz"), (EPOCH, "+1"), (EPOCH, "12345678901234567"), (EPOCH, "")] {
            let status = read(&[(key, value)]).unwrap_err();
            assert!(status.code() == Code::InvalidArgument && status.message().contains(key), "{status:?}");
        }
        let long: &'static str = "n".repeat(65).leak();
        assert_eq!(read(&[(NAME, long)]).unwrap_err().code(), Code::InvalidArgument);
        assert_eq!(read(&[(RESUME_FROM, "1"), (RESUME_FROM, "2")]).unwrap_err().code(), Code::InvalidArgument);

        let mut metadata = MetadataMap::new();
        metadata.insert(RESUME_FROM, AsciiMetadataValue::try_from(b"\xff\xfe".as_slice()).unwrap());
        assert_eq!(Wish::read(&metadata).unwrap_err().code(), Code::InvalidArgument);
    }
}
