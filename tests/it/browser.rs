//! A headless browser: Chromium, controlled by the WebDriver standard.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use fantoccini::actions::{
    InputSource, MOUSE_BUTTON_LEFT, MouseActions, PointerAction, TouchActions, WheelAction, WheelActions,
};
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::stack::Stack;

/// The timeout for everything on a page. It only bounds failures; it is no performance limit.
const PATIENCE: Duration = Duration::from_secs(90);

static DRIVER: OnceLock<Driver> = OnceLock::new();

/// The only driver of a test run.
struct Driver {
    address: String,
    child: Mutex<Child>,
}

/// A window of the browser that shows the dashboard of the stack.
pub struct Browser {
    client: Client,
    stack: &'static Stack,
    dashboard: String,
    downloads: TempDir,
}

/// Whether this machine has Chromium and its driver: the Debian packages chromium and chromium-driver.
pub fn is_there() -> bool {
    on_path("chromedriver").is_some() && on_path("chromium").is_some()
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

fn start() -> anyhow::Result<Driver> {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("find a port")?.local_addr()?.port();
    let mut command = Command::new("chromedriver");
    command.arg(format!("--port={port}")).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().context("start chromedriver")?;
    Ok(Driver { address: format!("http://127.0.0.1:{port}"), child: Mutex::new(child) })
}

/// Stops the driver, if it is running; windows are closed by their tests.
pub fn stop_if_started() {
    if let Some(driver) = DRIVER.get() {
        let mut child = driver.child.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Browser {
    /// Runs a test in its own window, and closes the window however the test ends.
    pub fn with(test: impl FnOnce(&Self) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let browser = Self::open()?;
        let tested = test(&browser);
        let closed = browser.stack.run(browser.client.clone().close()).context("close the window");
        tested.and(closed)
    }

    fn open() -> anyhow::Result<Self> {
        let stack = Stack::get();
        let driver = DRIVER.get_or_init(|| start().expect("chromedriver starts"));
        let downloads = tempfile::tempdir().context("make a folder for downloads")?;
        let deadline = Instant::now() + PATIENCE;
        let client = loop {
            match stack.run(connect(&driver.address, downloads.path())) {
                Ok(client) => break client,
                Err(error) if Instant::now() > deadline => bail!("no window opens: {error}"),
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        };
        Ok(Self { client, stack, dashboard: stack.setting("DASHBOARD_URL"), downloads })
    }

    pub fn go(&self, path: &str) -> anyhow::Result<()> {
        let url = format!("{}{path}", self.dashboard);
        self.stack.run(self.client.goto(&url)).with_context(|| format!("open {path}"))
    }

    /// Opens another tab and switches to it. All tabs are closed with the window.
    pub fn open_tab(&self) -> anyhow::Result<()> {
        let open = async {
            let tab = self.client.new_window(true).await?;
            self.client.switch_to_window(tab.handle).await
        };
        self.stack.run(open).context("open a tab")
    }

    /// The number of tabs.
    pub fn tabs(&self) -> anyhow::Result<usize> {
        self.stack.run(self.client.windows()).map(|tabs| tabs.len()).context("count the tabs")
    }

    pub fn resize(&self, width: u32, height: u32) -> anyhow::Result<()> {
        self.stack.run(self.client.set_window_size(width, height)).context("resize the window")
    }

    /// Clicks on an element.
    pub fn click(&self, css: &str) -> anyhow::Result<()> {
        let click = async { self.client.find(Locator::Css(css)).await?.click().await };
        self.stack.run(click).with_context(|| format!("click on {css}"))
    }

    /// Types into a field.
    pub fn write(&self, css: &str, text: &str) -> anyhow::Result<()> {
        let write = async { self.client.find(Locator::Css(css)).await?.send_keys(text).await };
        self.stack.run(write).with_context(|| format!("type into {css}"))
    }

    /// Moves the mouse to the middle of an element, and clicks this many times, as fast as possible.
    pub fn point(&self, css: &str, clicks: usize) -> anyhow::Result<()> {
        let point = async {
            let (x, y) = self.middle(css).await?;
            let moved = MouseActions::new("mouse".to_owned()).then(PointerAction::MoveTo { duration: None, x, y });
            let click =
                [PointerAction::Down { button: MOUSE_BUTTON_LEFT }, PointerAction::Up { button: MOUSE_BUTTON_LEFT }];
            let clicks = std::iter::repeat_n(click, clicks).flatten();
            self.client.perform_actions(clicks.fold(moved, |mouse, action| mouse.then(action))).await
        };
        self.stack.run(point).with_context(|| format!("point at {css}, and click {clicks} times"))
    }

    /// Scrolls the mouse wheel over the middle of an element, by this many pixels down.
    pub fn wheel(&self, css: &str, pixels: i64) -> anyhow::Result<()> {
        let turn = async {
            let (x, y) = self.middle(css).await?;
            let scroll = WheelAction::Scroll { duration: None, x: x as i64, y: y as i64, delta_x: 0, delta_y: pixels };
            let wheel = WheelActions::new("wheel".to_owned()).then(scroll);
            self.client.perform_actions(wheel).await
        };
        self.stack.run(turn).with_context(|| format!("turn the wheel over {css}"))
    }

    /// Taps the middle of an element with a finger.
    pub fn tap(&self, css: &str) -> anyhow::Result<()> {
        let tap = async {
            let (x, y) = self.middle(css).await?;
            let finger = TouchActions::new("finger".to_owned())
                .then(PointerAction::MoveTo { duration: None, x, y })
                .then(PointerAction::Down { button: MOUSE_BUTTON_LEFT })
                .then(PointerAction::Up { button: MOUSE_BUTTON_LEFT });
            self.client.perform_actions(finger).await
        };
        self.stack.run(tap).with_context(|| format!("tap on {css}"))
    }

    /// Swipes a finger up over an element.
    pub fn swipe_up(&self, css: &str) -> anyhow::Result<()> {
        let swipe = async {
            let (x, y) = self.middle(css).await?;
            let step = |by: f64| PointerAction::MoveTo { duration: Some(Duration::from_millis(50)), x, y: y - by };
            let begun = TouchActions::new("finger".to_owned())
                .then(step(0.0))
                .then(PointerAction::Down { button: MOUSE_BUTTON_LEFT });
            let moved = (1..=10).fold(begun, |finger, by| finger.then(step(f64::from(by) * 20.0)));
            self.client.perform_actions(moved.then(PointerAction::Up { button: MOUSE_BUTTON_LEFT })).await
        };
        self.stack.run(swipe).with_context(|| format!("swipe over {css}"))
    }

    /// The position of the middle of an element, in pixels.
    async fn middle(&self, css: &str) -> Result<(f64, f64), fantoccini::error::CmdError> {
        let show = "document.querySelector(arguments[0]).scrollIntoView({ block: 'center', behavior: 'instant' })";
        self.client.execute(show, vec![json!(css)]).await?;
        // Pointer coordinates are relative to the viewport.
        let place = "const { left, top, width, height } = document.querySelector(arguments[0]).getBoundingClientRect();
            return [left + width / 2, top + height / 2]";
        let middle = self.client.execute(place, vec![json!(css)]).await?;
        let number = |at: usize| middle[at].as_f64().unwrap_or_default().round();
        Ok((number(0), number(1)))
    }

    /// Grants pages a permission for which a person would be asked, such as `clipboard-read`.
    pub fn allow(&self, permission: &str) -> anyhow::Result<()> {
        let wanted = json!({"descriptor": {"name": permission}, "state": "granted"});
        self.stack.run(self.command("permissions", &wanted)).map(|_| ()).context("give a permission")
    }

    /// Waits for a file that a page downloads, and returns its content.
    pub fn download(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        let path = self.downloads.path().join(name);
        let deadline = Instant::now() + PATIENCE;
        // The browser renames a file once it is complete.
        while !path.is_file() {
            ensure!(Instant::now() < deadline, "{name} was not downloaded");
            std::thread::sleep(Duration::from_millis(50));
        }
        std::fs::read(&path).with_context(|| format!("read {name}"))
    }

    /// The return value of a script.
    pub fn ask(&self, script: &str) -> anyhow::Result<Value> {
        self.stack.run(self.client.execute(script, Vec::new())).with_context(|| format!("run {script}"))
    }

    /// The value that a script passes to its last argument, a callback.
    pub fn ask_later(&self, script: &str, arguments: Vec<Value>) -> anyhow::Result<Value> {
        self.stack.run(self.client.execute_async(script, arguments)).with_context(|| format!("run {script}"))
    }

    /// Waits until an expression is true.
    pub fn until(&self, expression: &str) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.ask(&format!("return Boolean({expression})"))? != json!(true) {
            ensure!(
                Instant::now() < deadline,
                "it never came to this: {expression}\n{}",
                self.ask("return document.body.innerText")?
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// A screenshot of an element: PNG.
    pub fn picture(&self, css: &str) -> anyhow::Result<Vec<u8>> {
        let shot = async { self.client.find(Locator::Css(css)).await?.screenshot().await };
        self.stack.run(shot).with_context(|| format!("take a picture of {css}"))
    }

    /// The console messages since the last call, including errors and violations of the policy.
    pub fn complaints(&self) -> anyhow::Result<Vec<String>> {
        let said = self.stack.run(self.command("se/log", &json!({"type": "browser"})))?;
        let all = said.as_array().context("read the console")?;
        let severe = all.iter().filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING");
        Ok(severe.map(ToString::to_string).collect())
    }

    /// Sends a command that the client does not support, and returns the driver's response.
    async fn command(&self, name: &str, body: &Value) -> anyhow::Result<Value> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let id = self.client.session_id().await?.context("find the session")?;
        let address = DRIVER.get().map(|driver| driver.address.clone()).context("find the driver")?;
        let asked = reqwest::Client::new().post(format!("{address}/session/{id}/{name}"));
        let mut said: Value = asked.json(body).send().await?.json().await?;
        ensure!(said["value"]["error"].is_null(), "the driver refuses {name}: {said}");
        Ok(said["value"].take())
    }

    /// The addresses outside the dashboard that the page requested.
    pub fn foreign(&self) -> anyhow::Result<Vec<String>> {
        let asked = self.ask("return performance.getEntriesByType('resource').map((entry) => entry.name)")?;
        let names = asked.as_array().context("read the requests")?.iter().filter_map(Value::as_str);
        Ok(names
            .filter(|name| {
                !name.starts_with(&self.dashboard) && !name.starts_with("data:") && !name.starts_with("blob:")
            })
            .map(str::to_owned)
            .collect())
    }
}

async fn connect(address: &str, downloads: &Path) -> Result<Client, fantoccini::error::NewSessionError> {
    let options = json!({
        "goog:chromeOptions": {
            "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,900"],
            "prefs": {"download.default_directory": downloads, "download.prompt_for_download": false},
        },
        "goog:loggingPrefs": {"browser": "ALL"},
    });
    let capabilities = options.as_object().cloned().unwrap_or_default();
    ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
        .capabilities(capabilities)
        .connect(address)
        .await
}
