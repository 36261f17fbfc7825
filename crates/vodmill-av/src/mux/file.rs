//! Files for download, playable before it ends.

use vodmill_model::outcome::MediaError;
use vodmill_model::preset::FileContainer;
use vodmill_model::transcode::FileOrder;

use super::stream_reader::StreamReader;
use super::{mp3, mp4, webm};
use crate::error;

/// Writes one file.
pub(crate) fn write_file(order: &FileOrder) -> Result<(), MediaError> {
    let readers = open_readers(order)?;
    match order.container {
        FileContainer::Mp4 => mp4::write(order, readers),
        FileContainer::Webm => webm::write(order, readers),
        FileContainer::Mp3 => mp3::write(order, readers),
    }
}

fn open_readers(order: &FileOrder) -> Result<Vec<StreamReader>, MediaError> {
    let mut readers = Vec::new();
    if let Some(video) = &order.video {
        readers.push(StreamReader::video(video)?);
    }
    for sound in &order.audio {
        let mut reader = StreamReader::audio(&sound.path, sound.language.clone(), None)?;
        reader.stream.roles.clone_from(&sound.roles);
        readers.push(reader);
    }
    if readers.iter().all(|reader| reader.peek().is_none()) {
        return Err(error::failed("write file", order.path.display(), "there is nothing in it"));
    }
    Ok(readers)
}
