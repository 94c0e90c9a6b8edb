//! The bytes of the files that are followed, as lines with their places.

use std::sync::Arc;

use tormenta_dsl::{Context, Error, Result, text::Line};

use super::{
    Settings,
    files::{self, Current},
    follow::{Follow, Seen, Step},
    place::{self, FileId, HEAD_BYTES, Head, Mark, Place},
};
use crate::lines::{pool::Pool, split::Splitter};

/// Bytes that are read at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// Where a `Tail` is in its files.
pub(crate) struct Reading {
    follow: Follow,
    current: Option<Current>,
    /// The file that is being read, as it stands in the places of its lines.
    mark: Arc<Mark>,
    splitter: Splitter,
    /// Offset of the chunk that the splitter has.
    chunk_at: u64,
    line: u64,
    pool: Pool,
    /// Whether the next file could not be opened.
    is_closed: bool,
}

impl Reading {
    /// Begins at the checkpoint, or where there is none as the settings say. Also the place at
    /// which it begins.
    pub(crate) fn begin(settings: &Settings, cx: &Context) -> Result<(Self, Option<Place>)> {
        let saved = match &settings.checkpoint {
            Some(checkpoint) => match files::read_checkpoint(checkpoint)? {
                Some(text) => Some(
                    place::read(&text, &settings.path)
                        .map_err(|why| Error::msg(format!("`{}` {why}", checkpoint.display())))?,
                ),
                None => None,
            },
            None => None,
        };
        let is_new = saved.is_none();
        let place = saved.flatten();
        let at = place.as_ref().map(|place| (place.mark.id, place.offset));
        let mut reading = Self {
            follow: Follow::new(at, settings.linger),
            current: None,
            mark: place.as_ref().map(|place| place.mark.clone()).unwrap_or_default(),
            splitter: Splitter::new(settings.line_bytes_max),
            chunk_at: 0,
            line: place.as_ref().map_or(0, |place| place.line),
            pool: Pool::new(CHUNK_BYTES),
            is_closed: false,
        };
        if let Some(place) = &place {
            reading.current = files::open(&settings.path, place.mark.id)?;
        } else if is_new && settings.from_end {
            return reading.begin_at_end(settings, cx);
        }
        Ok((reading, place))
    }

    fn begin_at_end(mut self, settings: &Settings, cx: &Context) -> Result<(Self, Option<Place>)> {
        let seen = files::look(&settings.path, None, Head::default(), false)?;
        let Some(live) = seen.first() else { return Ok((self, None)) };
        self.go_to(live.id, live.bytes, settings, cx)?;
        if self.current.is_some() {
            self.learn_head(live.bytes)?;
        }
        let place = Place { mark: self.mark.clone(), offset: live.bytes, line: 0 };
        Ok((self, Some(place)))
    }

    /// The next line of what was read, and its end.
    #[inline]
    pub(crate) fn line(&mut self, settings: &Settings) -> Result<Option<(Line, Place)>> {
        let text = self.splitter.line().map_err(|_| self.too_long(settings))?;
        let Some(text) = text else { return Ok(None) };
        self.line += 1;
        let offset = match self.splitter.at() {
            // The last line of a file that is left: all of it was consumed.
            0 => self.follow.current().map_or(0, |(_, offset)| offset),
            at => self.chunk_at + at as u64,
        };
        let end = Place { mark: self.mark.clone(), offset, line: self.line };
        Ok(Some((Line { text, file: 0, number: self.line }, end)))
    }

    /// Reads more or goes to another file; false when there is nothing to do for now.
    pub(crate) fn more(&mut self, settings: &Settings, cx: &Context) -> Result<bool> {
        let head = self.mark.head;
        let mut seen = files::look(&settings.path, self.current.as_ref(), head, false)?;
        let mut step = self.follow.step(&seen, cx.now());
        if !matches!(step, Step::Read) && !self.is_at_live(&seen) {
            seen = files::look(&settings.path, self.current.as_ref(), head, true)?;
            step = self.follow.step(&seen, cx.now());
        }
        match step {
            Step::Read => self.read(settings),
            Step::Wait => Ok(false),
            Step::Next(id) => {
                // What has no end yet will not get one.
                self.splitter.end();
                if self.splitter.begun() > 0 {
                    return Ok(true);
                }
                self.splitter.clear();
                self.go_to(id, 0, settings, cx)
            }
            Step::Copy(id) => {
                let at = self.follow.current().map_or(0, |(_, offset)| offset);
                let Some(copy) = files::open(&settings.path, id)? else { return Ok(false) };
                self.current = Some(copy);
                self.mark = Arc::new(Mark { id, head });
                self.follow.went_to(id, at);
                Ok(true)
            }
            Step::Lost(id) => {
                let offset = self.follow.current().map_or(0, |(_, offset)| offset);
                let went = self.go_to(id, 0, settings, cx)?;
                if went && offset > 0 {
                    self.report_loss(offset, settings, cx);
                }
                if went {
                    self.splitter.clear();
                }
                Ok(went)
            }
        }
    }

    /// Whether the file that is read is the one at the path, and nothing is odd about it.
    fn is_at_live(&self, seen: &[Seen]) -> bool {
        self.follow.current().is_none_or(|(id, offset)| {
            let sound = |file: &Seen| file.matches && file.bytes >= offset;
            seen.iter().any(|file| file.id == id && file.is_live && sound(file))
        })
    }

    fn read(&mut self, settings: &Settings) -> Result<bool> {
        let Some((id, offset)) = self.follow.current() else { return Ok(false) };
        if self.current.is_none() {
            self.current = files::open(&settings.path, id)?;
        }
        let Some(current) = &self.current else { return Ok(false) };
        let mut buffer = self.pool.buffer();
        let filled = files::read_at(&current.file, &mut buffer, offset)
            .map_err(|error| files::cannot("read", &settings.path, error))?;
        let chunk = self.pool.chunk(buffer, filled);
        self.learn_head(offset + filled as u64)?;
        self.follow.read(filled);
        self.chunk_at = offset;
        if filled > 0 {
            self.splitter.push(chunk);
        }
        Ok(filled > 0)
    }

    /// Remembers how the file begins, as far as it was read.
    fn learn_head(&mut self, read: u64) -> Result {
        let bytes = usize::try_from(read).unwrap_or(HEAD_BYTES).min(HEAD_BYTES);
        if let Some(current) = &self.current
            && self.mark.head.bytes < bytes
        {
            let head = Head::of(&files::first_bytes(&current.file, bytes)?);
            self.mark = Arc::new(Mark { id: current.id, head });
        }
        Ok(())
    }

    /// Goes to a file; false if it cannot be opened. Then the next look tells more.
    fn go_to(
        &mut self,
        id: FileId,
        offset: u64,
        settings: &Settings,
        cx: &Context,
    ) -> Result<bool> {
        if self.current.as_ref().is_none_or(|current| current.id != id) {
            let Some(current) = files::open(&settings.path, id)? else {
                self.report_closed(settings, cx);
                return Ok(false);
            };
            self.current = Some(current);
        }
        self.is_closed = false;
        cx.counter("files_followed").add(1);
        self.mark = Arc::new(Mark { id, head: Head::default() });
        self.follow.went_to(id, offset);
        (self.line, self.chunk_at) = (0, offset);
        Ok(true)
    }

    /// Says once that the next file is there and cannot be opened.
    #[cold]
    fn report_closed(&mut self, settings: &Settings, cx: &Context) {
        if !std::mem::replace(&mut self.is_closed, true)
            && let Err(error) = std::fs::File::open(&settings.path)
        {
            cx.report(&files::cannot("open", &settings.path, error));
        }
    }

    #[cold]
    fn report_loss(&self, offset: u64, settings: &Settings, cx: &Context) {
        cx.counter("rotations_lost").add(1);
        let path = settings.path.display();
        let half = match self.splitter.begun() {
            0 => String::new(),
            bytes => format!(", and {bytes} bytes of a line without an end are dropped"),
        };
        cx.report(&Error::msg(format!(
            "`{path}` was read up to byte {offset}, and is now truncated or gone without a copy \
             beside it; what was written behind that may be lost{half}"
        )));
    }

    #[cold]
    fn too_long(&self, settings: &Settings) -> Error {
        let (line, path, max) = (self.line + 1, settings.path.display(), settings.line_bytes_max);
        Error::msg(format!(
            "line {line} of `{path}` is longer than {max} bytes; allow more with \
             `line_bytes_max`, if this is a text at all"
        ))
    }
}
