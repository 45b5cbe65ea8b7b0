// The built binary with a directory of its own, and a browser: what everything in this folder runs on.
//
// TRAILBOOK_BIN  the binary (default: ../target/release/trailbook)
// CHROMIUM       the browser (default: /usr/bin/chromium)
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

export const BINARY = process.env.TRAILBOOK_BIN ?? fileURLToPath(new URL("../../target/release/trailbook", import.meta.url));
const HOST = fileURLToPath(new URL("../../scripts/host/serve.mjs", import.meta.url));
const BROWSER = process.env.CHROMIUM ?? "/usr/bin/chromium";
const BROWSER_ARGUMENTS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync".split(" ");
const KEY = "e2e-root-key-0123456789abcdef0123456789abcdef";

/** Starts both, the binary with `environment` as well. `end` stops them and removes the directory; call it also when something failed. */
export async function setStage({ environment = {} } = {}) {
  const data = await mkdtemp(join(tmpdir(), "trailbook-e2e-"));
  const listen = `127.0.0.1:${await freePort()}`;
  const server = spawn(BINARY, ["serve", "--data", data, "--listen", listen], { env: { ...process.env, TRAILBOOK_ROOT_KEY: KEY, ...environment }, stdio: ["ignore", "pipe", "inherit"] });
  let browser;
  const end = async () => {
    await browser?.close();
    if (server.exitCode === null) {
      const ended = new Promise((resolve) => server.once("exit", resolve));
      server.kill("SIGTERM");
      await ended;
    }
    await rm(data, { recursive: true, force: true });
  };
  try {
    // It prints a line with its address when it is ready.
    await new Promise((resolve, reject) => {
      server.once("error", reject);
      server.once("exit", (code) => reject(new Error(`the server ended with ${code}`)));
      server.stdout.on("data", (text) => String(text).includes("http") && resolve());
    });
    browser = await chromium.launch({ executablePath: BROWSER, args: BROWSER_ARGUMENTS });
  } catch (reason) {
    await end();
    throw reason;
  }
  const stage = { address: `http://${listen}`, key: KEY, browser, end };
  return { ...stage, onPage: (path, use, options) => onPage(stage, path, use, options), call: (...parameters) => call(stage, ...parameters) };
}

/** Asks the server by the root key, in a project where one is named; the answer must be a success. */
async function call({ address, key }, method, path, body, project) {
  const headers = { Authorization: `Bearer ${key}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (project !== undefined) headers["Trailbook-Project"] = project;
  const response = await fetch(address + path, { method, headers, body: JSON.stringify(body) });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text === "" ? null : JSON.parse(text);
}

/** Runs `use` on a fresh page at `path`, in which {key} stands for the key; whatever the page complains of (also of its content security policy) is a failure. */
async function onPage({ address, key, browser }, path, use, { viewport = { width: 1440, height: 900 }, ...more } = {}) {
  const context = await browser.newContext({ viewport, acceptDownloads: true, ...more });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("dialog", (dialog) => (complaints.push(`dialog: ${dialog.message()}`), dialog.dismiss()));
  page.on("console", (message) => /Content Security Policy|Refused to/.test(message.text()) && complaints.push(message.text()));
  try {
    await page.goto(address + path.replace("{key}", key));
    await use(page);
    assert.deepEqual(complaints, []);
  } finally {
    await context.close();
  }
}

/** Runs a command of the binary to its end, at the top of the repository. */
export function run(...parameters) {
  return promisify(execFile)(BINARY, parameters, { cwd: fileURLToPath(new URL("../..", import.meta.url)) });
}

/** Fills in the form of the sign-in page and sends it. */
export async function signIn(page, { email, password }) {
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

/** The page of a product around an organization's viewer, as `make demo` has it; the project's policy then lets that page show it. */
export async function setHost({ address, key }, organization) {
  const port = await freePort();
  const own = `http://127.0.0.1:${port}`;
  await run("project", "set", "default", "--server", address, "--key", key, "--set", `embed_origins=["${own}"]`);
  const server = spawn(process.execPath, [HOST, address, organization, String(port)], { env: { ...process.env, TRAILBOOK_KEY: key }, stdio: ["ignore", "pipe", "inherit"] });
  // It says where it is when it is ready.
  await Promise.race([once(server.stdout, "data"), once(server, "exit").then(([code]) => Promise.reject(new Error(`the host ended with ${code}`)))]);
  return { address: own, end: () => server.kill() };
}

/** Leaves the console by the menu of whoever looks; a page that is not shown a log has the button by itself. */
export async function signOut(page) {
  const [menu, button] = [page.getByRole("button", { name: "You and this screen" }), page.getByRole("button", { name: "Sign out" })];
  await menu.or(button).first().waitFor();
  if (!(await button.isVisible())) await menu.click();
  await button.click();
}

/** A port of loopback that nobody listens to. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
