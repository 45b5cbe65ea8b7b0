// Sentences stand in catalogs (ui/words.ts) and nowhere else: what a component says must be able to be said in another language.
// And catalogs have no others: nobody translates what nothing says.
import { expect, test } from "vitest";
import { parseSync } from "vite";

/** What people would not translate, or do not read. */
const ALLOWED = [
  /^Trailbook$/,
  // A key of the keyboard.
  /^x$/,
  // What the command that is offered to a programmer sends: the documents have the same.
  /^(First event|Sarah Khan)$/,
];

/** Attributes that are read by people, of elements and of our own components. */
const SAID = new Set("alt aria-description aria-label aria-placeholder aria-roledescription aria-valuetext button hint label placeholder sending summary title words".split(" "));

interface Node {
  type: string;
  start: number;
  [member: string]: unknown;
}

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && typeof (value as Node).type === "string";
const under = (node: Node) => Object.values(node).flat().filter(isNode);
const isWord = (text: string) => /\p{L}/u.test(text);
/** Several words that begin as a sentence does: no name of a class, and no error that only programmers cause. */
const isSentence = (text: string) => /^\p{Lu}[\p{L}’,-]*\s+\p{L}/u.test(text);

/** The texts of a node that are themselves, and not somebody's parameter, what it gives. */
function given(node: Node): Node[] {
  switch (node.type) {
    case "Literal":
    case "TemplateLiteral":
    case "JSXText":
      return [node];
    case "ConditionalExpression":
      return [node["consequent"] as Node, node["alternate"] as Node].flatMap(given);
    case "LogicalExpression":
    case "BinaryExpression":
      return /^[=!<>]/.test(String(node["operator"])) ? [] : [node["left"] as Node, node["right"] as Node].flatMap(given);
    case "JSXExpressionContainer":
      return given(node["expression"] as Node);
    default:
      return [];
  }
}

function textOf(node: Node): string {
  if (node.type !== "TemplateLiteral") return typeof node["value"] === "string" ? node["value"].trim() : "";
  return (node["quasis"] as { value: { cooked: string } }[]).map(({ value }) => value.cooked).join(" ").trim();
}

/** The bare sentences of a source, each with its line. */
function bareSentences(name: string, source: string): string[] {
  const found = new Map<number, string>();
  const note = (nodes: Node[], is: (text: string) => boolean) => {
    for (const node of nodes) {
      const text = textOf(node);
      if (is(text) && !ALLOWED.some((allowed) => allowed.test(text))) found.set(node.start, text);
    }
  };
  const visit = (node: Node) => {
    if (node.type === "JSXElement" || node.type === "JSXFragment") note((node["children"] as Node[]).flatMap(given), isWord);
    if (node.type === "JSXAttribute" && SAID.has(String((node["name"] as Node)["name"])) && isNode(node["value"])) note(given(node["value"]), isWord);
    note(given(node), isSentence);
    under(node).forEach(visit);
  };
  visit(parseSync(name, source).program as unknown as Node);
  return [...found].map(([start, text]) => `${name}:${source.slice(0, start).split("\n").length}: ${text}`);
}

test.each([
  [`<p>Nothing here</p>`, 1],
  [`<p>{isOn ? "on" : say("off")}</p>`, 1],
  [`<p>{name || "unknown"}</p>`, 1],
  [`<p>{\`\${count} events\`}</p>`, 1],
  [`<input placeholder="Search" title={isOn ? "On" : undefined} />`, 2],
  [`<Field label="Name" hint={"Why"} />`, 2],
  [`throw new Error("The answer cannot be read.")`, 1],
  [`const KEYS = [["/", "Next event"]]`, 1],
  [`<p className="muted line">{say("found", { who })} · {number(count)}</p>`, 0],
  [`<Card title={say("sign_in")}>{kind === "session" && <b>{name}</b>}</Card>`, 0],
  [`throw new Error("the page has no root element")`, 0],
])("%s has bare sentences: %i", (source, want) => expect(bareSentences("x.tsx", `const x = () => { ${source.startsWith("<") ? `return ${source}` : source} }`)).toHaveLength(want));

const SOURCES = import.meta.glob<string>(["./**/*.{ts,tsx}", "!./**/*.{test,d}.ts"], { query: "?raw", import: "default", eager: true });

test("no sentence stands in a component", () => {
  const sources = Object.entries(SOURCES);
  expect(sources).not.toEqual([]);
  expect(sources.flatMap(([path, source]) => bareSentences(path, source))).toEqual([]);
});

/** Words of catalogs whose names are values that come from elsewhere. */
const BY_VALUE: Record<string, readonly string[]> = { "./features/profile/words.en.json": ["key", "token"] };

/** The texts of a source, and its templates as the pieces between what is put in. */
function textsOf(name: string, source: string): { literals: string[]; templates: string[][] } {
  const [literals, templates]: [string[], string[][]] = [[], []];
  const visit = (node: Node) => {
    if (node.type === "Literal" && typeof node["value"] === "string") literals.push(node["value"]);
    if (node.type === "Property" && isNode(node["key"])) literals.push(String(node["key"]["name"]));
    if (node.type === "TemplateLiteral") templates.push((node["quasis"] as { value: { cooked: string } }[]).map(({ value }) => value.cooked));
    under(node).forEach(visit);
  };
  visit(parseSync(name, source).program as unknown as Node);
  return { literals, templates };
}

/** Whether `name` is a template with texts put in that stand somewhere. */
function isMadeBy(pieces: string[], name: string, known: ReadonlySet<string>): boolean {
  const isOfName = pieces.some((piece) => piece !== "") && pieces.every((piece) => /^[\w:-]*$/.test(piece));
  const put = isOfName ? new RegExp(`^${pieces.join("(.+)")}$`).exec(name)?.slice(1) : undefined;
  return put?.every((text) => known.has(text)) ?? false;
}

/** All but the names of an event's fields, which are said of whatever event has them. */
const CATALOGS = import.meta.glob<Record<string, unknown>>(["./**/*.en.json", "!./event/fields.en.json"], { import: "default", eager: true });

test("no catalog has a sentence that nothing says", () => {
  const texts = Object.entries(SOURCES).map(([path, source]) => ({ path, ...textsOf(path, source) }));
  const known = new Set(texts.flatMap(({ literals }) => literals));
  const unsaid = Object.entries(CATALOGS).flatMap(([path, catalog]) => {
    const beside = texts.filter((each) => each.path.startsWith(path.slice(0, path.lastIndexOf("/") + 1)));
    const [literals, templates] = [new Set(beside.flatMap((each) => each.literals)), beside.flatMap((each) => each.templates)];
    const isSaid = (name: string) => literals.has(name) || BY_VALUE[path]?.includes(name) || templates.some((pieces) => isMadeBy(pieces, name, known));
    return Object.keys(catalog).filter((name) => !isSaid(name)).map((name) => `${path}: ${name}`);
  });
  expect(unsaid).toEqual([]);
});
