// The viewer token that an embedded viewer reads by: the page around it gives it, and gives another one when the server refuses it.
//
// A call that is refused because its token is over waits for the next one and is sent again, so that nobody who reads notices.

/** For how long a refused call waits until the page around gives another token. */
export const RENEWAL_MS_MAX = 15_000;

export interface Tokens {
  /** The token at hand; null before the page has given one. */
  now: () => string | null;
  /** Takes the page's token. */
  set: (token: string | null) => void;
  subscribe: (changed: () => void) => () => void;
  /** Ends when there is another token than now, or nobody will give one. Who waits together asks once. */
  renew: () => Promise<void>;
  /** `fetch` by the token at hand. */
  send: typeof fetch;
}

/** `ask` is called when a token is needed in place of one that was refused; what it gives, if anything, is the new one. */
export function createTokens(ask: () => Promise<string | null>, call: typeof fetch = (...given) => fetch(...given)): Tokens {
  let token: string | null = null;
  let renewal: Promise<void> | null = null;
  const listeners = new Set<() => void>();

  const set = (next: string | null) => {
    if (next === token) return;
    token = next;
    [...listeners].forEach((listener) => listener());
  };
  const subscribe = (changed: () => void) => (listeners.add(changed), () => void listeners.delete(changed));
  const renew = () => {
    renewal ??= next({ ask, set, subscribe }).finally(() => (renewal = null));
    return renewal;
  };
  const send: typeof fetch = async (input, init) => {
    const used = token;
    const answer = await call(input, by(used, init));
    if (answer.status !== 401) return answer;
    if (token === used) await renew();
    return token === used ? answer : call(input, by(token, init));
  };
  return { now: () => token, set, subscribe, renew, send };
}

interface Source extends Pick<Tokens, "set" | "subscribe"> {
  ask: () => Promise<string | null>;
}

/** Ends with the first of: the asked one's answer, a token that the page sets by itself, the end of patience. */
function next({ ask, set, subscribe }: Source): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      stop();
      resolve();
    };
    const stop = subscribe(end);
    const timer = setTimeout(end, RENEWAL_MS_MAX);
    ask().then((given) => given !== null && set(given), end);
  });
}

function by(token: string | null, init: RequestInit = {}): RequestInit {
  const headers = new Headers(init.headers);
  if (token !== null) headers.set("Authorization", `Bearer ${token}`);
  return { ...init, headers };
}
