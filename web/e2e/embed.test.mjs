// The viewer inside of other products' pages: a host of another origin, with a strict content security policy and styles that spoil all
// that they reach.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, suite, test } from "node:test";
import { setStage } from "./stage.mjs";

const ORGANIZATION = "fashion";
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
  const styles = new Map([["/hostile.css", HOSTILE]]);
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
  const event = (minutes, more) => ({ organization: ORGANIZATION, occurred_at: new Date(now - minutes * 60_000).toISOString(), ...more });
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

let pageNumber = 0;

/** Serves a page of the host with this body and script, and opens it. The host's own script is a file: its policy has nothing else. */
async function onHost({ body = "", script = "", head = "" }, use, options) {
  const name = `/page-${pageNumber++}`;
  host.pages.set(`${name}.js`, script);
  host.pages.set(
    name,
    `<!doctype html><html lang="en"><head><title>A product</title>${head}<script type="module" src="${stage.address}/embed/trailbook-viewer.js"></script></head><body>${body}<script type="module" src="${name}.js"></script></body></html>`,
  );
  await stage.onPage("/healthz", async (page) => {
    await page.goto(host.origin + name);
    await use(page);
  }, options);
}

const element = (attributes = "") => `<trailbook-viewer id="log" src="${stage.address}" organization="${ORGANIZATION}" ${attributes}></trailbook-viewer>`;
const ASKS = `document.getElementById("log").getToken = () => fetch("/token").then((answer) => answer.text());`;
const shown = (page) => page.getByText("Made organization owner").first().waitFor();

suite("the element", () => {
  test("it shows the log on a page of another origin, by the token that the page's own server makes, and no cookie is sent", () =>
    onHost({ body: element(), script: ASKS }, async (page) => {
      const cookies = [];
      page.on("request", (request) => request.headers().cookie !== undefined && cookies.push(request.url()));
      await shown(page);
      assert.deepEqual(cookies, []);
    }));

  test("styles of the page do not reach what it shows", () =>
    onHost({ head: `<link rel="stylesheet" href="/hostile.css">`, body: element(), script: ASKS }, async (page) => {
      await shown(page);
    }));
});
