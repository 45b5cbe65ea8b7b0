// Days as the range's calendar has them; the organizations of the journeys count them in UTC.

const DAY = 24 * 3_600_000;

/** The day that is so many days after today, `2026-11-20`. */
export function day(days) {
  return new Date(Date.now() + days * DAY).toISOString().slice(0, 10);
}

/** The day's button, in whichever month before the one in sight it is. */
export async function cellOf(calendar, days) {
  const cell = calendar.getByRole("button", { name: dayName(days) }).and(calendar.locator(":visible"));
  const title = calendar.getByRole("heading").first();
  await title.waitFor();
  while ((await cell.count()) === 0) {
    const shown = await title.innerText();
    await calendar.getByRole("button", { name: "Earlier month" }).click();
    await title.filter({ hasNotText: shown }).waitFor();
  }
  return cell;
}

/** How a screen reader is told of the day. */
function dayName(days) {
  const text = new Date(Date.now() + days * DAY).toLocaleDateString("en-GB", { timeZone: "UTC", weekday: "long", day: "numeric", month: "long", year: "numeric" });
  return new RegExp(text.replace(",", ",?"));
}
