//! Chromium as a reader uses it: real keys and clicks, files up and down, a profile that lasts. Driven
//! over a pair of pipes by its own protocol.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Chromium by the variable `CHROMIUM`, else by its usual names; says aloud when there is none.
pub(crate) fn chromium() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("CHROMIUM").filter(|path| !path.is_empty()) {
        return Some(path.into());
    }
    let folders = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&folders)
        .flat_map(|folder| {
            ["chromium", "chromium-browser", "google-chrome"].map(|name| folder.join(name))
        })
        .find(|path| path.is_file());
    if found.is_none() {
        // Written past the test harness, which hides what passing tests print.
        let _ = writeln!(std::io::stderr(), "skipped: Chromium is not installed");
    }
    found
}

/// A running browser with one page.
pub(crate) struct Browser {
    child: Child,
    to: File,
    from: Receiver<Value>,
    events: VecDeque<Value>,
    session: String,
    number: u64,
    _pipes: tempfile::TempDir,
}

impl Browser {
    /// Starts Chromium with a profile; files it saves go to `downloads`.
    pub(crate) fn open(chromium: &Path, profile: &Path, downloads: &Path, size: [u32; 2]) -> Self {
        let pipes = tempfile::tempdir().unwrap();
        let [to, from] = ["to", "from"].map(|name| pipes.path().join(name));
        assert!(Command::new("mkfifo").arg(&to).arg(&from).status().unwrap().success());
        let child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<\"$PIPE_TO\" 4>\"$PIPE_FROM\""])
            .arg(chromium)
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--remote-debugging-pipe",
            ])
            .arg(format!("--window-size={},{}", size[0], size[1]))
            .arg(format!("--user-data-dir={}", profile.display()))
            .env("PIPE_TO", &to)
            .env("PIPE_FROM", &from)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Each waits until Chromium's side is opened, in this order.
        let to = File::options().write(true).open(&to).unwrap();
        let mut reader = BufReader::new(File::open(&from).unwrap());
        let (send, from) = channel();
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            while reader.read_until(0, &mut bytes).is_ok_and(|n| n > 0) {
                bytes.pop();
                if let Ok(message) = serde_json::from_slice(&bytes)
                    && send.send(message).is_err()
                {
                    return;
                }
                bytes.clear();
            }
        });
        let session = String::new();
        let events = VecDeque::new();
        let mut browser = Self { child, to, from, events, session, number: 0, _pipes: pipes };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attached = browser.call(
            "Target.attachToTarget",
            json!({ "targetId": target["targetId"], "flatten": true }),
        );
        browser.call(
            "Browser.setDownloadBehavior",
            json!({ "behavior": "allow", "downloadPath": downloads, "eventsEnabled": true }),
        );
        browser.session = attached["sessionId"].as_str().unwrap().to_owned();
        browser.call("Page.enable", json!({}));
        browser.call("Runtime.enable", json!({}));
        browser.call("Network.enable", json!({}));
        browser
    }

    /// One command of the protocol.
    pub(crate) fn call(&mut self, method: &str, params: Value) -> Value {
        self.ask(method, params).unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// The same, with the browser's refusal.
    fn ask(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        self.number += 1;
        let mut message = json!({ "id": self.number, "method": method, "params": params });
        if !self.session.is_empty() && !method.starts_with("Browser.") {
            message["sessionId"] = self.session.as_str().into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).unwrap();
        loop {
            let answer =
                self.from.recv_timeout(PATIENCE).unwrap_or_else(|e| panic!("{method}: {e}"));
            if answer["id"] == self.number {
                return match &answer["error"] {
                    Value::Null => Ok(answer["result"].clone()),
                    error => Err(error.clone()),
                };
            }
            if answer["method"].is_string() {
                // A question is answered with yes.
                if answer["method"] == "Page.javascriptDialogOpening" {
                    let accept = json!({ "id": 0, "method": "Page.handleJavaScriptDialog",
                        "params": { "accept": true }, "sessionId": self.session });
                    let mut bytes = accept.to_string().into_bytes();
                    bytes.push(0);
                    self.to.write_all(&bytes).unwrap();
                }
                self.events.push_back(answer);
            }
        }
    }

    /// Opens an address and waits until its scripts have run.
    pub(crate) fn go(&mut self, url: &str) {
        self.call("Page.navigate", json!({ "url": "about:blank" }));
        self.wait("location.href === 'about:blank'");
        self.call("Page.navigate", json!({ "url": url }));
        self.wait("location.href !== 'about:blank' && document.readyState === 'complete'");
    }

    /// The value of an expression in the page.
    pub(crate) fn eval(&mut self, script: &str) -> Value {
        let result = self.call(
            "Runtime.evaluate",
            json!({ "expression": script, "returnByValue": true, "awaitPromise": true }),
        );
        assert!(result["exceptionDetails"].is_null(), "{script}: {result}");
        result["result"]["value"].clone()
    }

    /// The text of an expression.
    pub(crate) fn text(&mut self, script: &str) -> String {
        self.eval(script).as_str().unwrap_or_default().to_owned()
    }

    /// Waits until a condition holds.
    #[track_caller]
    pub(crate) fn wait(&mut self, condition: &str) {
        let start = Instant::now();
        loop {
            // The page may be between two documents, or go away while it is asked.
            let result = self.ask(
                "Runtime.evaluate",
                json!({ "expression": format!("Boolean({condition})"), "returnByValue": true }),
            );
            if result.is_ok_and(|result| result["result"]["value"] == true) {
                return;
            }
            if start.elapsed() > PATIENCE {
                let page = self.text("document.body.innerText");
                panic!("still not: {condition}\n{page:.600}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses a key: a character, or `Enter`, `Tab`, `Escape`, `ArrowLeft`, …
    pub(crate) fn key(&mut self, key: &str) {
        self.key_with(key, 0);
    }

    /// With modifiers: 1 Alt, 2 Ctrl, 8 Shift.
    pub(crate) fn key_with(&mut self, key: &str, modifiers: u32) {
        let first = key.chars().next().unwrap();
        let (code, number, text) = match key {
            "Enter" => ("Enter".to_owned(), 13, "\r".to_owned()),
            "Tab" => ("Tab".to_owned(), 9, String::new()),
            "Escape" => ("Escape".to_owned(), 27, String::new()),
            "Backspace" => ("Backspace".to_owned(), 8, String::new()),
            "ArrowLeft" => (key.to_owned(), 37, String::new()),
            "ArrowUp" => (key.to_owned(), 38, String::new()),
            "ArrowRight" => (key.to_owned(), 39, String::new()),
            "ArrowDown" => (key.to_owned(), 40, String::new()),
            _ if first.is_ascii_digit() => (format!("Digit{first}"), first as u32, key.to_owned()),
            _ => {
                let upper = first.to_ascii_uppercase();
                (format!("Key{upper}"), upper as u32, key.to_owned())
            }
        };
        let text = if modifiers & 3 == 0 { text } else { String::new() };
        let event = json!({ "type": if text.is_empty() { "rawKeyDown" } else { "keyDown" },
            "key": key, "code": code, "windowsVirtualKeyCode": number, "text": text,
            "modifiers": modifiers });
        self.call("Input.dispatchKeyEvent", event.clone());
        let mut up = event;
        up["type"] = "keyUp".into();
        up["text"] = "".into();
        self.call("Input.dispatchKeyEvent", up);
    }

    /// Types into what has the focus.
    pub(crate) fn type_text(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// Clicks on the middle of an element.
    #[track_caller]
    pub(crate) fn click(&mut self, selector: &str) {
        let found = self.eval(&format!(
            "(() => {{ const node = document.querySelector({selector:?}); if (!node) return null; \
             node.scrollIntoView({{ block: 'center', behavior: 'instant' }}); \
             const box = node.getBoundingClientRect(); \
             return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        ));
        let at = |i: usize| found[i].as_f64().unwrap_or_else(|| panic!("no {selector}"));
        let (x, y) = (at(0), at(1));
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            self.call(
                "Input.dispatchMouseEvent",
                json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 }),
            );
        }
    }

    /// Chooses a file.
    pub(crate) fn upload(&mut self, selector: &str, file: &Path) {
        let document = self.call("DOM.getDocument", json!({}));
        let node = self.call(
            "DOM.querySelector",
            json!({ "nodeId": document["root"]["nodeId"], "selector": selector }),
        );
        self.call("DOM.setFileInputFiles", json!({ "files": [file], "nodeId": node["nodeId"] }));
    }

    /// What can be reached but has no name, or says so itself, as assistive technology sees the page.
    pub(crate) fn nameless(&mut self) -> Vec<String> {
        let tree = self.call("Accessibility.getFullAXTree", json!({}));
        let roles = [
            "button",
            "link",
            "textbox",
            "radio",
            "checkbox",
            "combobox",
            "slider",
            "listbox",
            "option",
            "img",
            "image",
            "progressbar",
            "radiogroup",
            "dialog",
            "form",
        ];
        let nodes = tree["nodes"].as_array().unwrap();
        nodes
            .iter()
            .filter(|node| node["ignored"] != true)
            .filter(|node| node["role"]["value"].as_str().is_some_and(|r| roles.contains(&r)))
            .filter(|node| node["name"]["value"].as_str().is_none_or(|n| n.trim().is_empty()))
            .map(|node| format!("{} without a name", node["role"]["value"]))
            .collect()
    }

    /// Addresses that the page has asked for since it was opened.
    pub(crate) fn requests(&mut self) -> Vec<String> {
        self.eval("1");
        self.events
            .iter()
            .filter(|event| event["method"] == "Network.requestWillBeSent")
            .filter_map(|event| event["params"]["request"]["url"].as_str().map(str::to_owned))
            .collect()
    }

    /// What scripts failed with.
    pub(crate) fn failures(&mut self) -> Vec<String> {
        self.eval("1");
        self.events
            .iter()
            .filter(|event| event["method"] == "Runtime.exceptionThrown")
            .map(|event| event["params"]["exceptionDetails"].to_string())
            .collect()
    }

    /// Files that were asked for and not had, and what the browser logged as an error.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        self.eval("1");
        let wrong = |event: &Value| -> Option<String> {
            let params = &event["params"];
            match event["method"].as_str()? {
                "Network.responseReceived" if params["response"]["status"].as_u64()? >= 400 => {
                    Some(params["response"]["url"].to_string())
                }
                "Log.entryAdded" if params["entry"]["level"] == "error" => {
                    Some(params["entry"].to_string())
                }
                _ => None,
            }
        };
        self.events.iter().filter_map(wrong).collect()
    }

    /// Ends the browser as a person would, so that what it keeps is on the disk.
    pub(crate) fn close(mut self) {
        assert_eq!(self.failures(), [""; 0]);
        self.call("Browser.close", json!({}));
        let start = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < PATIENCE, "Chromium does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The one file that was saved to a folder, once it is whole.
pub(crate) fn downloaded(folder: &Path) -> PathBuf {
    let start = Instant::now();
    loop {
        // While it comes in it has another ending.
        let file = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.extension().is_some_and(|e| e == "json"));
        if let Some(file) = file.filter(|file| std::fs::metadata(file).is_ok_and(|m| m.len() > 0)) {
            return file;
        }
        assert!(start.elapsed() < PATIENCE, "nothing was saved to {}", folder.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}
