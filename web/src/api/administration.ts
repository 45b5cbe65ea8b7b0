// Calls that set things up: the organization, its people, keys, viewer tokens, catalog and identity provider. Only the settings load this.
import { organizationPath, type Access, type Transport } from "./client";
import type { Answer, Policy, Schemas, With } from "./contract";
import { versioned, type Versioned } from "./versioned";

/** Fields of a policy as an organization sets them; what is absent is inherited. */
export type PolicySettings = Partial<Record<string, unknown>>;

/** By hand: in the document, the numbers of an organization have its name. */
export interface OrganizationSetup {
  name: string;
  policy: PolicySettings;
  /** A shorter retention that is not in force yet; null when there is none. */
  pending_retention: { retention_days: number | null; takes_effect_at: string } | null;
}

export type User = With<Answer<Schemas["User"]>, { state: "invited" | "active" | "deactivated" }>;

/** Where a link goes: to the user by mail, or to the operator who asks. */
export type Deliver = Schemas["Deliver"];

export type NewUser = Required<Omit<Schemas["UserRequest"], "password">>;

export const SCOPES = ["events:write", "events:read", "exports", "streams", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** Without an organization it is for all of the project. */
export type Key = With<Answer<Schemas["Key"]>, { scopes: Scope[] }>;
export type NewKey = With<Required<Schemas["KeyRequest"]>, { scopes: Scope[] }>;

/** By hand: the document has an object of any shape. */
export interface TokenActor {
  id: string;
  name: string | null;
  email: string | null;
  role: string | null;
  permissions: string[];
}

export type ViewerToken = With<Answer<Schemas["Token"]>, { actor: TokenActor }>;
export type NewToken = With<Required<Schemas["TokenRequest"]>, { actor: TokenActor; ttl_seconds: number }>;

/** Roles by group: the first that a person is in counts. */
type Roles = Record<string, string>;
export type ProviderSettings = With<Required<Omit<Schemas["ProviderRequest"], "client_secret">>, { roles: Roles }>;
export type Provider = With<Answer<Schemas["Provider"]>, { roles: Roles }>;

export type ListedOrganization = Answer<Schemas["Listed"]>;

/** Names of a page of organizations; the server gives no more at once. */
const NAMES_PER_PAGE = 1000;

export type Administration = ReturnType<typeof createAdministration>;

/** Administers the organization of `access`. Every method rejects as the transport does. */
export function createAdministration(ask: Transport, access: Access) {
  const own = organizationPath(access.organization);
  const json = async <T>(path: string, asked: Parameters<Transport>[1] = {}): Promise<T> => (await ask(path, asked)).json() as Promise<T>;
  const user = (id: string) => `${own}/users/${encodeURIComponent(id)}`;

  return {
    organization: async (signal?: AbortSignal): Promise<Versioned<OrganizationSetup>> => versioned(await ask(own, { signal })),
    /** Replaces the policy, if it is still the version that was read; else rejects with 412. */
    setPolicy: async (policy: PolicySettings, version: string): Promise<Versioned<OrganizationSetup>> =>
      versioned(await ask(own, { method: "PUT", headers: { "If-Match": version }, body: { policy } })),

    users: async (signal?: AbortSignal) => (await json<{ users: User[] }>(`${own}/users`, { signal })).users,
    /** The link is only there when it was asked to be answered. */
    invite: (body: NewUser) => json<User & Pick<Answer<Schemas["Created"]>, "link">>(`${own}/users`, { method: "POST", body }),
    changeUser: (id: string, body: { name?: string | null; email?: string; role?: string; state?: "active" | "deactivated" }) => json<User>(user(id), { method: "PATCH", body }),
    setPermissions: (id: string, permissions: string[]) => json<User>(`${user(id)}/permissions`, { method: "PUT", body: { permissions } }),
    sendLink: (id: string, deliver: Deliver) => json<Answer<Schemas["LinkMade"]>>(`${user(id)}/password-reset`, { method: "POST", body: { deliver } }),
    deleteUser: async (id: string) => void (await ask(user(id), { method: "DELETE" })),

    keys: async (signal?: AbortSignal) => (await json<{ keys: Key[] }>("/v1/keys", { signal })).keys,
    makeKey: (body: NewKey) => json<Key & { key: string }>("/v1/keys", { method: "POST", body }),
    revokeKey: async (id: string) => void (await ask(`/v1/keys/${encodeURIComponent(id)}`, { method: "DELETE" })),

    tokens: async (signal?: AbortSignal) => (await json<{ viewer_tokens: ViewerToken[] }>(`${own}/viewer-tokens`, { signal })).viewer_tokens,
    makeToken: (body: NewToken) => json<ViewerToken & { token: string; url: string }>(`${own}/viewer-tokens`, { method: "POST", body }),
    revokeToken: async (id: string) => void (await ask(`${own}/viewer-tokens/${encodeURIComponent(id)}`, { method: "DELETE" })),

    provider: (signal?: AbortSignal) => json<Provider>(`${own}/single-sign-on`, { signal }),
    /** Without a secret the stored one stays, as long as issuer and client do. */
    setProvider: (body: ProviderSettings & { client_secret?: string | undefined }) => json<Provider>(`${own}/single-sign-on`, { method: "PUT", body }),
    removeProvider: async () => void (await ask(`${own}/single-sign-on`, { method: "DELETE" })),

    projects: async (signal?: AbortSignal) => (await json<{ projects: string[] }>("/v1/projects", { signal })).projects,
    /** A page of a project's organizations, by name. */
    organizations: (project: string | null, after: string | null, signal?: AbortSignal) =>
      json<{ organizations: ListedOrganization[]; next: string | null }>("/v1/organizations", {
        parameters: { after: after ?? undefined, limit: NAMES_PER_PAGE },
        headers: project === null ? {} : { "Trailbook-Project": project },
        signal,
      }),
  };
}

/** The rights that a role and permissions give, as the policy has it. */
export function rightsBy(policy: Policy, role: string, permissions: readonly string[]): Policy["rights"] {
  const has = (roles: string[], sufficient: string[]) => roles.includes(role) || sufficient.some((permission) => permissions.includes(permission));
  const view = has(policy.view_roles, policy.view_permissions);
  return {
    view,
    // A file without leave to look is nobody's.
    export: view && has(policy.export_roles, policy.export_permissions),
    administer: has(policy.administer_roles, policy.administer_permissions),
  };
}
