//! What is handed in is read only so far: pipes, devices and files without an end are refused at once, with one
//! message that names them.
#![cfg(unix)]

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::project::{Project, Told};

/// Runs a command that must end by itself, soon.
#[track_caller]
fn soon(project: &Project, arguments: &[&str]) -> Told {
    let mut command = project.command(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{arguments:?} still waits");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Told::from(child.wait_with_output().unwrap())
}

fn pipe(project: &Project, name: &str) {
    let path = project.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

const FOLDER: &str = "\
source: { kind: folder, path: data/images.csv }
networks: [{ name: resnet10, input: 48, layers: [layer4], training: false }]
";

#[test]
fn no_input_is_waited_for_whatever_it_is() {
    let project =
        Project::new("networks: [{ name: resnet10, layers: [layer4], training: false }]\n");
    for name in ["pipe", "pipe.yaml", "pipe.json", "pipe.csv", "pipe.xlsx", "pipe.dcm", "pipe.png"]
    {
        pipe(&project, name);
    }
    let weights = ["predict", "--network", "resnet10", "--weights"];
    let cases: [(&[&str], &str); 7] = [
        (&["labels", "import", "pipe.json"], "pipe.json"),
        (&["labels", "import", "pipe.csv"], "pipe.csv"),
        (&["labels", "import", "pipe.xlsx"], "pipe.xlsx"),
        (&[&weights[..], &["pipe", "pipe.png"]].concat(), "pipe"),
        (&[&weights[..], &["/dev/zero", "pipe.png"]].concat(), "/dev/zero"),
        (&["labels", "import", "/dev/zero"], "/dev/zero"),
        (&["pack", "--encrypt", "--passphrase-file", "pipe"], "pipe"),
    ];
    for (arguments, name) in cases {
        let kind = if name.starts_with("/dev") { "a device" } else { "a named pipe" };
        soon(&project, arguments).expect_error(&[name, &format!("is not a file but {kind}")]);
    }
    for name in ["pipe.yaml", "/dev/zero"] {
        soon(&project, &["run", "-c", name]).expect_error(&[&format!("no project file {name}")]);
    }
}

#[test]
fn no_file_of_a_project_is_waited_for() {
    let project = Project::new(FOLDER);
    pipe(&project, "data/images.csv");
    soon(&project, &["prepare"]).expect_error(&["images.csv", "is not a file but a named pipe"]);
    fs::remove_file(project.path("data/images.csv")).unwrap();
    pipe(&project, "data/pipe.dcm");
    std::os::unix::fs::symlink("/dev/zero", project.path("data/zero.png")).unwrap();
    for (image, kind) in [("pipe.dcm", "a named pipe"), ("zero.png", "a device")] {
        project.write("data/images.csv", format!("image,patient\n{image},a\n"));
        let words = format!("is not a file but {kind}");
        soon(&project, &["prepare"]).expect_error(&["images.csv:2", &words]);
    }
    // What is read beside: answers, what was settled, lexicons.
    for name in ["labels/a.yaml", "consensus.yaml", "lexicons/own.yaml"] {
        let name = format!("content/{name}");
        pipe(&project, &name);
        let told = soon(&project, &["labels", "check"]);
        assert_ne!(told.status, Some(0), "{name}");
        let all = told.out + &told.err;
        assert!(all.contains(&name) && all.contains("is not a file but a named pipe"), "{all}");
        fs::remove_file(project.path(&name)).unwrap();
    }
}

#[test]
fn texts_are_read_only_so_far() {
    let project =
        Project::new("networks: [{ name: resnet10, layers: [layer4], training: false }]\n");
    // As long as a disk, and empty.
    for name in ["long.yaml", "long.csv", "long.txt"] {
        fs::File::create(project.path(name)).unwrap().set_len(1 << 36).unwrap();
    }
    for arguments in [
        ["run", "-c", "long.yaml"],
        ["labels", "import", "long.yaml"],
        ["labels", "import", "long.csv"],
    ] {
        let name = arguments[2];
        soon(&project, &arguments).expect_error(&[name, "holds 68719476736 bytes", "are not read"]);
    }
    let arguments = ["pack", "--encrypt", "--passphrase-file", "long.txt"];
    let told = soon(&project, &arguments);
    told.expect_error(&["long.txt", "holds 68719476736 bytes; files of more than 65536"]);
    // A passphrase without an end.
    let mut command = project.command(&["pack", "--encrypt", "--passphrase-file", "-"]);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    while stdin.write_all(&[b'x'; 1 << 16]).is_ok() {}
    Told::from(child.wait_with_output().unwrap()).expect_error(&["passphrase", "65536"]);
}
