import { lazy, Suspense, useState } from "react";
import type { View } from "../../api/views";
import type { Address } from "../../query/address";
import { Popover } from "../../ui/Popover";
import { wordsOf } from "../../ui/words";
import en from "./button.en.json";
import { isChanged } from "./view";

const say = wordsOf({ en });
const ViewsMenu = lazy(() => import("./ViewsMenu"));
const ViewDialog = lazy(() => import("./ViewDialog"));

/** Which view a dialog is about; null is a new one. */
type Asked = { view: View | null };

/** Opens saved views, and says which one the list was opened from. */
export function ViewsButton({ address, view, onAddress }: { address: Address; view: View | null; onAddress: (change: Partial<Address>) => void }) {
  const [asked, setAsked] = useState<Asked | null>(null);
  const label = view === null ? say("views") : say.nodes(isChanged(view, address) ? "changed" : "unchanged", { name: <bdi className="line">{view.name}</bdi> });
  return (
    <>
      <Popover label={label} className="button ghost views-button" atEnd boxClassName="views-box">
        {(close) => (
          <Suspense>
            <ViewsMenu
              address={address}
              open={view}
              onAddress={(change) => {
                close();
                onAddress(change);
              }}
              onDialog={(about) => {
                close();
                setAsked({ view: about });
              }}
            />
          </Suspense>
        )}
      </Popover>
      {asked !== null && (
        <Suspense>
          <ViewDialog view={asked.view} address={address} onAddress={onAddress} onClose={() => setAsked(null)} />
        </Suspense>
      )}
    </>
  );
}
