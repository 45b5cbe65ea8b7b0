// How long the list takes from an interaction to the next paint, with many rows scrolled through: node bench/rows.mjs [ROWS]
// Durations are the browser's own (Event Timing), in milliseconds, rounded by it to eights; below 16 it tells none.
import { setStage } from "../e2e/stage.mjs";

const ROWS = Number(process.argv[2] ?? 10_000);
const BATCH_EVENTS = 1_000;
const STEP_MS = 60_000;

const stage = await setStage();
try {
  for (let first = 0; first < ROWS + BATCH_EVENTS; first += BATCH_EVENTS) {
    await stage.call("POST", "/v1/events", { events: Array.from({ length: BATCH_EVENTS }, (_, at) => eventOf(first + at)) });
  }
  await stage.onPage("/#key={key}&organization=bench", measure);
} finally {
  await stage.end();
}

function eventOf(place) {
  const type = ["create", "update", "delete", "export"][place % 4];
  return {
    organization: "bench",
    action: `report.${type}d`,
    action_type: type,
    description: `Report ${place} was written`,
    security: place % 7 === 0,
    actor: { id: `u_${place % 40}`, name: `Person ${place % 40}`, email: `person.${place % 40}@example.com` },
    targets: [{ type: "report", id: `r_${place}`, name: `Quarter ${place}` }],
    context: { ip: `203.0.113.${place % 200}` },
    occurred_at: new Date(Date.now() - place * STEP_MS).toISOString(),
  };
}

async function measure(page) {
  await page.locator("tr.event").first().waitFor();
  await scrollThrough(page);
  console.log(`${ROWS} rows scrolled through, ${await page.locator("tr.event").count()} drawn`);
  await page.evaluate(() => {
    window.told = [];
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => entry.interactionId > 0 && window.told.push([entry.interactionId, entry.duration]))).observe({ type: "event", durationThreshold: 16 });
  });
  const presses = [...Array(40).fill("j"), "Enter", ...Array(20).fill("k"), "Escape", ...Array(20).fill("ArrowDown")];
  for (const key of presses) {
    await page.keyboard.press(key);
    await settled(page);
  }
  await page.locator('tr.event .value[data-field="actor"]').nth(12).click();
  await page.getByRole("menu").waitFor();
  await page.keyboard.press("Escape");
  await settled(page);
  const told = await page.evaluate(() => [...new Map(window.told.sort(([, left], [, right]) => left - right)).values()]);
  const at = (share) => told[Math.min(told.length - 1, Math.floor(told.length * share))];
  console.log(`interaction to next paint: ${told.length} interactions, median ${at(0.5)} ms, 98th percentile ${at(0.98)} ms`);
}

/** Goes to the end again and again until so many rows have come. */
async function scrollThrough(page) {
  for (let last = 0; last < ROWS; ) {
    const height = await page.evaluate(() => (scrollTo(0, document.documentElement.scrollHeight), document.documentElement.scrollHeight));
    await page.waitForFunction((before) => document.documentElement.scrollHeight > before, height);
    last = await page.evaluate(() => Math.max(...[...document.querySelectorAll("tr.event")].map((row) => Number(row.dataset.index))));
  }
}

/** Until two frames have been drawn. */
function settled(page) {
  return page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}
