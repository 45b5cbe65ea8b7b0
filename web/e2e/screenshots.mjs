// Draws the README's pictures of the screen into docs/screenshots: from the demonstration's real events, and each profile from its examples.
// Examples come from addresses of documentation, real events from real ones: TRAILBOOK_COUNTRY_DATABASE has the countries of those.
// Names of pictures that are wanted may be given: `npm run screenshots -- activity-light`.
import { mkdir, readdir, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { setPostman } from "./postman.mjs";
import { setReceiver } from "./receiver.mjs";
import { run, setHost, setStage } from "./stage.mjs";

const above = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const FOLDER = above("docs/screenshots/");
const PICTURE_BYTES_MAX = 300_000;
const ORGANIZATION = "demo";

const DESK = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
const MONTH = "?range=2020-05-01..2020-05-31";
const LIGHT_AND_DARK = ["light", "dark"];

const settled = {
  list: async (page) => {
    await page.locator("tr.event").first().waitFor();
    await page.locator(".histogram").waitFor();
    await page.locator('.live[data-state="live"]').waitFor();
    await page.locator('.integrity-badge[data-state="verified"]').first().waitFor();
  },
  /** The detail of an event, once the browser has reckoned its proof. */
  verdict: async (page) => {
    await settled.list(page);
    await page.locator(`tr.event[data-action="user.session.start"] .open-event`).first().click();
    await page.locator('.proof[data-verdict="holds"]').waitFor();
  },
  lowerDetail: async (page) => {
    await settled.verdict(page);
    await page.locator(".proof").evaluate((proof) => proof.scrollIntoView({ block: "end" }));
  },
  heading: (page) => page.getByRole("heading", { level: 1 }).waitFor(),
};

/** Of the real events; one server has them all. */
const REAL = [
  { name: "activity-light", path: `/${MONTH}`, until: settled.verdict },
  { name: "activity-dark", colorScheme: "dark", path: "/?q=-actor_type%3Aunknown%20security%3Atrue&range=2022-01-01..2023-12-31" },
  { name: "activity-phone", viewport: PHONE, path: `/${MONTH}` },
  { name: "detail", path: `/${MONTH}`, until: settled.lowerDetail },
  { name: "insights", path: "/insights?range=2020-05-01..2020-05-31", until: settled.heading },
  { name: "integrity", path: "/integrity", until: settled.heading },
  { name: "exports", path: "/exports", until: (page) => page.getByRole("link", { name: "Download: Evidence" }).waitFor() },
  { name: "streams", path: "/streams", until: (page) => page.getByText("Up to date").first().waitFor() },
  { name: "alerts", path: "/alerts", until: (page) => page.getByText("A digest every week").waitFor() },
  { name: "settings", path: "/settings/organization", until: settled.heading },
  { name: "embedded", host: true },
];

const wanted = process.argv.slice(2);
await mkdir(FOLDER, { recursive: true });
await drawAll(null, REAL);
for (const file of (await readdir(above("profiles"))).filter((name) => name.endsWith(".toml")).sort()) {
  const profile = file.replace(".toml", "");
  await drawAll(profile, LIGHT_AND_DARK.map((colorScheme) => ({ name: `${profile}-${colorScheme}`, colorScheme, host: true })));
}

/** Pictures of one server, which has the events of a profile, or the real ones. */
async function drawAll(profile, pictures) {
  const chosen = pictures.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  if (chosen.length === 0) return;
  const [receiver, postman] = [await setReceiver(), await setPostman()];
  const environment = profile === null ? { ...postman.environment, TRAILBOOK_PUBLIC_URL: "http://127.0.0.1:1", TRAILBOOK_PRIVATE_DESTINATIONS: receiver.host } : { TRAILBOOK_COUNTRY_DATABASE: above("testdata/documentation.mmdb") };
  const stage = await setStage({ environment });
  let host = null;
  try {
    await run("demo", "--server", stage.address, "--key", stage.key, ...(profile === null ? [] : ["--profile", profile]));
    if (profile === null) await setDeliveries(stage, receiver);
    host = await setHost(stage, ORGANIZATION);
    for (const picture of chosen) await draw(stage, host.address, picture);
  } finally {
    host?.end();
    await stage.end();
    receiver.end();
    postman.end();
  }
}

/** Exports, streams and alerts as an organization may have them: of the streams one is refused, and one is behind. */
async function setDeliveries({ call }, receiver) {
  const of = `/v1/organizations/${ORGANIZATION}`;
  receiver.answer("/siem", 503);
  const hook = (name, path, more = {}) => call("POST", `${of}/streams`, { name, destination: { type: "webhook", url: receiver.address + path, headers: {} }, secrets: {}, start: "beginning", interval_seconds: 1, ...more });
  await hook("Data warehouse", "/warehouse");
  await hook("SIEM", "/siem", { mapping: "ocsf", filter: "security:true" });
  const alert = (name, filter, condition) => call("POST", `${of}/alerts`, { name, filter, condition, emails: ["security@demo.example"] });
  await alert("Sign-ins that fail", "type:login result:failure,denied", { type: "threshold", count: 10, window_seconds: 900, by: "ip" });
  await alert("New countries", "type:login", { type: "first_seen", field: "country" });
  await alert("What happened this week", "", { type: "digest", every: "week" });
  for (const [format, filter] of [["csv", "type:delete"], ["parquet", "security:true"], ["evidence", ""]]) await call("POST", `${of}/exports`, { format, filter, scope: filter === "" ? "all" : "filtered" });
}

async function draw({ browser, address, key }, host, { name, path = "/", viewport = DESK, colorScheme = "light", host: isHosted = false, until = settled.list }) {
  const context = await browser.newContext({ viewport, colorScheme, reducedMotion: "reduce" });
  const page = await context.newPage();
  await page.goto(isHosted ? `${host}/` : `${address}${path}#key=${key}&organization=${ORGANIZATION}`);
  await until(page);
  await page.evaluate(() => document.fonts.ready);
  const file = `${FOLDER}${name}.png`;
  await page.screenshot({ path: file });
  await context.close();
  const { size } = await stat(file);
  if (size > PICTURE_BYTES_MAX) throw new Error(`${name} has ${size} bytes, more than ${PICTURE_BYTES_MAX}`);
  console.log(`${file}: ${size} bytes`);
}
