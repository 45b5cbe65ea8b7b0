// <trailbook-viewer>: the viewer as an element of other products' pages. docs/embedding.md is its description.
//
// Invariants
// - Everything is drawn in the element's shadow root; the page gets nothing of ours but a typeface, and that only where it names none.
// - Tokens come from the page alone; no token is kept, and no cookie is sent.
import { createRoot, type Root } from "react-dom/client";
import { parseAddress, printAddress, type Address } from "../query/address";
import { printRange } from "../query/range";
import styles from "../styles/index.css?inline";
import { offerFont } from "../ui/font";
import { memoryPlace } from "../ui/place";
import { chooseLanguage } from "../ui/words";
import { Embedded, type Settings } from "./Embedded";
import { createTokens } from "./tokens";

const NAME = "trailbook-viewer";
const SETTINGS = ["src", "organization", "project", "time-zone", "checkpoint-key", "locale"];
const STATE = ["query", "columns"];

/** What gives a viewer token, by asking the page's own server. */
export type GetToken = () => Promise<string | null> | string | null;

let sheet: CSSStyleSheet | null = null;

export class TrailbookViewer extends HTMLElement {
  static readonly observedAttributes = ["token", ...SETTINGS, ...STATE];

  #getToken: GetToken | null = null;
  /** Ends the waiting for it: the page's own script may come later than this one. */
  #arrived: (getToken: GetToken) => void = () => undefined;
  #root: Root | null = null;
  #isDue = false;
  #at = "/";
  readonly #tokens = createTokens(() => this.#ask());
  readonly #place = memoryPlace("/", (to) => this.#moved(to));

  /** Called whenever the viewer needs a token: at first, and when the server does not take the last one any more. */
  get getToken(): GetToken | null {
    return this.#getToken;
  }

  set getToken(getToken: GetToken | null) {
    this.#getToken = getToken;
    if (getToken !== null) this.#arrived(getToken);
  }

  constructor() {
    super();
    sheet ??= makeSheet();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
  }

  connectedCallback(): void {
    // A page may have set the property before this script had come.
    if (Object.hasOwn(this, "getToken")) {
      const given = this.getToken;
      delete (this as Partial<this>).getToken;
      this.getToken = given;
    }
    if (getComputedStyle(this).getPropertyValue("--trailbook-font").trim() === "") offerFont();
    this.#draw();
  }

  disconnectedCallback(): void {
    // What is only moved to another place of the page is there again at once, and stays as it is.
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#root?.unmount();
      this.#root = null;
    });
  }

  attributeChangedCallback(name: string, _: string | null, value: string | null): void {
    if (name === "token") this.#tokens.set(value || null);
    else if (STATE.includes(name)) this.#follow();
    else this.#draw();
  }

  /** Draws once for all attributes that are set together. */
  #draw(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      if (!this.isConnected) return;
      chooseLanguage([this.getAttribute("locale") ?? "", ...navigator.languages]);
      this.#root ??= createRoot(this.shadowRoot!);
      this.#root.render(<Embedded settings={this.#settings()} tokens={this.#tokens} place={this.#place} />);
    });
  }

  #settings(): Settings {
    return {
      server: new URL(this.getAttribute("src") ?? import.meta.url, document.baseURI).origin,
      organization: this.getAttribute("organization") ?? "",
      project: this.getAttribute("project"),
      timeZone: this.getAttribute("time-zone"),
      checkpointKey: this.getAttribute("checkpoint-key"),
    };
  }

  async #ask(): Promise<string | null> {
    this.#tell("trailbook-token-expired", {});
    const getToken = this.#getToken ?? (await new Promise<GetToken>((resolve) => (this.#arrived = resolve)));
    return getToken();
  }

  /** Shows what the page asks for by its attributes. */
  #follow(): void {
    const columns = this.getAttribute("columns");
    const wanted = new URLSearchParams({ q: this.getAttribute("query") ?? "", columns: columns ?? "" });
    const { query, columns: ids } = parseAddress(`?${wanted}`);
    const to = placeOf({ ...addressOf(this.#at), query, columns: ids });
    if (to === this.#at) return;
    this.#at = to;
    this.#place.go(to, "replace");
  }

  /** Tells the page what its reader has done; not what the page has done itself. */
  #moved(to: string): void {
    const [before, after] = [addressOf(this.#at), addressOf(to)];
    this.#at = to;
    const range = after.range === null ? null : printRange(after.range);
    if (after.event !== null && after.event !== before.event) this.#tell("trailbook-event-open", { id: after.event });
    if (after.query !== before.query || placeOf({ ...before, range: after.range }) !== placeOf(before)) this.#tell("trailbook-query-change", { query: after.query, range });
  }

  #tell(name: string, detail: Record<string, string | null>): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

function makeSheet(): CSSStyleSheet {
  const made = new CSSStyleSheet();
  made.replaceSync(styles);
  void import("../styles/later.css?inline").then((later) => made.replaceSync(styles + later.default));
  return made;
}

function addressOf(place: string): Address {
  return parseAddress(place.replace(/^[^?]*/, ""));
}

function placeOf(address: Address): string {
  return `/${printAddress(address)}`;
}

// A page may load the script twice; the first one stays.
if (customElements.get(NAME) === undefined) customElements.define(NAME, TrailbookViewer);
