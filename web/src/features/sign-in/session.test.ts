import { expect, test } from "vitest";
import { hasSecret, load, readFragment, save, sessionAccess } from "./session";

const key = (organization: string, key: string, project: string | null = null) => ({ kind: "access", access: { kind: "key", organization, key, project } });

test.each([
  ["#key=tb_a%2Bb+c&organization=fashion%20co", key("fashion co", "tb_a+b+c")],
  ["#organization=o&key=k&project=shop", key("o", "k", "shop")],
  ["#organization=o&token=tb_view_x", { kind: "access", access: { kind: "token", organization: "o", key: "tb_view_x", project: null } }],
  ["#tb_link_a-b_c", { kind: "letter", secret: "tb_link_a-b_c" }],
  ["#organization=o", null],
  ["#organization=o&key=", null],
  ["#token=tb_view_x", null],
  ["#key=%E0%A4&organization=o", key("o", "%E0%A4")],
  ["", null],
])("%s", (fragment, want) => expect(readFragment(fragment)).toEqual(want));

test.each([
  ["#tb_link_a", true],
  ["#token=tb_view_x", true],
  ["#key=", true],
  ["#organization=o", true],
  ["#top", false],
  ["", false],
])("%s is taken out of the address bar: %s", (fragment, want) => expect(hasSecret(fragment)).toBe(want));

test("a key is kept and forgotten, and nonsense in the storage is no access", () => {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
    removeItem: (name: string) => void kept.delete(name),
  } as unknown as Storage;
  for (const kind of ["key", "token"] as const) {
    const access = { kind, organization: "o", key: "k", project: null };
    save(() => storage, access);
    expect(load(() => storage)).toEqual(access);
  }
  for (const name of kept.keys()) kept.set(name, "{");
  expect(load(() => storage)).toBeNull();
  save(() => storage, null);
  expect(kept.size).toBe(0);
});

test("where the browser forbids storage nothing is kept, and nothing throws", () => {
  const forbidden = () => {
    throw new DOMException("denied", "SecurityError");
  };
  save(forbidden, { kind: "key", organization: "o", key: "k", project: null });
  expect(load(forbidden)).toBeNull();
});

test("whoever has no name is called by the e-mail address", () => {
  const signedIn = { id: "usr_1", project: "default", organization: "o", email: "sarah@o.example", name: null, role: "viewer", permissions: [], rights: [], expires_at: "2026-11-20T09:14:07Z" };
  expect(sessionAccess(signedIn)).toEqual({ kind: "session", organization: "o", project: "default", person: "sarah@o.example", email: "sarah@o.example", isOperator: false });
  expect(sessionAccess({ ...signedIn, name: "Sarah" })).toMatchObject({ person: "Sarah" });
  expect(sessionAccess({ ...signedIn, organization: "_system" }).isOperator).toBe(true);
  expect(sessionAccess({ ...signedIn, organization: "_system", project: "shop" }).isOperator).toBe(false);
});
