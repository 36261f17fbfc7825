use std::io::Read;

use super::super::OpenFile;
use super::*;

/// A reader as a child has it, that may break the rules.
struct Reader(UnixStream, u64);

impl Reader {
    fn connect(path: &Path) -> io::Result<Reader> {
        let folder = File::open(path.parent().expect("a folder"))?;
        let name = path.file_name().expect("a name");
        let short = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name);
        let mut stream = UnixStream::connect(short)?;
        let mut hello = [0; Hello::SIZE];
        stream.read_exact(&mut hello)?;
        Ok(Reader(stream, Hello::decode(hello).expect("a greeting").bytes))
    }

    fn ask(&mut self, offset: u64, length: u32) -> io::Result<Result<Vec<u8>, String>> {
        self.0.write_all(&Request { offset, length }.encode())?;
        let mut head = [0; Answer::SIZE];
        self.0.read_exact(&mut head)?;
        let answer = Answer::decode(head, length).expect("an answer");
        let (Answer::Bytes(size) | Answer::Failed(size)) = answer;
        let mut body = vec![0; size as usize];
        self.0.read_exact(&mut body)?;
        Ok(match answer {
            Answer::Bytes(_) => Ok(body),
            Answer::Failed(_) => Err(String::from_utf8(body).expect("text")),
        })
    }
}

fn file(folder: &Path, content: &[u8]) -> Arc<dyn ReadAt> {
    let path = folder.join("content");
    fs::write(&path, content).expect("a file");
    Arc::new(OpenFile::open(&path).expect("it opens"))
}

struct Broken;

impl ReadAt for Broken {
    fn bytes(&self) -> u64 {
        1000
    }

    fn read_at(&self, _: u64, _: usize) -> io::Result<Vec<u8>> {
        Err(io::Error::other("é".repeat(MAX_MESSAGE as usize)))
    }
}

#[test]
fn several_readers_at_a_path_longer_than_an_address() {
    let folder = tempfile::tempdir().expect("a folder");
    let deep = folder.path().join("d".repeat(120));
    fs::create_dir(&deep).expect("a folder");
    let content: Vec<u8> = (0..300_000_u32).map(|n| (n.wrapping_mul(n) >> 8) as u8).collect();
    let path = deep.join("original");
    let _server = Server::start(&path, file(folder.path(), &content)).expect("it starts");
    let mut readers: Vec<_> = (0..3).map(|_| Reader::connect(&path).expect("it opens")).collect();
    for (number, reader) in readers.iter_mut().enumerate() {
        assert_eq!(reader.1, 300_000);
        let at = 100_000 * number;
        let got = reader.ask(at as u64, 1000).expect("an answer").expect("bytes");
        assert_eq!(got, &content[at..at + 1000]);
        assert_eq!(reader.ask(300_000, 1000).expect("an answer"), Ok(vec![]));
    }
}

#[test]
fn an_error_of_the_source_is_told_in_bounds_and_the_connection_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("original");
    let _server = Server::start(&path, Arc::new(Broken)).expect("it starts");
    let mut reader = Reader::connect(&path).expect("it opens");
    for _ in 0..2 {
        let text = reader.ask(0, 10).expect("an answer").expect_err("it is broken");
        assert_eq!(text, "é".repeat(MAX_MESSAGE as usize / 2));
    }
}

#[test]
fn a_request_against_the_rules_ends_that_connection_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("original");
    let _server = Server::start(&path, file(folder.path(), b"content")).expect("it starts");
    let mut rude = Reader::connect(&path).expect("it opens");
    let mut good = Reader::connect(&path).expect("it opens");
    assert!(rude.ask(0, u32::MAX).is_err());
    assert_eq!(good.ask(0, 7).expect("an answer"), Ok(b"content".to_vec()));
}

#[test]
fn no_more_readers_than_the_bound_until_one_leaves() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("original");
    let _server = Server::start(&path, file(folder.path(), b"content")).expect("it starts");
    let mut readers: Vec<_> =
        (0..CONNECTIONS).map(|_| Reader::connect(&path).expect("it opens")).collect();
    assert!(Reader::connect(&path).is_err());
    let left = readers.pop().expect("one");
    left.0.shutdown(Shutdown::Write).expect("it is told");
    let mut rest = Vec::new();
    (&left.0).read_to_end(&mut rest).expect("the server closes its end");
    // Its thread ends right after that.
    let again = (0..1000).find_map(|_| Reader::connect(&path).ok());
    assert!(again.is_some());
}

#[test]
fn dropped_it_disconnects_everybody_and_removes_its_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("original");
    let server = Server::start(&path, file(folder.path(), b"content")).expect("it starts");
    let mut reader = Reader::connect(&path).expect("it opens");
    drop(server);
    assert!(reader.ask(0, 7).is_err());
    assert!(!path.exists());
    assert!(Reader::connect(&path).is_err());
}

#[test]
fn a_later_server_takes_the_place_and_keeps_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("original");
    let source = file(folder.path(), b"content");
    let first = Server::start(&path, source.clone()).expect("it starts");
    let mut early = Reader::connect(&path).expect("it opens");
    let _second = Server::start(&path, source.clone()).expect("it starts");
    assert_eq!(early.ask(0, 7).expect("an answer"), Ok(b"content".to_vec()), "still served");
    drop(first);
    assert_eq!(Reader::connect(&path).expect("it opens").1, 7);
    fs::remove_file(&path).expect("it is there");
    fs::write(&path, b"a file").expect("a file");
    assert!(Server::start(&path, source).is_err(), "nothing but a socket is replaced");
}
