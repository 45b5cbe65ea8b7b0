// Signing in and out, and what letters lead to. A session is a cookie that scripts cannot read: nothing of it passes through here.
import type { Schemas, SignedIn } from "./contract";
import { Problem } from "./problem";

export type PasswordSignIn = Schemas["SignIn"];
export type ResetRequest = Schemas["Forgotten"];
/** The token is the secret of the letter's link. */
export type NewPassword = Schemas["ChosenPassword"];

export type Auth = ReturnType<typeof createAuth>;

/** Calls outside any organization. Every one rejects with a [Problem]. */
export function createAuth(send: typeof fetch = (...call) => fetch(...call)) {
  async function call(path: string, more: RequestInit): Promise<Response> {
    const response = await send(path, { ...more, cache: "no-store", credentials: "same-origin" }).catch(() => {
      throw Problem.unreachable();
    });
    if (!response.ok) throw await Problem.of(response);
    return response;
  }

  const post = (path: string, body?: object) =>
    call(path, {
      method: "POST",
      // No page of another origin can send this header, and the server asks for it.
      headers: { "Trailbook-Console": "1", ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      body: body === undefined ? null : JSON.stringify(body),
    });

  return {
    signIn: async (body: PasswordSignIn) => void (await post("/auth/sign-in", body)),
    signOut: async () => void (await post("/auth/sign-out")),
    requestReset: async (body: ResetRequest) => void (await post("/auth/password-reset", body)),
    /** Ends every other session. */
    changePassword: async (body: { current: string; new: string }) => void (await post("/auth/password-change", body)),
    setPassword: async (body: NewPassword) => void (await post("/auth/password", body)),

    /** Who is signed in; null when nobody is. */
    session: async (): Promise<SignedIn | null> => {
      try {
        return (await (await call("/auth/session", {})).json()) as SignedIn;
      } catch (problem) {
        if (problem instanceof Problem && problem.status === 401) return null;
        throw problem;
      }
    },
  };
}

/** Where single sign-on of an organization begins; it comes back to the page with a session. */
export function singleSignOnAddress(organization: string, project?: string): string {
  const parameters = new URLSearchParams({ organization, return_to: "/" });
  if (project !== undefined) parameters.set("project", project);
  return `/auth/single-sign-on?${parameters}`;
}
