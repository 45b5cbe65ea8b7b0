import type { Destination } from "../../api/streams";
import { Area, Choice, Field, Tickbox } from "../../ui/Form";
import { writtenOf, type Member } from "./destinations";
import { say } from "./words";

/** A member of a destination, typed as its kind asks for. */
export function MemberField({ member, destination }: { member: Member; destination: Destination | null }) {
  const { kind, need } = member;
  const name = `destination/${member.name}`;
  const label = say(`member_${member.name}` as "member_bucket");
  const first = writtenOf(member, destination);
  const hint = HINTS.has(member.name) ? { hint: say(`member_${member.name}_hint` as "member_headers_hint") } : need === "may" ? { hint: say("may_be_empty") } : {};
  if (typeof kind !== "string") return <Choice label={label} name={name} defaultValue={first} options={kind.map((value) => [value, say(`value_${value}` as "value_gzip")])} />;
  switch (kind) {
    case "flag":
      return <Tickbox label={label} name={name} defaultChecked={first !== ""} />;
    case "lines":
    case "headers":
    case "pem":
      return <Area label={label} name={name} rows={kind === "pem" ? 3 : 2} defaultValue={first} className="input area mono" {...hint} />;
    case "port":
      return <Field label={label} name={name} type="number" min={1} max={65_535} required defaultValue={first} />;
    default:
      return <Field label={label} name={name} type={kind} required={need === "must"} defaultValue={first} autoComplete="off" {...hint} />;
  }
}

/** Members that need a word of explanation. */
const HINTS = new Set(["headers", "tags", "objects/prefix", "ca", "endpoint"]);
