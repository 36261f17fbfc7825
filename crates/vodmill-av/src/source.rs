//! Opening an original, safely, and finding a packet in it.
pub(crate) fn build() -> String {
    String::new()
}
