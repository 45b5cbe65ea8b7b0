import { useState, type ReactNode } from "react";
import { singleSignOnAddress, type Auth } from "../../api/auth";
import { createClient, type Access } from "../../api/client";
import { Problem } from "../../api/problem";
import { Card } from "./Card";
import { Field, Form } from "./Form";
import { keyAccess, sessionAccess } from "./session";

export type Way = "password" | "key" | "single-sign-on" | "forgotten";

interface Props {
  auth: Auth;
  /** The way that is offered first. */
  first: Way;
  /** Why it is asked, when that is not plain. */
  notice: string | null;
  onAccess: (access: Access) => void;
}

/** Asks who is looking, and hands on what the server has accepted. */
export function SignIn({ auth, first, notice, onAccess }: Props) {
  const [way, setWay] = useState(first);
  const to = (next: Way, words: string) => (
    <button type="button" className="link-button" onClick={() => setWay(next)}>
      {words}
    </button>
  );
  const said = notice !== null && way === first && (
    <p className="notice calm" role="status">
      {notice}
    </p>
  );
  const back = to("password", "Sign in with a password");
  switch (way) {
    case "password":
      return (
        <Card title="Sign in">
          {said}
          <PasswordForm auth={auth} onAccess={onAccess} />
          <Ways>
            {to("forgotten", "Forgotten password?")}
            {to("single-sign-on", "Single sign-on")}
            {to("key", "Use a key instead")}
          </Ways>
        </Card>
      );
    case "key":
      return (
        <Card title="Use a key">
          {said}
          <KeyForm onAccess={onAccess} />
          <Ways>{back}</Ways>
        </Card>
      );
    case "single-sign-on":
      return (
        <Card title="Single sign-on">
          <SingleSignOnForm />
          <Ways>{back}</Ways>
        </Card>
      );
    case "forgotten":
      return (
        <Card title="Forgotten password">
          <ForgottenForm auth={auth} />
          <Ways>{back}</Ways>
        </Card>
      );
  }
}

const Ways = ({ children }: { children: ReactNode }) => <div className="ways">{children}</div>;

function PasswordForm({ auth, onAccess }: { auth: Auth; onAccess: (access: Access) => void }) {
  return (
    <Form
      button="Sign in"
      sending="Signing in…"
      onSend={async (typed) => {
        await auth.signIn({ email: typed("email") ?? "", password: typed("password") ?? "", organization: typed("organization"), project: typed("project") });
        const signedIn = await auth.session();
        // Browsers take the cookie over TLS only, and from this very machine.
        if (signedIn === null) throw new Error("You were signed in, but this browser does not keep the session. Open this page with https, and allow its cookies.");
        onAccess(sessionAccess(signedIn));
      }}
    >
      <Field label="E-mail" name="email" type="email" required autoFocus autoComplete="username" />
      <Field label="Password" name="password" type="password" required autoComplete="current-password" />
      <More />
    </Form>
  );
}

/** What only those need whose e-mail address is known in several organizations. */
function More() {
  return (
    <details className="more-fields">
      <summary>More</summary>
      <Field label="Organization (when you belong to several)" name="organization" autoComplete="organization" />
      <Field label="Project (only when it is not the default one)" name="project" autoComplete="off" />
    </details>
  );
}

function KeyForm({ onAccess }: { onAccess: (access: Access) => void }) {
  return (
    <>
      <p className="muted">Read an organization’s events with the root key or an API key.</p>
      <Form
        button="Show activity"
        sending="Looking…"
        onSend={async (typed) => {
          const access = keyAccess("key", typed("organization"), typed("key"), typed("project"));
          if (access === null) throw new Error("Both an organization and a key are needed.");
          await check(access);
          onAccess(access);
        }}
      >
        <Field label="Organization" name="organization" required autoFocus autoComplete="organization" />
        <Field label="Key" name="key" className="input mono" type="password" required autoComplete="off" />
        <Field label="Project (only when it is not the default one)" name="project" autoComplete="off" />
      </Form>
      <p className="muted">The key stays in this browser tab and is forgotten when the tab is closed.</p>
    </>
  );
}

/** Rejects with the reason when the server does not let this key read. An organization without events is one that can be read. */
async function check(access: Access): Promise<void> {
  try {
    await createClient(access).events({ limit: 1 });
  } catch (problem) {
    if (!(problem instanceof Problem)) throw new Error("The answer cannot be read.");
    if (problem.status === 401) throw new Error("The server does not know this key.");
    if (problem.status === 403) throw new Error("This key may not read the events of that organization.");
    if (problem.status !== 404) throw problem;
  }
}

function SingleSignOnForm() {
  return (
    <>
      <p className="muted">You are led to your organization’s own sign-in page and back here.</p>
      <Form
        button="Continue"
        sending="Leaving…"
        onSend={async (typed) => {
          // Not a form's own address: the content security policy keeps forms, also through redirects, to this server.
          location.assign(singleSignOnAddress(typed("organization") ?? "", typed("project")));
          // The page is being left: until then nothing else is offered.
          await new Promise(() => undefined);
        }}
      >
        <Field label="Organization" name="organization" required autoFocus autoComplete="organization" />
        <Field label="Project (only when it is not the default one)" name="project" autoComplete="off" />
      </Form>
    </>
  );
}

function ForgottenForm({ auth }: { auth: Auth }) {
  const [isDone, setDone] = useState(false);
  if (isDone) {
    return <p role="status">If this address belongs to an account with a password, a letter with a link is on its way to it. The link works for an hour.</p>;
  }
  return (
    <>
      <p className="muted">A letter brings a link with which you choose a new password.</p>
      <Form
        button="Send the link"
        sending="Sending…"
        onSend={async (typed) => {
          await auth.requestReset({ email: typed("email") ?? "", organization: typed("organization"), project: typed("project") });
          setDone(true);
        }}
      >
        <Field label="E-mail" name="email" type="email" required autoFocus autoComplete="username" />
        <More />
      </Form>
    </>
  );
}
