import { canonicalBytes, canonicalJson, type Json } from "../../../src/bytes/canonical-json.ts";
import { parseJson } from "../../../src/bytes/json.ts";
import { type Asking, openAs } from "../../../src/portal/test-asking.ts";
import { SERVICE_PATH, SESSION_HEADER } from "../../../src/protocol/wire.ts";
import { splitOctets, withOctets } from "../../../src/protocol/octets.ts";
import { sync } from "../../../src/client/sync.ts";
import { household, idOf, save } from "../../adversary/household.ts";
import type { TestPortal } from "../../support/world.ts";
import { hold, json, octets, type Target } from "../target.ts";

/** A portal with an account, a session of a device that administers it, and the requests that made it so. */
type World = { readonly portal: TestPortal; readonly asking: Asking; readonly asked: readonly Uint8Array[]; count: number };

/** After so many requests the portal is a new one, so that what they wrote does not pile up. */
const FRESH_AFTER = 3000;

let world: Promise<World> | undefined;

async function begin(): Promise<World> {
  const home = await household();
  const asked: Uint8Array[] = [];
  home.portal.meddler.request = (request) => {
    asked.push(request.body);
    return request;
  };
  const { desktop, portal } = home;
  await save(desktop, "example.com");
  await sync(desktop.client);
  delete portal.meddler.request;
  const asking = await openAs(desktop);
  const { master } = asking.member;
  const catalog = await idOf(desktop, "passwords");
  const more = [{ Hello: {} }, { Status: {} }, { GetProfiles: { master } }, { Get: { address: "alice@example.com" } }, { ValidateAccount: { address: "bob@example.com" } }, { CatalogRead: { catalog, from: 1 } }, { ConnectPending: {} }].map((one) => canonicalBytes(one as Json));
  return { portal, asking, asked: [...asked, ...more], count: 0 };
}

/**
 * Any request to a portal: with the MAC of a true session or as a stranger. It is answered, and never by a fault.
 *
 * `{"body":{...}}` is the body, `octets` what it carries, `session` whether it is a member's; `path`, `method` and `headers` as they come.
 */
export const portal: Target = {
  name: "portal",
  files: ["portal/"],
  seeds: async () => {
    const { asked } = await (world ??= begin());
    return asked.filter((body) => body.length < 60_000).flatMap((body) => [true, false].map((session) => {
      const { octets: carried, text } = splitOctets(body);
      return octets(canonicalJson({ body: parseJson(text), session, ...(carried === undefined ? {} : { octets: carried.toHex() }) }));
    }));
  },
  words: ["body", "octets", "session", "path", "method", "headers", "mesh-session", "mesh-counter", "mesh-mac", "Hello", "Status", "Publish", "CatalogRead", "CatalogAppend", "PutBlob", "GetBlob", "DropBlobs", "ConnectStart", "ConnectStatus", "CreateAccount", "DeleteAccount", "OpenSession", "alice@example.com", SERVICE_PATH, "\u0000"],
  most: 70_000,
  refusals: [],
  run: async (input) => {
    const order = json(input) as { readonly body?: Json; readonly headers?: unknown; readonly method?: unknown; readonly octets?: unknown; readonly path?: unknown; readonly session?: unknown } | undefined;
    if (typeof order !== "object" || order === null) return;
    const now = await (world ??= begin());
    if (now.count++ > FRESH_AFTER) world = undefined;
    const body = withOctets(octets(JSON.stringify(order.body ?? null)), typeof order.octets === "string" ? octets(order.octets) : undefined);
    now.portal.faults.length = 0;
    now.portal.events.length = 0;
    if (order.session === true) await now.asking.send(now.count + 10, body);
    else {
      const headers = typeof order.headers === "object" && order.headers !== null ? Object.fromEntries(Object.entries(order.headers).map(([name, value]) => [name, String(value)])) : {};
      const answer = await now.portal.portal.handle({ method: typeof order.method === "string" ? order.method : "POST", path: typeof order.path === "string" ? order.path : SERVICE_PATH, query: "", headers, body, remote: "192.0.2.9" });
      hold(answer.status !== 500 || headers[SESSION_HEADER] !== undefined, "a stranger brings about no fault");
    }
    const [fault] = now.portal.faults;
    if (fault !== undefined) throw fault;
    hold(now.portal.events.length === 1, "every request is answered and told of once");
  },
};
