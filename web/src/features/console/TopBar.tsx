import { lazy, Suspense, useEffect, useRef, type ReactNode } from "react";
import { initials } from "../../event/words";
import { parseRoute, printRoute, type Route } from "../../route";
import { useScreen } from "../../screen";
import { Help } from "../../ui/Help";
import { Caret, Mark } from "../../ui/icons";
import { Link } from "../../ui/Link";
import { Avatar } from "../../ui/marks";
import { usePlace } from "../../ui/place";
import { Popover } from "../../ui/Popover";
import { wordsOf } from "../../ui/words";
import en from "./words.en.json";

const PersonMenu = lazy(() => import("./PersonMenu"));
const Switcher = lazy(() => import("./Switcher"));

const say = wordsOf({ en });

/** Whose log it is, the other parts of the screen, and who looks. */
export function TopBar() {
  const { access, policy } = useScreen();
  const { path } = usePlace();
  const route = parseRoute(path);
  const { administer, export: takesFiles } = policy.rights;
  const tabs: [Exclude<Route, { screen: "trace" | "profile" }>, boolean][] = [
    [{ screen: "activity" }, true],
    [{ screen: "insights" }, true],
    [{ screen: "exports" }, takesFiles],
    [{ screen: "streams", id: null }, administer && takesFiles],
    [{ screen: "alerts", id: null }, administer && takesFiles],
    [{ screen: "integrity" }, true],
    [{ screen: "settings", section: "organization" }, administer],
  ];
  return (
    <header className="top">
      <Link to="/" className="brand">
        <Mark />
        <span>Trailbook</span>
      </Link>
      <Organization />
      <nav aria-label={say("screens")}>
        {tabs.map(([to, isOffered]) =>
          isOffered ? (
            <Tab key={to.screen} to={to} isOn={to.screen === (route.screen === "trace" ? "activity" : route.screen)}>
              {say(to.screen)}
            </Tab>
          ) : null,
        )}
      </nav>
      <div className="top-end">
        <Help />
        <Popover label={<Avatar letters={access.kind === "session" ? initials(access.person) : "·"} isMachine={access.kind !== "session"} />} name={say("person_menu")} className="icon-button" atEnd boxClassName="person-menu">
          {(close) => (
            <Suspense>
              <PersonMenu close={close} />
            </Suspense>
          )}
        </Popover>
      </div>
    </header>
  );
}

/** Whose log it is; for who may go to other organizations, the way there. */
function Organization() {
  const { access, organizations } = useScreen();
  const name = <bdi className="line">{access.organization}</bdi>;
  if (organizations === null || (access.kind === "session" && !access.isOperator)) {
    return (
      <div className="organization line" title={access.organization}>
        {name}
      </div>
    );
  }
  return (
    <Popover
      label={
        <>
          {name}
          <Caret />
        </>
      }
      name={say("switch", { organization: access.organization })}
      className="button ghost organization"
      boxClassName="switcher-box"
    >
      {(close) => (
        <Suspense>
          <Switcher close={close} />
        </Suspense>
      )}
    </Popover>
  );
}

function Tab({ to, isOn, children }: { to: Route; isOn: boolean; children: ReactNode }) {
  const place = useRef<HTMLSpanElement>(null);
  // Where the screens do not fit side by side, the current one is brought into sight.
  useEffect(() => void (isOn && place.current?.scrollIntoView({ block: "nearest", inline: "nearest" })), [isOn]);
  return (
    <span ref={place}>
      <Link to={printRoute(to)} aria-current={isOn ? "page" : undefined}>
        {children}
      </Link>
    </span>
  );
}
