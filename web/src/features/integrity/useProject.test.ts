import { expect, test } from "vitest";
import type { Access } from "../../api/client";
import { knownProject } from "./useProject";

const place = { organization: "acme", project: null };
const session: Access = { kind: "session", ...place, person: "Ana", email: "ana@acme.example", isOperator: false };
const key = (text: string): Access => ({ kind: "key", key: text, ...place });

test("a ledger has one project, however one came to it", () => {
  expect([{ ...session, project: "default" }, session, key("root"), { ...key("tb_key_1"), project: "default" }].map((access) => knownProject(access, null))).toEqual(Array(4).fill("default"));
  expect(knownProject(key("tb_key_1"), "log.example/shop/acme/e2+00000000+AQ==")).toBe("shop");
});

test("of which project an API key is only the server can say", () => {
  expect(knownProject(key("tb_key_1"), null)).toBeNull();
  expect(knownProject(key("tb_key_1"), "log.example/shop/other+00000000+AQ==")).toBeNull();
});
