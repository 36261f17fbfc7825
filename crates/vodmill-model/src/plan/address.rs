//! Content addresses: names that hang on everything that the bytes hang on.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{AudioEncode, ChunkPlan, Plan, VideoEncode};

impl Plan {
    /// Content address of one chunk of one video encode: everything its bytes depend on.
    pub fn video_rendition(&self, encode: &VideoEncode, chunk: &ChunkPlan) -> String {
        let by_itself = (
            "video",
            self.build.of_encoders([encode.encoder.as_str()]),
            &self.original.sha256,
            &self.decode,
            encode,
            chunk.first_frame,
            chunk.frames,
            chunk.seek,
        );
        match self.decider_of(encode) {
            None => digest_of(&by_itself),
            Some(decider) => digest_of(&(by_itself, decider)),
        }
    }

    /// Content address of one audio encode.
    pub fn audio_rendition(&self, encode: &AudioEncode) -> String {
        let build = self.build.of_encoders([encode.encoder.as_str()]);
        digest_of(&("audio", build, &self.original.sha256, self.timeline.origin, encode))
    }
}

/// SHA-256 of the JSON form of `value`, 64 hex digits. Maps in plans are ordered, so equal values
/// have equal digests.
pub fn digest_of(value: &impl Serialize) -> String {
    let json =
        serde_json::to_vec(value).expect("plan types have string keys and no fallible serialisers");
    hex::encode(Sha256::digest(json))
}
