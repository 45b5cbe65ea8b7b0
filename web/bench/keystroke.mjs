// How long it takes from the last keystroke of a search until its rows are on the screen, against a running server:
//   node bench/keystroke.mjs SERVER KEY ORGANIZATION [ROUNDS]
// Words are those of the newest events, so that each finds something; a word counts from its last character, the pause in typing included.
import { chromium } from "playwright-core";

const LIMIT_MS = 200;
const WORDS = 12;

const [server, key, organization, rounds = "3"] = process.argv.slice(2);
if (organization === undefined) throw new Error("usage: node bench/keystroke.mjs SERVER KEY ORGANIZATION [ROUNDS]");

const headers = { Authorization: `Bearer ${key}` };
const answer = async (path) => (await fetch(`${server}/v1/organizations/${organization}${path}`, { headers })).json();
const { count } = await answer("/events/count");
const { events } = await answer("/events?limit=500");
const words = [...new Set(events.flatMap(({ description, actor }) => `${description ?? ""} ${actor?.name ?? ""}`.split(/[^\p{L}\p{N}]+/u)))].filter((word) => word.length > 3).slice(0, WORDS);

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--headless"] });
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(`${server}/#key=${key}&organization=${organization}`);
  await page.locator("tr.event").first().waitFor();
  const search = page.getByRole("combobox", { name: "Search events" });
  const took = [];
  for (let round = 0; round < Number(rounds); round++) for (const word of words) took.push(await searchFor(page, search, word));
  took.sort((left, right) => left - right);
  const at = (share) => Math.round(took[Math.min(took.length - 1, Math.floor(took.length * share))]);
  console.log(`${count.toLocaleString("en")} events in ${organization}; ${took.length} searches; last keystroke to rows: median ${at(0.5)} ms, p95 ${at(0.95)} ms; limit ${LIMIT_MS} ms`);
  process.exitCode = at(0.95) <= LIMIT_MS ? 0 : 1;
} finally {
  await browser.close();
}

/** Types a word into the empty search and waits for other rows than those of the whole log, drawn as current ones. */
async function searchFor(page, search, word) {
  await search.fill("");
  await page.waitForFunction(() => !new URLSearchParams(location.search).has("q") && document.querySelector(".events:not(.waiting) tr.event") !== null);
  await page.waitForTimeout(400);
  await search.pressSequentially(word.slice(0, -1));
  await page.evaluate((wanted) => {
    window.took = new Promise((done) => {
      let begun = 0;
      addEventListener("keydown", () => (begun = performance.now()), { once: true, capture: true });
      const look = () => {
        const asked = new URLSearchParams(location.search).get("q") === wanted;
        const isCurrent = document.querySelector(".events:not(.waiting) tr.event") !== null;
        // The frame after the one that has the rows has been painted.
        if (begun > 0 && asked && isCurrent) requestAnimationFrame(() => done(performance.now() - begun));
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    });
  }, word);
  await page.keyboard.press(word.at(-1));
  return page.evaluate(() => window.took);
}
