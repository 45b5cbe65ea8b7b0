import { useMemo } from "react";
import type { PolicySettings } from "../../api/administration";
import type { Policy } from "../../api/contract";
import { Area, Choice, Field as Input } from "../../ui/Form";
import { fieldPointer, write, written as writtenIn, type Field, type Written } from "./policy";
import { say } from "./words";

interface Props {
  field: Field;
  /** What is set here. */
  policy: PolicySettings;
  /** What applies, inherited or not. */
  inForce: Policy;
  /** What the form has that is not saved yet. */
  written: Written | undefined;
  onWritten: (written: Written) => void;
}

/** A field of the policy: inherited, with what that comes to, or set here. */
export function PolicyField({ field, policy, inForce, written: drafted, onWritten }: Props) {
  const text = drafted === undefined ? writtenIn(policy, field) : drafted;
  const label = say(field.name as "title");
  const applies = (inForce as unknown as Record<string, unknown>)[field.name];
  const begin = write(field.kind, applies ?? (field.kind === "json" || field.kind === "lines" ? [] : null));
  if (text === null) {
    return (
      <div className="field inherited">
        <span className="field-name">{label}</span>
        {/* What is set here is not what would be inherited: that is known only once it is saved. */}
        <span className="inherited-value">{field.name in policy ? say("as_project") : brief(field, begin)}</span>
        <button type="button" className="link-button" aria-label={say("set_what", { field: label })} onClick={() => onWritten(begin)}>
          {say("set_here")}
        </button>
      </div>
    );
  }
  return (
    <div className="set-here">
      <Control field={field} label={label} text={text} onWritten={onWritten} />
      <button type="button" className="link-button" aria-label={say("inherit_what", { field: label })} onClick={() => onWritten(null)}>
        {say("inherit")}
      </button>
    </div>
  );
}

function Control({ field, label, text, onWritten }: { field: Field; label: string; text: string; onWritten: (written: string) => void }) {
  const name = fieldPointer(field.name);
  const hint = HINTS.has(field.name) ? say(`${field.name}_hint` as "columns_hint") : undefined;
  const common = { label, name, value: text, onChange: (event: { currentTarget: { value: string } }) => onWritten(event.currentTarget.value), ...(hint === undefined ? {} : { hint }) };
  switch (field.kind) {
    case "switch":
      return <Choice {...common} options={["true", "false"].map((value) => [value, say(value as "true")])} />;
    case "choice":
      return <Choice {...common} options={field.choices!.map((value) => [value, say(`${field.name}_${value}` as "backfill_accept")])} />;
    case "lines":
      return <Area {...common} rows={Math.min(Math.max(text.split("\n").length + 1, 2), 8)} />;
    case "json":
      return <Area {...common} className="input area mono" rows={10} />;
    case "zone":
      return <Zone {...common} />;
    case "number":
      return <Input {...common} inputMode="numeric" />;
    default:
      return <Input {...common} />;
  }
}

function Zone(given: Parameters<typeof Input>[0]) {
  const zones = useMemo(() => Intl.supportedValuesOf("timeZone"), []);
  return (
    <>
      <Input {...given} list="settings-zones" />
      <datalist id="settings-zones">
        {zones.map((zone) => (
          <option key={zone} value={zone} />
        ))}
      </datalist>
    </>
  );
}

/** Fields that need a word of explanation. */
const HINTS = new Set([
  ...["retention_days", "legal_hold", "default_range_days", "max_range_days", "presets", "view_roles", "export_roles", "administer_roles", "time_zone"],
  ...["breadcrumb", "feedback_url", "hide_reads", "recorded_since", "redaction", "embed_origins", "columns", "details", "filters", "labels", "queries"],
]);

/** What is inherited, in one line. */
function brief({ name, kind }: Field, text: string): string {
  if (kind === "json") return say(["[]", "null"].includes(text.replaceAll(/\s/g, "")) ? "built_in" : "has_some");
  if (kind === "switch") return say(text as "true");
  if (text === "") return say(NOTHING[name] ?? "nothing");
  if (kind === "choice") return say(`${name}_${text}` as "backfill_accept");
  if (kind === "number") return say("days", { count: Number(text) });
  return text.split("\n").join(", ");
}

/** What nothing means, where that is something. */
const NOTHING: Record<string, "for_ever" | "all_time" | "any_range" | "built_in"> = {
  retention_days: "for_ever",
  default_range_days: "all_time",
  max_range_days: "any_range",
  presets: "built_in",
  title: "built_in",
};
