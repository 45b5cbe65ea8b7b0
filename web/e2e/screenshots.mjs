// Draws the README's pictures of the screen from the demonstration's events: docs/screenshots/activity-*.png.
import { mkdir, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { run, setStage } from "./stage.mjs";

const FOLDER = fileURLToPath(new URL("../../docs/screenshots/", import.meta.url));
const PICTURE_BYTES_MAX = 300_000;

const DESK = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
const PICTURES = [
  { name: "activity-light", viewport: DESK, colorScheme: "light", path: "/?range=2020-05-01..2020-05-31", event: "user.session.start" },
  { name: "activity-dark", viewport: DESK, colorScheme: "dark", path: "/?q=-actor_type%3Aunknown%20security%3Atrue&range=2022-01-01..2023-12-31", event: null },
  { name: "activity-phone", viewport: PHONE, colorScheme: "light", path: "/?range=2020-05-01..2020-05-31", event: null },
];

const stage = await setStage();
try {
  await run("demo", "--server", stage.address, "--key", stage.key);
  await mkdir(FOLDER, { recursive: true });
  for (const picture of PICTURES) await draw(picture);
} finally {
  await stage.end();
}

async function draw({ name, viewport, colorScheme, path, event }) {
  const context = await stage.browser.newContext({ viewport, colorScheme, reducedMotion: "reduce" });
  const page = await context.newPage();
  await page.goto(`${stage.address}${path}#key=${stage.key}&organization=demo`);
  await page.locator(".histogram").waitFor();
  await page.locator('.live[data-state="live"]').waitFor();
  if (event !== null) {
    await page.locator(`tr.event[data-action="${event}"]`).first().click();
    await page.getByText("Included and unaltered.").waitFor();
  }
  await page.evaluate(() => document.fonts.ready);
  const file = `${FOLDER}${name}.png`;
  await page.screenshot({ path: file });
  await context.close();
  const { size } = await stat(file);
  if (size > PICTURE_BYTES_MAX) throw new Error(`${name} has ${size} bytes, more than ${PICTURE_BYTES_MAX}`);
  console.log(`${file}: ${size} bytes`);
}
