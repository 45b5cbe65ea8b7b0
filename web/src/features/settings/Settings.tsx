import type { ComponentType } from "react";
import { printRoute, SETTINGS, type SettingsSection } from "../../route";
import { useScreen } from "../../screen";
import { Link } from "../../ui/Link";
import { useTitle } from "../../ui/useTitle";
import { Catalog } from "./Catalog";
import { Keys } from "./Keys";
import { OrganizationSettings } from "./OrganizationSettings";
import { SingleSignOn } from "./SingleSignOn";
import { Tokens } from "./Tokens";
import { Users } from "./Users";
import { say } from "./words";
import { WhomToAsk } from "./WhomToAsk";
import "../../styles/records.css";
import "../../styles/settings.css";

const SECTIONS: Record<SettingsSection, ComponentType> = {
  organization: OrganizationSettings,
  users: Users,
  keys: Keys,
  tokens: Tokens,
  "single-sign-on": SingleSignOn,
  catalog: Catalog,
};

/** What an organization is set up with, for who may administer it. The server refuses everybody else; here they are told whom to ask. */
export default function Settings({ section }: { section: SettingsSection }) {
  const { policy } = useScreen();
  useTitle(`${say(section)} · ${say("settings")}`);
  if (!policy.rights.administer) return <WhomToAsk />;
  const Section = SECTIONS[section];
  return (
    <main className="page settings">
      <h1>{say("settings")}</h1>
      <nav className="settings-nav" aria-label={say("settings")}>
        {SETTINGS.map((each) => (
          <Link key={each} to={printRoute({ screen: "settings", section: each })} aria-current={each === section ? "page" : undefined}>
            {say(each)}
          </Link>
        ))}
      </nav>
      <div className="settings-part">
        <Section key={section} />
      </div>
    </main>
  );
}
