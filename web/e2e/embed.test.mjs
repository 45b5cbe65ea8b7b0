// The viewer inside of other products' pages: a host of another origin, with a strict content security policy and styles that spoil all
// that they reach.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import { build } from "vite";
import { setStage } from "./stage.mjs";

const ORGANIZATION = "fashion";
const AREA = "product";
const sarah = { id: "u_81", name: "Sarah Khan", email: "sarah@fashion.example" };
const omar = { id: "u_7", name: "Omar Aziz", email: "omar@fashion.example" };

/** What nobody's page should have, and some have. */
const HOSTILE = `
  * { all: unset !important; font: 700 40px/3 fantasy !important; color: red !important; letter-spacing: 1em !important }
  html { font-size: 60px; --line: red; --panel: red; --text: red }
  div, main, header, section, table, dialog, button { display: none !important }
  trailbook-viewer { --bg: red; --top: 500px; color: red; text-transform: uppercase }`;

let stage;
let host;

/** A product's server of another origin: pages by path, and viewer tokens for whoever is signed in there. */
async function setHost({ address, call }) {
  const pages = new Map();
  const styles = new Map([
    ["/hostile.css", HOSTILE],
    ["/own.css", "trailbook-viewer { --trailbook-accent: rgb(1, 2, 3); --trailbook-font: Georgia, serif } trailbook-viewer::part(title) { text-decoration: underline }"],
    ["/frame.css", "iframe { width: 1200px; height: 800px }"],
  ]);
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, "http://host").pathname;
    const answer = (type, text, more = {}) => response.writeHead(200, { "Content-Type": type, ...more }).end(text);
    if (path === "/token") return answer("text/plain", await tokenOf(call));
    if (styles.has(path)) return answer("text/css", styles.get(path));
    if (path.endsWith(".js") && pages.has(path)) return answer("text/javascript", pages.get(path));
    if (pages.has(path)) return answer("text/html; charset=utf-8", pages.get(path), { "Content-Security-Policy": policyOf(address) });
    response.writeHead(404).end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return { origin, pages, end: () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))) };
}

/** What docs/embedding.md tells hosts to allow, and nothing else. */
function policyOf(address) {
  return `default-src 'none'; script-src 'self' ${address}; style-src 'self'; connect-src 'self' ${address}; font-src ${address}; frame-src ${address}; base-uri 'none'`;
}

async function tokenOf(call, more = {}) {
  const actor = { id: "u_1", name: "Ann Auditor", role: "auditor" };
  return (await call("POST", `/v1/organizations/${ORGANIZATION}/viewer-tokens`, { actor, may_export: true, ...more })).token;
}

before(async () => {
  stage = await setStage();
  host = await setHost(stage);
  const now = Date.now();
  const event = (minutes, more) => ({ organization: ORGANIZATION, area: AREA, occurred_at: new Date(now - minutes * 60_000).toISOString(), ...more });
  await stage.call("POST", "/v1/events", {
    events: [
      event(3, { action: "user.login", action_type: "login", description: "Logged in", actor: omar }),
      event(2, { action: "user.role.updated", action_type: "update", description: "Made organization owner", security: true, actor: sarah, targets: [{ type: "user", id: "u_92", name: "Bill Hart" }], changes: [{ field: "role", before: "administrator", after: "owner" }] }),
      event(1, { action: "report.exported", action_type: "export", description: "Exported a report", actor: sarah }),
    ],
  });
  await listOrigins([host.origin]);
});

after(async () => {
  await host?.end();
  await stage?.end();
});

const listOrigins = (embed_origins) => stage.call("PUT", `/v1/organizations/${ORGANIZATION}`, { policy: { embed_origins } });

const ELEMENT = () => `<script type="module" src="${stage.address}/embed/trailbook-viewer.js"></script>`;

let pageNumber = 0;

/** Serves a page of the host with this body and script, and opens it. The host's own script is a file: its policy has nothing else. */
async function onHost({ body = "", script = "", head = "", element = true }, use, options) {
  const name = `/page-${pageNumber++}`;
  host.pages.set(`${name}.js`, script);
  host.pages.set(
    name,
    `<!doctype html><html lang="en"><head><title>A product</title>${head}${element ? ELEMENT() : ""}</head><body>${body}<script type="module" src="${name}.js"></script></body></html>`,
  );
  await stage.onPage("/healthz", async (page) => {
    await page.goto(host.origin + name);
    await use(page);
  }, options);
}

/** The element, which asks for the events of the product alone: every opening of the log is an event as well. */
const element = (attributes = "", query = `area:${AREA}`) => `<trailbook-viewer id="log" src="${stage.address}" organization="${ORGANIZATION}" query="${query}" ${attributes}></trailbook-viewer>`;
const ASKS = `document.getElementById("log").getToken = () => fetch("/token").then((answer) => answer.text());`;
const shown = (page) => page.getByText("Made organization owner").first().waitFor();

const HOSTILE_LINK = `<link rel="stylesheet" href="/hostile.css">`;
const row = (page, text) => page.locator("tr.event").filter({ hasText: text }).first();
const open = (page, text) => row(page, text).locator(".open-event").click();
const status = (page, text) => page.locator(".count").filter({ hasText: text }).waitFor();
const heard = (page) => page.evaluate(() => window.heard);
/** Keeps what the element tells the page. */
const LISTENS = `window.heard = [];
for (const name of ["trailbook-token-expired", "trailbook-event-open", "trailbook-query-change"])
  document.addEventListener(name, (event) => window.heard.push([name, event.detail]));`;

suite("the element", () => {
  test("it shows the log on a page of another origin, by the token that the page's own server makes; no cookie is sent, and nothing of it is asked of the page's server", () =>
    onHost({ body: element(), script: ASKS }, async (page) => {
      await page.context().addCookies([{ name: "session", value: "somebody", url: stage.address }]);
      const [cookies, strays] = [[], []];
      page.on("request", (request) => {
        const { origin, pathname } = new URL(request.url());
        if (origin === stage.address && request.headers().cookie !== undefined) cookies.push(pathname);
        if (origin !== stage.address && !/^\/(page-\d+(\.js)?|token|favicon\.ico)$/.test(pathname)) strays.push(request.url());
      });
      await page.reload();
      await shown(page);
      await open(page, "Made organization owner");
      await page.getByText("administrator").first().waitFor();
      assert.deepEqual([cookies, strays], [[], []]);
    }));

  test("styles of the page do not reach what it shows", async () => {
    const looks = [];
    for (const head of ["", HOSTILE_LINK]) {
      await onHost({ head, body: element(), script: ASKS }, async (page) => {
        await shown(page);
        await page.locator('.live[data-state="live"]').waitFor();
        looks.push(
          await page.evaluate(() => {
            const root = document.querySelector("trailbook-viewer").shadowRoot;
            const names = ["display", "color", "background-color", "font-size", "font-family", "font-weight", "line-height", "letter-spacing", "text-transform", "border-radius", "height", "padding-left", "visibility"];
            return [".trailbook", ".page", "h1", ".bar", ".bar button", ".search input", "tr.event", "tr.event td", ".live"].map((selector) => {
              const style = getComputedStyle(root.querySelector(selector));
              return [selector, ...names.filter((name) => name !== "height" || /button|h1|input/.test(selector)).map((name) => `${name}: ${style.getPropertyValue(name)}`)];
            });
          }),
        );
      });
    }
    assert.deepEqual(looks[1], looks[0]);
  });

  test("the keyboard works inside of it, and leaves the rest of the page its keys", () =>
    onHost({ head: HOSTILE_LINK, body: `<input id="own">${element()}`, script: `${ASKS}${LISTENS}` }, async (page) => {
      await shown(page);
      await page.locator("#own").focus();
      await page.keyboard.type("/jk?");
      assert.equal(await page.locator("#own").inputValue(), "/jk?");
      const focused = () => page.evaluate(() => document.activeElement.shadowRoot?.activeElement?.closest("tr")?.textContent ?? document.activeElement.shadowRoot?.activeElement?.getAttribute("role") ?? null);
      await page.locator(".search input").focus();
      await page.keyboard.press("Escape");
      await page.getByRole("heading", { name: "Activity" }).click();
      await page.locator("tr.event .open-event").first().focus();
      await page.keyboard.press("j");
      await page.keyboard.press("Enter");
      await page.locator(".detail h2").waitFor();
      assert.notEqual(await focused(), null);
      await page.keyboard.press("Escape");
      await page.locator(".detail").waitFor({ state: "detached" });
      assert.notEqual(await focused(), null);
      await page.keyboard.press("/");
      assert.equal(await focused(), "combobox");
    }));

  test("boxes and dialogs open inside of it, close with Escape, and give the focus back", () =>
    onHost({ head: HOSTILE_LINK, body: element(), script: ASKS }, async (page) => {
      await shown(page);
      const range = page.getByRole("button", { name: /All time/ });
      await range.click();
      const days = page.locator('.calendar-day[tabindex="0"]');
      await days.focus();
      const day = () => page.evaluate(() => document.activeElement.shadowRoot.activeElement.getAttribute("aria-label"));
      const today = await day();
      await page.keyboard.press("ArrowLeft");
      await page.waitForFunction((before) => document.activeElement.shadowRoot.activeElement.getAttribute("aria-label") !== before, today);
      assert.equal(await page.locator(".calendar-day:focus").count(), 1, "arrows walk over the days inside of a shadow root");
      await page.keyboard.press("Escape");
      await days.waitFor({ state: "detached" });
      assert.equal(await range.evaluate((button) => button.getRootNode().activeElement === button), true);
      await page.getByRole("button", { name: "Filter", exact: true }).click();
      const panel = page.getByRole("dialog");
      await panel.waitFor();
      assert.equal(await panel.evaluate((dialog) => dialog.getRootNode() instanceof ShadowRoot), true);
      await page.keyboard.press("Escape");
      await panel.waitFor({ state: "hidden" });
    }));

  test("what is typed completes, and a value's menu narrows the list", () =>
    onHost({ body: element(), script: `${ASKS}${LISTENS}` }, async (page) => {
      await shown(page);
      await page.locator(".search input").fill("type:up");
      await page.getByRole("option").first().waitFor();
      await page.locator(".search input").fill("type:update actor:u_81");
      await page.keyboard.press("Enter");
      await status(page, /^1 event/);
      assert.deepEqual((await heard(page)).filter(([name]) => name === "trailbook-query-change").at(-1), ["trailbook-query-change", { query: "type:update actor:u_81", range: null }]);
    }));

  test("what a reader opens and asks is told to the page, and what the page asks is not", () =>
    onHost({ body: element("", "type:export"), script: `${ASKS}${LISTENS}` }, async (page) => {
      await row(page, "Exported a report").waitFor();
      await status(page, /^1 event/);
      await page.evaluate(() => document.getElementById("log").setAttribute("query", "type:login"));
      await row(page, "Logged in").waitFor();
      assert.deepEqual((await heard(page)).filter(([name]) => name !== "trailbook-token-expired"), []);
      await open(page, "Logged in");
      await page.locator(".detail h2").waitFor();
      const opened = (await heard(page)).filter(([name]) => name === "trailbook-event-open");
      assert.equal(opened.length, 1);
      assert.match(opened[0][1].id, /^\w+/);
    }));

  test("its looks are the page's to choose: colour, typeface, theme, and parts", () =>
    onHost(
      {
        head: `<link rel="stylesheet" href="/own.css">`,
        body: element('theme="dark"'),
        script: ASKS,
      },
      async (page) => {
        const typefaces = [];
        page.on("request", (request) => request.url().endsWith(".woff2") && typefaces.push(request.url()));
        await page.reload();
        await shown(page);
        const look = await page.evaluate(() => {
          const root = document.querySelector("trailbook-viewer").shadowRoot;
          const of = (selector, name) => getComputedStyle(root.querySelector(selector)).getPropertyValue(name);
          return [of(".trailbook", "color-scheme"), of(".trailbook", "font-family"), of("h1", "text-decoration-line"), of(".trailbook", "--accent"), document.fonts.size];
        });
        assert.deepEqual(look, ["dark", "Georgia, serif", "underline", "rgb(1, 2, 3)", 0]);
        assert.deepEqual(typefaces, []);
      },
    ));

  test("times are of the zone that the page names", () =>
    onHost({ body: element('time-zone="Asia/Kolkata"'), script: ASKS }, async (page) => {
      await shown(page);
      await page.getByText(/GMT\+5:30|IST/).first().waitFor();
    }));

  test("two of them on a page have nothing to do with each other", () =>
    onHost(
      { body: `${element("", "type:export")}${element("", "type:login").replace('id="log"', 'id="other"')}`, script: `${ASKS}${ASKS.replace('"log"', '"other"')}` },
      async (page) => {
        await page.locator("#log").getByText("Exported a report").first().waitFor();
        await page.locator("#other").getByText("Logged in").first().waitFor();
        assert.equal(await page.locator("#other").getByText("Exported a report").count(), 0);
      },
    ));

  test("the key that the page pins decides what is verified, not the one that the server gives", async () => {
    const { vkey } = await stage.call("GET", `/v1/organizations/${ORGANIZATION}/checkpoint-key`);
    const [name, hash, key] = vkey.split("+");
    const other = [name, hash, key.slice(0, -3) + (key.at(-3) === "A" ? "B" : "A") + key.slice(-2)].join("+");
    for (const [pinned, state] of [[vkey, "verified"], [other, "failed"]]) {
      await onHost({ body: element(`checkpoint-key="${pinned}"`), script: ASKS }, async (page) => {
        await shown(page);
        await page.locator(`.integrity-badge[data-state="${state}"]`).waitFor();
      });
    }
  });

  test("it is accessible on a page of its host, light and dark", () =>
    onHost({ body: `<main>${element()}</main>`.replaceAll("main", "section"), script: ASKS }, async (page) => {
      await shown(page);
      for (const theme of ["light", "dark"]) {
        await page.evaluate((name) => document.getElementById("log").setAttribute("theme", name), theme);
        await page.evaluate(axe.source);
        const { violations } = await page.evaluate(() => window.axe.run(document.querySelector("trailbook-viewer")));
        assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map(({ target, failureSummary }) => [target, failureSummary])]), [], theme);
      }
    }));
});

suite("tokens", () => {
  const revoke = () => stage.call("DELETE", `/v1/organizations/${ORGANIZATION}/viewer-tokens?actor=u_1`);
  const search = async (page, text) => {
    await page.locator(".search input").fill(text);
    await page.keyboard.press("Enter");
  };

  test("a token that is over is replaced by what getToken gives, and the reader sees nothing of it", () =>
    onHost({ body: element(), script: `${LISTENS}${ASKS}` }, async (page) => {
      await shown(page);
      await page.evaluate(() => (window.before = document.getElementById("log").shadowRoot.querySelector("h1")));
      await revoke();
      await search(page, "type:export");
      await status(page, /^1 event/);
      assert.equal(await page.evaluate(() => window.before === document.getElementById("log").shadowRoot.querySelector("h1")), true, "nothing was drawn anew");
      const asked = (await heard(page)).filter(([name]) => name === "trailbook-token-expired");
      assert.equal(asked.length, 2, "once at first, and once for all calls that were refused");
    }));

  test("a page without getToken hears that a token is over, and sets the attribute", async () => {
    const script = `const log = document.getElementById("log");
      log.addEventListener("trailbook-token-expired", async () => log.setAttribute("token", await (await fetch("/token")).text()));`;
    await onHost({ body: element(), script }, async (page) => {
      await shown(page);
      await revoke();
      await search(page, "type:export");
      await status(page, /^1 event/);
    });
  });

  test("a page whose own script comes late is waited for", () =>
    onHost({ body: element() }, async (page) => {
      await page.locator("#log").getByText("Loading…").waitFor();
      await page.evaluate(() => (document.getElementById("log").getToken = () => fetch("/token").then((answer) => answer.text())));
      await shown(page);
    }));

  test("where no other comes, the log goes and a sentence says why; it comes back with a token", () =>
    onHost({ body: element(), script: `window.good = true; document.getElementById("log").getToken = () => window.good ? fetch("/token").then((answer) => answer.text()) : Promise.reject(new Error("signed out"));` }, async (page) => {
      await shown(page);
      await page.evaluate(() => (window.good = false));
      await revoke();
      await page.getByRole("alert").getByText("Your access to this log is over").waitFor();
      assert.equal(await page.getByText("Made organization owner").count(), 0);
      await page.evaluate(() => (window.good = true));
      await page.getByRole("button", { name: "Try again" }).click();
      await shown(page);
    }));

  test("a page whose origin is not listed reads nothing", async () => {
    await listOrigins([]);
    try {
      await onHost({ body: element(`token="${await tokenOf(stage.call)}"`) }, async (page) => {
        await page.getByRole("alert").waitFor();
        assert.equal(await page.getByText("Made organization owner").count(), 0);
      });
    } finally {
      await listOrigins([host.origin]);
    }
  });
});

suite("the framed page", () => {
  const frame = (fragment) => `<iframe id="frame" title="Audit log" src="${stage.address}/embed/${ORGANIZATION}${fragment}"></iframe><link rel="stylesheet" href="/frame.css">`;
  const inside = (page) => page.frameLocator("#frame");
  const LISTENS_TO_FRAME = `window.heard = [];
    addEventListener("message", ({ origin, data }) => window.heard.push([origin, data.type, data.detail]));`;

  test("it shows the log by the fragment's token, which leaves the address; the cookie of somebody who is signed in is not used", async () => {
    const token = await tokenOf(stage.call);
    await onHost({ body: frame(`#token=${token}&query=area:${AREA}`), script: LISTENS_TO_FRAME }, async (page) => {
      await page.context().addCookies([{ name: "session", value: "somebody", url: stage.address }]);
      const cookies = [];
      page.on("request", (request) => /\/(v1|auth)\//.test(request.url()) && request.headers().cookie !== undefined && cookies.push(request.url()));
      await page.reload();
      await inside(page).getByText("Made organization owner").first().waitFor();
      const address = page.frames().find((each) => each !== page.mainFrame()).url();
      assert.equal(address, `${stage.address}/embed/${ORGANIZATION}`);
      assert.deepEqual(cookies, []);
      await open(inside(page), "Logged in");
      await page.waitForFunction(() => window.heard.some(([, type]) => type === "trailbook-event-open"));
      assert.equal((await heard(page)).every(([origin]) => origin === stage.address), true);
    });
  });

  test("without a token nobody's session opens it, and the page around hears that one is needed; a new fragment brings it", async () => {
    const script = `${LISTENS_TO_FRAME}
      addEventListener("message", async ({ data }) => {
        if (data.type !== "trailbook-token-expired") return;
        document.getElementById("frame").src = "${stage.address}/embed/${ORGANIZATION}#token=" + encodeURIComponent(await (await fetch("/token")).text());
      });`;
    await onHost({ body: frame(`#query=area:${AREA}`), script }, async (page) => {
      await inside(page).getByText("Made organization owner").first().waitFor();
      assert.equal((await heard(page))[0][1], "trailbook-token-expired");
    });
  });

  test("a page whose origin is not listed does not get to frame it", async () => {
    await listOrigins(["https://another.example"]);
    try {
      const complaints = [];
      const context = await stage.browser.newContext();
      const page = await context.newPage();
      page.on("console", (message) => complaints.push(message.text()));
      host.pages.set("/framing", `<!doctype html><title>A product</title>${frame("#token=x")}`);
      await page.goto(`${host.origin}/framing`);
      await page.waitForFunction(() => document.readyState === "complete");
      await poll(() => complaints.some((text) => text.includes("frame-ancestors")));
      await context.close();
    } finally {
      await listOrigins([host.origin]);
    }
  });
});

suite("the React component", () => {
  test("it loads the element, hands on what it is given, and hears its events", async () => {
    const script = await bundled(`
      import { createElement, useState } from "react";
      import { createRoot } from "react-dom/client";
      import { TrailbookViewer } from "@trailbook/react";
      window.heard = [];
      function App() {
        const [query, setQuery] = useState("type:export");
        window.ask = setQuery;
        return createElement(TrailbookViewer, {
          src: ${JSON.stringify(stage.address)}, organization: ${JSON.stringify(ORGANIZATION)}, query, theme: "dark", className: "log", timeZone: "Asia/Kolkata",
          getToken: () => fetch("/token").then((answer) => answer.text()),
          onEventOpen: ({ id }) => window.heard.push(["open", id]),
          onQueryChange: ({ query }) => window.heard.push(["query", query]),
        });
      }
      createRoot(document.getElementById("root")).render(createElement(App));`);
    await onHost({ body: `<div id="root"></div>`, script, element: false }, async (page) => {
      await row(page, "Exported a report").waitFor();
      assert.deepEqual(await page.locator("trailbook-viewer").evaluate((log) => [log.className, log.getAttribute("theme"), log.getAttribute("time-zone"), log.hasAttribute("token")]), ["log", "dark", "Asia/Kolkata", false]);
      await page.evaluate(() => window.ask("type:login"));
      await open(page, "Logged in");
      await page.locator(".detail h2").waitFor();
      await page.keyboard.press("Escape");
      await page.locator(".search input").fill("type:update");
      await page.keyboard.press("Enter");
      await page.waitForFunction(() => window.heard.some(([what, value]) => what === "query" && value === "type:update"));
      assert.equal((await heard(page))[0][0], "open");
    });
  });
});

/** A script for browsers of a module that imports the package and React. */
async function bundled(source) {
  const folder = fileURLToPath(new URL("..", import.meta.url));
  const entry = "virtual:host";
  const { output } = await build({
    root: folder,
    configFile: false,
    logLevel: "error",
    define: { "process.env.NODE_ENV": '"production"' },
    resolve: { alias: { "@trailbook/react": `${folder}packages/react/src/index.tsx` } },
    plugins: [{ name: "host", resolveId: (id) => (id === entry ? `${folder}host.js` : null), load: (id) => (id === `${folder}host.js` ? source : null) }],
    build: { write: false, copyPublicDir: false, modulePreload: false, rolldownOptions: { input: entry } },
  });
  return output[0].code;
}

async function poll(holds) {
  for (let left = 100; !holds(); left--) {
    assert.ok(left > 0, "it does not come to hold");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
