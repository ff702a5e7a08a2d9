//! `serve --collect` as a group uses it: links, answers over HTTP and from Chromium, a server that is
//! killed, and guests who should not be there.
#![cfg(unix)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read as _, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use study::labels::Read;
use study::selection::Selection;

use crate::support::chromium;

/// Phantoms, and a network that is not trained: enough to have units to ask about.
const PROJECT: &str = "\
source: { kind: phantom, patients: 4, height: 256 }
patches: { size: 48 }
split: { train: 0.5, validation: 0.5, test: 0 }
networks: [{ name: resnet10, input: 48, layers: [layer4], training: false }]
dissection: { top: 8, permutations: 0 }
survey: { units: 12, repeats: 0.25 }
reading: { cases: 2 }
namer: { kind: none }
";

struct Project(tempfile::TempDir);

/// One finished project, which each test copies.
fn finished() -> &'static Path {
    static FINISHED: OnceLock<tempfile::TempDir> = OnceLock::new();
    FINISHED
        .get_or_init(|| {
            let project = Project(tempfile::tempdir().unwrap());
            fs::write(project.path("atlas.yaml"), PROJECT).unwrap();
            let run = project.command(&["run", "-q"]).output().unwrap();
            assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
            project.0
        })
        .path()
}

impl Project {
    fn new() -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        for entry in walkdir::WalkDir::new(finished()).min_depth(1) {
            let entry = entry.unwrap();
            let target = project.0.path().join(entry.path().strip_prefix(finished()).unwrap());
            if entry.file_type().is_dir() {
                fs::create_dir(target).unwrap();
            } else {
                fs::copy(entry.path(), target).unwrap();
            }
        }
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_unit-atlas"));
        command.args(arguments).current_dir(self.0.path());
        command
    }

    fn selection(&self) -> Selection {
        serde_json::from_slice(&fs::read(self.path("output/work/survey/survey.json")).unwrap())
            .unwrap()
    }

    /// What a reader's file says of each unit and presentation.
    fn stored(&self, reader: &str) -> BTreeMap<(String, bool), String> {
        let path = self.path(&format!("content/labels/{reader}.yaml"));
        if !path.exists() {
            return BTreeMap::new();
        }
        let file = Read::open(&path).unwrap().content();
        assert_eq!(file.reader, reader);
        let said = |p: &[study::answer::Phenomenon]| {
            p.first().map_or(String::new(), |p| p.description.clone())
        };
        file.answers.iter().map(|a| ((a.unit.clone(), a.repeat), said(&a.phenomena))).collect()
    }
}

/// A running server with the links it gave out.
struct Server {
    child: Child,
    address: String,
    tokens: BTreeMap<String, String>,
}

impl Server {
    fn start(project: &Project, port: &str, readers: &[&str]) -> Self {
        let mut arguments = vec!["serve", "--collect", "--port", port];
        for reader in readers {
            arguments.extend(["--reader", *reader]);
        }
        let mut child = project
            .command(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        // A later start knows the readers of the first.
        let count = match readers.len() {
            0 => fs::read_to_string(project.path("collect/readers.yaml"))
                .unwrap()
                .matches("token:")
                .count(),
            count => count,
        };
        let mut tokens = BTreeMap::new();
        let mut address = String::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let Some((reader, rest)) = line.split_once(": http://") else { continue };
            let (place, token) = rest.split_once("/survey/index.html#token=").unwrap();
            address = place.to_owned();
            tokens.insert(reader.to_owned(), token.to_owned());
            if tokens.len() == count {
                break;
            }
        }
        assert_eq!(tokens.len(), count, "a link for each reader");
        let server = Self { child, address, tokens };
        // The links are printed just before the first connection is taken.
        while TcpStream::connect(&server.address).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }

    fn kill(&mut self) {
        // SIGKILL.
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn port(&self) -> String {
        self.address.rsplit(':').next().unwrap().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One request; its status and body, or none when the server went away.
fn request(address: &str, head: &str, token: Option<&str>, body: &[u8]) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let bearer = token.map(|t| format!("Authorization: Bearer {t}\r\n")).unwrap_or_default();
    let length = format!("Content-Length: {}\r\nContent-Type: application/json\r\n", body.len());
    let head =
        format!("{head} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{bearer}{length}\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    // A server that refuses a large body may hang up before its end.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer))
}

fn answer(unit: &str, words: &str, second: usize) -> Value {
    json!({
        "unit": unit, "recognizable": "yes",
        "phenomena": [{ "description": words, "terms": ["mass"], "association": "malignant" }],
        "answered_at": format!("2026-11-20T10:{:02}:{:02}.000Z", second / 60, second % 60),
        "seconds": 3,
    })
}

#[test]
fn no_acknowledged_answer_is_lost_when_the_server_is_killed() {
    let project = Project::new();
    let units = project.selection().units;
    assert_eq!(units.len(), 12);
    let mut server = Server::start(&project, "0", &["reader-a", "reader-b"]);
    let token = server.tokens["reader-a"].clone();
    // Answers stream in while the server is killed again and again; what it acknowledged is noted.
    let mut acknowledged: BTreeMap<String, String> = BTreeMap::new();
    // One answer per round was on its way: it may be there too, unacknowledged.
    let mut under_way: BTreeSet<String> = BTreeSet::new();
    let mut number = 0;
    for round in 0..6 {
        let address = server.address.clone();
        let port = server.port();
        let posting = {
            let (token, units) = (token.clone(), units.clone());
            std::thread::spawn(move || {
                let mut done = Vec::new();
                for at in number.. {
                    let unit = &units[at % units.len()];
                    let words = format!("words {at}");
                    let body = answer(&unit.code, &words, at).to_string();
                    match request(&address, "POST /_collect/answers", Some(&token), body.as_bytes())
                    {
                        Some((200, _)) => done.push((unit.unit.to_string(), words)),
                        Some((429, _)) => std::thread::sleep(Duration::from_millis(100)),
                        Some((status, text)) => panic!("{status}: {text}"),
                        None => return (at, done),
                    }
                }
                unreachable!("it ends with the server")
            })
        };
        // Each time at another moment of a save.
        std::thread::sleep(Duration::from_millis(150 + 37 * round));
        server.kill();
        let (at, done) = posting.join().unwrap();
        assert!(!done.is_empty(), "no answer was taken in round {round}");
        number = at + 1;
        // A later answer that was acknowledged takes the place of one that was not.
        for (unit, words) in done {
            acknowledged.insert(unit, words);
        }
        under_way.insert(format!("words {at}"));
        // On the same port, as the readers' links say.
        server = Server::start(&project, &port, &[]);
        assert_eq!(server.tokens["reader-a"], token, "links stay good");
        let stored = project.stored("reader-a");
        for (unit, words) in &acknowledged {
            let kept = &stored[&(unit.clone(), false)];
            assert!(kept == words || under_way.contains(kept), "{unit}: {kept}, not {words}");
        }
    }
    let (status, own) =
        request(&server.address, "GET /_collect/answers", Some(&token), b"").unwrap();
    assert!(status == 200 && own.contains("\"reader\":\"reader-a\""), "{own}");
    let other = server.tokens["reader-b"].clone();
    let (_, nothing) =
        request(&server.address, "GET /_collect/answers", Some(&other), b"").unwrap();
    assert!(nothing.contains("\"answers\":[]"), "readers see only their own: {nothing}");
    // A second server keeps away from the same logs.
    let second = project.command(&["serve", "--collect", "--port", "0"]).output().unwrap();
    assert!(String::from_utf8_lossy(&second.stderr).contains("another server collects"));
}

/// An answer that a device has sent until it was acknowledged.
struct Sent {
    words: String,
    unit: String,
    /// When it was sent first, and when it was acknowledged.
    first: Instant,
    acknowledged: Instant,
}

/// Lets each of so many readers give so many answers, to a few units again and again, on two devices at once whose
/// clocks are wrong, while the server is killed after each of the pauses, over and over or, where `kills` says so,
/// so often. Then every answer must be there once, in the order in which the server received them.
fn answers_under_kills(readers: usize, each: usize, pauses: &[u64], kills: Option<usize>) {
    let began = Instant::now();
    let project = Project::new();
    let units = project.selection().units;
    let names: Vec<String> = (0..readers).map(|reader| format!("reader-{reader:02}")).collect();
    let given: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut server = Server::start(&project, "0", &given);
    let (address, port, tokens) = (server.address.clone(), server.port(), server.tokens.clone());
    let (open, again) = (AtomicUsize::new(2 * readers), AtomicUsize::new(0));
    let failed = AtomicBool::new(false);
    // Counts down when the device is done, or has failed.
    struct Done<'a>(&'a AtomicUsize, &'a AtomicBool);
    impl Drop for Done<'_> {
        fn drop(&mut self) {
            self.1.fetch_or(std::thread::panicking(), Ordering::SeqCst);
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let device = |reader: usize, device: usize| {
        let _done = Done(&open, &failed);
        // One is right or a little ahead, the other a day behind.
        let wrong: i64 = [60_000 * (reader as i64 % 6), -86_400_000][device];
        let share = if device == 0 { each.div_ceil(2) } else { each / 2 };
        let mut sent = Vec::new();
        for number in 0..share {
            let unit = &units[(7 * number + 3 * device + reader) % units.len()];
            let words = format!("{} on device {device}: {number}", names[reader]);
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
            let mut body = answer(&unit.code, &words, 0);
            body["answered_at"] = study::time::text(now + wrong).unwrap().into();
            let body = body.to_string();
            let first = Instant::now();
            let token = Some(tokens[&names[reader]].as_str());
            loop {
                match request(&address, "POST /_collect/answers", token, body.as_bytes()) {
                    Some((200, _)) => break,
                    Some((429, _)) => std::thread::sleep(Duration::from_millis(100)),
                    Some((status, text)) => panic!("{status}: {text}"),
                    None => std::thread::sleep(Duration::from_millis(50)),
                }
                assert!(!failed.load(Ordering::SeqCst), "another device has failed");
                again.fetch_add(1, Ordering::SeqCst);
            }
            let unit = unit.unit.to_string();
            sent.push(Sent { words, unit, first, acknowledged: Instant::now() });
        }
        sent
    };
    let mut killed = 0;
    let sent: Vec<Vec<Sent>> = std::thread::scope(|scope| {
        let device = &device;
        let devices: Vec<[_; 2]> = (0..readers)
            .map(|reader| [0, 1].map(|number| scope.spawn(move || device(reader, number))))
            .collect();
        while open.load(Ordering::SeqCst) > 0 && kills.is_none_or(|most| killed < most) {
            std::thread::sleep(Duration::from_millis(pauses[killed % pauses.len()]));
            server.kill();
            killed += 1;
            server = Server::start(&project, &port, &[]);
        }
        devices
            .into_iter()
            .map(|both| both.into_iter().flat_map(|one| one.join().unwrap()).collect())
            .collect()
    });
    let took = began.elapsed();
    assert!(killed >= pauses.len(), "the server was killed only {killed} times");
    // What the next one makes of it.
    server.kill();
    server = Server::start(&project, &port, &[]);
    for (name, sent) in names.iter().zip(&sent) {
        assert_eq!(sent.len(), each);
        let log = fs::read_to_string(project.path(&format!("collect/{name}.jsonl"))).unwrap();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        // Where each answer is in the log, and when it came by the server's clock.
        let (mut places, mut times) = (BTreeMap::new(), Vec::new());
        let mut last: BTreeMap<String, String> = BTreeMap::new();
        for (place, line) in lines.enumerate() {
            let words = line["answer"]["phenomena"][0]["description"].as_str().unwrap().to_owned();
            let time = line["answer"]["received_at"].as_str().unwrap();
            times.push(study::time::nanoseconds(time).unwrap());
            assert!(places.insert(words.clone(), place).is_none(), "{words}: twice in the log");
            let unit = sent.iter().find(|sent| sent.words == words).unwrap().unit.clone();
            last.insert(unit, words);
        }
        assert!(times.is_sorted_by(|a, b| a < b), "{name}: {times:?}");
        let said: BTreeSet<&String> = sent.iter().map(|sent| &sent.words).collect();
        assert_eq!(places.keys().collect::<BTreeSet<_>>(), said, "{name}: what the log has");
        // What was acknowledged before another was sent is before it, whatever their devices' clocks say.
        for before in sent {
            for after in sent.iter().filter(|after| before.acknowledged < after.first) {
                assert!(places[&before.words] < places[&after.words], "{}", before.words);
            }
        }
        // The reader's file has each once, and those stand that came last.
        let path = project.path(&format!("content/labels/{name}.yaml"));
        let file = Read::open(&path).unwrap().content();
        let words = |answer: &study::answer::Answer| answer.phenomena[0].description.clone();
        let all: Vec<String> = file.answers.iter().chain(&file.superseded).map(words).collect();
        assert_eq!(all.len(), each, "{name}: what the file has");
        assert_eq!(all.iter().collect::<BTreeSet<_>>(), said, "{name}: what the file has");
        let standing: BTreeMap<String, String> =
            file.answers.iter().map(|answer| (answer.unit.clone(), words(answer))).collect();
        assert_eq!(standing, last, "{name}: what stands");
        let head = "GET /_collect/answers";
        let (status, own) = request(&server.address, head, Some(&tokens[name]), b"").unwrap();
        assert_eq!(status, 200);
        assert!(last.values().all(|words| own.contains(&format!("{words:?}"))), "{own}");
        assert_eq!(own.matches("\"received_at\"").count(), last.len(), "{own}");
    }
    for entry in walkdir::WalkDir::new(project.path("content")).into_iter().map(Result::unwrap) {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(!name.ends_with(".tmp"), "{name} is left");
    }
    println!(
        "{} answers of {readers} readers on two devices each, {killed} kills, {} sent again, {:.1} s",
        readers * each,
        again.into_inner(),
        took.as_secs_f64()
    );
}

#[test]
fn answers_of_many_readers_are_there_once_in_the_order_of_the_server() {
    answers_under_kills(10, 50, &[170, 240, 310, 130], Some(4));
}

/// The same at the size of a large study, killed as long as it takes: minutes, most of them waiting for the disk, which
/// `TMPDIR` in memory saves. By hand: `cargo test --test suite -- --ignored --nocapture a_large_study`.
#[test]
#[ignore = "takes minutes"]
fn a_large_study_is_collected_whole_by_a_server_that_is_killed_all_the_time() {
    answers_under_kills(50, 200, &[4000, 900, 7000, 2600, 5500, 1300, 3100], None);
}

#[test]
fn guests_are_refused_and_write_nothing() {
    let project = Project::new();
    let unit = project.selection().units[0].code.clone();
    let name = project.selection().units[0].unit.to_string();
    let server = Server::start(&project, "0", &["reader-a", "reader-b"]);
    let token = server.tokens["reader-a"].clone();
    let good = answer(&unit, "x", 0).to_string();
    let before = snapshot(project.0.path());
    let post = |token: Option<&str>, body: &[u8]| {
        request(&server.address, "POST /_collect/answers", token, body).unwrap()
    };
    // The rest of the site, files of the project, other methods and routes.
    for path in [
        "/index.html",
        "/selection/index.html",
        "/data/survey.csv",
        "/networks/resnet10/index.html",
        "/../atlas.yaml",
        "/survey/../data/units.csv",
        "/..%2fatlas.yaml",
        "/collect/readers.yaml",
        "/_live/news?build=0",
        "/survey/%2e%2e/index.html",
        "//index.html",
    ] {
        let (status, text) = request(&server.address, &format!("GET {path}"), None, b"").unwrap();
        assert_eq!(status, 404, "{path}: {text}");
    }
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let head = format!("{method} /survey/index.html");
        let (status, _) = request(&server.address, &head, Some(&token), good.as_bytes()).unwrap();
        assert_eq!(status, 405, "{method}");
    }
    let (status, page) = request(&server.address, "GET /survey/index.html", None, b"").unwrap();
    assert!(status == 200 && page.contains("_collect/script.js"));
    assert!(page.to_lowercase().contains("content-security-policy"));
    // Scores of cases are not collected: that page goes out as it is.
    let cases = request(&server.address, "GET /survey/cases/index.html", None, b"").unwrap();
    assert!(cases.0 == 200 && cases.1.contains("reading.js"), "{}", cases.1);
    assert!(!cases.1.contains("_collect/script.js"));
    let (status, _) = request(&server.address, "GET /survey/cases/data.js", None, b"").unwrap();
    assert_eq!(status, 200);
    // Too large, not JSON, deep, another encoding, a unit by its name, another's name.
    let deep = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
    for (body, status) in [
        (vec![b' '; 100 << 20], 413),
        (b"not json".to_vec(), 422),
        (deep.into_bytes(), 422),
        (good.replace('x', "\u{e9}").chars().map(|c| c as u32 as u8).collect(), 422),
        (answer(&name, "x", 0).to_string().into_bytes(), 422),
        (good.replacen('{', "{\"reader\":\"reader-b\",", 1).into_bytes(), 422),
        (format!("{{\"schema\":1,\"study\":\"s\",\"answers\":[{good}]}}").into_bytes(), 422),
    ] {
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        let (found, text) = post(Some(&token), &body);
        assert_eq!(found, status, "{shown}: {text}");
        assert!(text.contains("\"error\""), "{text}");
    }
    // Guessed, cut, empty tokens; after some of them the guest has to wait, and the reader has not.
    let mut seen = Vec::new();
    for guess in 0..30 {
        let guess = format!("{guess:032x}");
        seen.push(post(Some(&guess), good.as_bytes()).0);
    }
    assert!(seen.starts_with(&[401; 10]) && seen.ends_with(&[429; 5]), "{seen:?}");
    assert_eq!(post(Some(&token[1..]), good.as_bytes()).0, 429);
    assert_eq!(snapshot(project.0.path()), before, "nothing was written");
    assert_eq!(post(Some(&token), good.as_bytes()).0, 200);
    assert!(project.path("content/labels/reader-a.yaml").exists());
    // A flood with a good token is slowed down.
    let flood: Vec<u16> = (0..150).map(|_| post(Some(&token), b"{}").0).collect();
    assert!(flood.contains(&429), "{flood:?}");
}

#[test]
fn what_readers_say_of_themselves_is_taken_with_their_token_alone() {
    let project = Project::new();
    let server = Server::start(&project, "0", &["reader-a", "reader-b"]);
    let about =
        br#"{"given_at":"2026-11-20T10:00:00Z","years":12,"subspecialty":"breast_imaging"}"#;
    let tell = |token: Option<&str>, body: &[u8]| {
        request(&server.address, "POST /_collect/about", token, body).unwrap()
    };
    let (own, other) = (server.tokens["reader-a"].clone(), server.tokens["reader-b"].clone());
    assert_eq!(tell(None, about).0, 401);
    assert_eq!(tell(Some(&own), b"{\"years\":12}").0, 422);
    assert!(!project.path("content/labels/reader-a.yaml").exists());
    assert_eq!(tell(Some(&own), about).0, 200);
    let text = fs::read_to_string(project.path("content/labels/reader-a.yaml")).unwrap();
    assert!(text.contains("years: 12") && text.contains("breast_imaging"), "{text}");
    let asked = |token: &str| {
        request(&server.address, "GET /_collect/answers", Some(token), b"").unwrap().1
    };
    assert!(asked(&own).contains("breast_imaging") && !asked(&other).contains("breast_imaging"));
    // How far the study is, with what they said; the site has none of it.
    let told = project.command(&["study", "progress"]).output().unwrap();
    let out = String::from_utf8_lossy(&told.stdout).into_owned();
    for words in
        ["1 reader, 15 questions each: 0 of 15 answers are there.", "12 years, breast imaging"]
    {
        assert!(out.contains(words), "{words}: {out}");
    }
}

#[test]
fn a_readers_file_comes_in_by_its_codes_and_strange_ones_do_not() {
    let project = Project::new();
    let chosen = project.selection().units[3].clone();
    let mut again = answer(&chosen.code, "the same again", 5);
    again["repeat"] = true.into();
    let file = |answers: Vec<Value>, study: &str| {
        json!({ "schema": 1, "study": study, "reader": "reader-c", "lexicon": "bi-rads-5",
            "answers": answers })
        .to_string()
    };
    let import = |text: String| {
        fs::write(project.path("sent.json"), text).unwrap();
        project.command(&["labels", "import", "sent.json"]).output().unwrap()
    };
    let good = file(vec![answer(&chosen.code, "words", 1), again], "unit-atlas");
    assert!(import(good.clone()).status.success());
    let stored = project.stored("reader-c");
    assert_eq!(stored[&(chosen.unit.to_string(), false)], "words");
    assert_eq!(stored[&(chosen.unit.to_string(), true)], "the same again");
    let labels = project.path("content/labels/reader-c.yaml");
    let before = fs::read(&labels).unwrap();
    assert!(import(good.clone()).status.success());
    // A code of another study, or of weights that are no more.
    let strange = import(good.replace(&chosen.code, "u-222222222222"));
    let said = String::from_utf8_lossy(&strange.stderr).into_owned();
    assert!(!strange.status.success() && said.contains("another blind survey"), "{said}");
    assert!(!import(file(vec![answer(&chosen.code, "x", 9)], "other")).status.success());
    assert_eq!(fs::read(&labels).unwrap(), before);
}

/// Every file below a folder with its length.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, u64> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| (entry.path().to_owned(), entry.metadata().unwrap().len()))
        .collect()
}

#[test]
fn a_reader_answers_in_the_browser_through_a_crash() {
    let Some(chromium) = chromium::chromium() else { return };
    let project = Project::new();
    let mut server = Server::start(&project, "0", &["reader-a", "reader-b"]);
    let link =
        format!("http://{}/survey/index.html#token={}", server.address, server.tokens["reader-a"]);
    let folder = |name: &str| {
        fs::create_dir_all(project.path(name)).unwrap();
        project.path(name)
    };
    let mut browser =
        chromium::Browser::open(&chromium, &folder("profile"), &folder("downloads"), [1280, 900]);
    let on_unit = |browser: &mut chromium::Browser, number: usize| {
        browser.wait(&format!(
            "document.getElementById('survey-unit-title').textContent === 'Unit {number} of 15' && \
             document.querySelectorAll('.survey-patch').length"
        ));
    };
    browser.go(&link);
    browser.wait("!document.getElementById('survey-overview').hidden");
    assert_eq!(browser.text("location.hash"), "#overview", "the token is not in the address");
    browser.key("Enter");
    for number in 1..=3 {
        on_unit(&mut browser, number);
        browser.key("d");
        browser.type_text(&format!("words {number}"));
        browser.key("Escape");
        browser.key("m");
        browser.key("Enter");
    }
    on_unit(&mut browser, 4);
    let pending = "Object.keys(unitAtlas.survey.records(unitAtlas.data('survey/data.js'), \
                   localStorage).open('reader-a').pending || {}).length";
    browser.wait(&format!("{pending} === 0"));
    assert_eq!(project.stored("reader-a").len(), 3);
    // The server dies; the reader goes on, and is told.
    let port = server.port();
    server.kill();
    browser.key("n");
    browser.key("Enter");
    on_unit(&mut browser, 5);
    browser.wait(
        "document.getElementById('survey-warning').textContent.includes('not yet on the server')",
    );
    let _server = Server::start(&project, &port, &[]);
    browser.wait(&format!("{pending} === 0"));
    browser.wait("document.getElementById('survey-warning').hidden");
    assert_eq!(project.stored("reader-a").len(), 4);
    browser.close();
    // Another computer, the same link: the answers are there.
    let mut browser =
        chromium::Browser::open(&chromium, &folder("elsewhere"), &folder("downloads"), [1280, 900]);
    browser.go(&link);
    browser.wait(
        "document.getElementById('survey-progress-words').textContent === '4 of 15 answered'",
    );
    assert!(
        browser.text("document.querySelector('.survey-answered').textContent").contains("words 1")
    );
    // Without the link nobody gets in.
    browser.eval("sessionStorage.clear()");
    browser.go(link.split('#').next().unwrap());
    browser.wait(
        "document.getElementById('survey-warning').textContent.includes('link you were sent')",
    );
    browser.close();
}
