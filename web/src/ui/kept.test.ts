import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { read, subscribe, write } from "./kept";

function storage({ isFull = false } = {}) {
  const texts = new Map<string, string>();
  const setItem = (name: string, text: string) => {
    if (isFull) throw new DOMException("full", "QuotaExceededError");
    texts.set(name, text);
  };
  return { texts, getItem: (name: string) => texts.get(name) ?? null, setItem };
}

beforeEach(() => void vi.stubGlobal("window", new EventTarget()));
afterEach(() => void vi.unstubAllGlobals());

test("what is written is read, and stays in the browser", () => {
  const browser = storage();
  vi.stubGlobal("localStorage", browser);
  expect(read("a")).toBeNull();
  write("a", "1");
  expect([read("a"), browser.texts.get("a")]).toEqual(["1", "1"]);
});

test("a browser that forbids storage keeps nothing, and nothing throws", () => {
  const get = () => {
    throw new DOMException("denied", "SecurityError");
  };
  vi.stubGlobal("localStorage", null);
  Object.defineProperty(globalThis, "localStorage", { configurable: true, get });
  expect(read("b")).toBeNull();
  write("b", "1");
  expect(read("b")).toBe("1");
});

test("what a full storage does not take is known to the page, until it takes another", () => {
  const browser = storage({ isFull: true });
  browser.texts.set("c", "old");
  vi.stubGlobal("localStorage", browser);
  write("c", "new");
  expect(read("c")).toBe("new");
  vi.stubGlobal("localStorage", storage());
  write("c", "newer");
  expect(read("c")).toBe("newer");
  vi.stubGlobal("localStorage", storage());
  expect(read("c")).toBeNull();
});

test("listeners hear of this tab and of others, until they leave", () => {
  vi.stubGlobal("localStorage", storage());
  const heard = vi.fn();
  const leave = subscribe(heard);
  write("d", "1");
  window.dispatchEvent(new Event("storage"));
  expect(heard).toHaveBeenCalledTimes(2);
  leave();
  write("d", "2");
  window.dispatchEvent(new Event("storage"));
  expect(heard).toHaveBeenCalledTimes(2);
});
