// A product's own page with the viewer in it, for the demonstration: serve.mjs SERVER ORGANIZATION PORT, with the key in TRAILBOOK_KEY.
//
// It does what docs/embedding.md tells hosts to do, on an origin of its own (http://127.0.0.1:PORT), and nothing else: a page with the
// product's navigation, which is the policy's breadcrumb, and viewer tokens for whoever looks, of the role that the policy lets look.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";

const [address, organization, port] = process.argv.slice(2);
const key = process.env.TRAILBOOK_KEY;
if (!address || !organization || !port || !key) {
  console.error("usage: TRAILBOOK_KEY=KEY node scripts/host/serve.mjs SERVER ORGANIZATION PORT");
  process.exit(2);
}
const log = `${address}/v1/organizations/${encodeURIComponent(organization)}`;
const file = (name) => readFile(new URL(name, import.meta.url), "utf8");

const ANSWERS = {
  "/": async () => ["text/html; charset=utf-8", await page()],
  "/host.css": async () => ["text/css", await file("host.css")],
  "/host.js": async () => ["text/javascript", await file("host.js")],
  "/token": async () => ["text/plain", await token()],
};

createServer(async (request, response) => {
  const { pathname } = new URL(request.url, "http://host");
  const answer = Object.hasOwn(ANSWERS, pathname) ? ANSWERS[pathname] : null;
  if (answer === null || request.method !== "GET") return response.writeHead(404).end();
  try {
    const [type, text] = await answer();
    response.writeHead(200, { "Content-Type": type, "Cache-Control": "no-store", "Content-Security-Policy": contentSecurityPolicy() }).end(text);
  } catch (reason) {
    console.error(`${pathname}: ${reason.message}`);
    response.writeHead(502).end();
  }
}).listen(Number(port), "127.0.0.1", () => console.log(`The viewer in a product's own page: http://127.0.0.1:${port}/`));

function contentSecurityPolicy() {
  return `default-src 'none'; script-src 'self' ${address}; style-src 'self'; connect-src 'self' ${address}; font-src ${address}; base-uri 'none'; frame-ancestors 'none'`;
}

async function ask(path, body) {
  const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
  const answer = await fetch(log + path, { headers, ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }) });
  if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

async function token() {
  const { view_roles, view_permissions, export_permissions } = await ask("/policy");
  const actor = { id: "demo", name: "Demo Reader", role: view_roles[0] ?? "member", permissions: [...new Set([...view_permissions, ...export_permissions])] };
  return (await ask("/viewer-tokens", { actor, may_export: true })).token;
}

/** The product is the first of the breadcrumb, the log its last; what is between are the parts that lead there. */
async function page() {
  const { breadcrumb, title } = await ask("/policy");
  const names = breadcrumb.length === 0 ? [title ?? "Audit log"] : breadcrumb;
  const entries = names.map((name, depth) => {
    const isHere = depth === names.length - 1;
    return `<li data-depth="${depth}"><a href="/"${isHere ? ' aria-current="page"' : ""}>${escaped(name)}</a></li>`;
  });
  const values = { page: escaped(names.at(-1)), organization: escaped(organization), server: escaped(address), entries: entries.join("") };
  return (await file("index.html")).replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function escaped(text) {
  return text.replace(/[&<>"]/g, (character) => `&#${character.codePointAt(0)};`);
}
