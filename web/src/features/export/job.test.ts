import { expect, test } from "vitest";
import type { Export, Exports } from "../../api/exports";
import { Problem } from "../../api/problem";
import { becameReady, follow, pauseMsOf } from "./job";

const NOW = Date.parse("2026-11-20T12:00:00Z");
const job = (state: Export["state"], more: Partial<Export> = {}): Export => ({
  ...{ id: "exp_1", state, format: "csv", scope: "all", from: null, to: null, filter: "", columns: null, time_zone: null, labels: false, email: false, mailed: false, mapping: null, progress: 0, rows: 0, bytes: 0 },
  ...{ created_at: "2026-11-20T12:00:00Z", finished_at: null, expires_at: null, download_url: null, error: null, requested_by: { id: "u_1", name: null }, warnings: [] },
  ...more,
});

/** A server that gives these answers, one for each time it is asked, and what was asked of it. */
function server(answers: (Export | Problem)[]) {
  const asked: string[] = [];
  const next = async () => {
    const answer = answers.shift() ?? job("ready");
    if (answer instanceof Problem) throw answer;
    return answer;
  };
  const exports: Exports = { list: async () => [], request: () => (asked.push("request"), next()), get: () => (asked.push("get"), next()), remove: async () => void asked.push("remove") };
  return { exports, asked };
}

const atOnce = async () => undefined;

test("the longer an export takes, the seldomer it is asked after, within bounds", () => {
  const after = (seconds: number) => pauseMsOf([job("running")], NOW + 1000 * seconds);
  expect([0, 10, 3600].map(after)).toEqual([400, 2_000, 10_000]);
  expect(pauseMsOf([job("running"), job("queued", { created_at: "2026-11-20T12:09:50Z" })], NOW + 600_000)).toBe(2_000);
  expect(pauseMsOf([job("ready"), job("failed")], NOW)).toBeNull();
  expect(pauseMsOf([], NOW)).toBeNull();
});

test("only what was under way has become ready", () => {
  const before = [job("running", { id: "a" }), job("ready", { id: "b" })];
  expect(becameReady(before, [job("ready", { id: "a" }), job("ready", { id: "b" }), job("ready", { id: "c" })]).map(({ id }) => id)).toEqual(["a"]);
});

test("an export is followed to its end, over a server that is away for a while", async () => {
  const { exports, asked } = server([job("queued"), job("running", { rows: 5 }), new Problem(503, {}), Problem.unreachable(), job("ready", { rows: 9 })]);
  const told: [string, number][] = [];
  const end = await follow({ format: "csv", scope: "all" }, { exports, signal: new AbortController().signal, tell: ({ state, rows }) => told.push([state, rows]), wait: atOnce });
  expect([end.state, end.rows]).toEqual(["ready", 9]);
  expect(told.filter((each, at) => String(each) !== String(told[at - 1]))).toEqual([["queued", 0], ["running", 5]]);
  expect(asked).toEqual(["request", "get", "get", "get", "get"]);
});

test("what is refused is an end, and what is given up is cancelled on the server", async () => {
  const refusing = server([job("queued"), new Problem(403, { detail: "no" })]);
  await expect(follow({ format: "csv", scope: "all" }, { exports: refusing.exports, signal: new AbortController().signal, tell: () => undefined, wait: atOnce })).rejects.toThrow("no");
  const stopped = new AbortController();
  const { exports, asked } = server([job("running")]);
  await follow({ format: "csv", scope: "all" }, { exports, signal: stopped.signal, tell: () => stopped.abort(), wait: atOnce });
  expect(asked).toEqual(["request", "remove"]);
});

test("an export that has ended when it is given up keeps its file", async () => {
  const stopped = new AbortController();
  stopped.abort();
  const { exports, asked } = server([job("ready")]);
  await follow({ format: "csv", scope: "all" }, { exports, signal: stopped.signal, tell: () => undefined, wait: atOnce });
  expect(asked).toEqual(["request"]);
});
