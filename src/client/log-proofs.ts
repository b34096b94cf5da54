import { toBase64url } from "../bytes/base64url.ts";
import { checkCurrencyProof, type Currency, type MapLabel } from "../notary/currency.ts";
import { policyOf } from "../notary/log-policy.ts";
import { demand, MeshError } from "../refusals/mesh-error.ts";
import { holdingPortalTo } from "./blame.ts";
import { type Client, memberSelf } from "./client.ts";
import { type EndedRow, type LogRow, logRowOf } from "./follow-log.ts";
import { knownPortal, meetPortal } from "./portal-link.ts";

/** The head of its portal's log that this home keeps; undefined where it has seen none. */
export function knownHead(client: Client): Promise<LogRow | undefined> {
  return client.rows.read(logRowOf);
}

/** The log that the portal ended, if this home's owner was not told of it yet; from then on she was. */
export function endedLog(client: Client): Promise<EndedRow | undefined> {
  return client.rows.transact(async (rows) => {
    const row = await rows.get<EndedRow>("log", "ended");
    if (row === undefined || row.told) return undefined;
    await rows.put("log", "ended", "", { ...row, told: true });
    return row;
  });
}

/** Has the portal prove what is current of an identifier, and judges that against the log that this home follows. */
export async function proveCurrent(client: Client, { kind, id }: MapLabel): Promise<{ readonly proof: Uint8Array; readonly currency: Currency }> {
  const { portal } = await memberSelf(client);
  const link = await meetPortal(client, portal.url, portal.id);
  try {
    const policy = policyOf(demandKeys(link.profile.payload.logKeys));
    const proof = await link.readLog(policy.origin, `current/${kind}/${id}`);
    demand(proof !== undefined, "store-not-found", "The portal's log has no checkpoint yet.", "Try again in a second.");
    const currency = await holdingPortalTo(async () => checkCurrencyProof(proof, policy, client.now() / 1000));
    demand(currency.label.kind === kind && currency.label.id === id, "portal-false-data", "The portal proved what is current of somebody else.", "It is broken or it cheats; ask its operator.");
    await checkHead(client, currency);
    return { proof, currency };
  } finally {
    link.close();
  }
}

/** Judges a proof by the keys of this home's portal, without asking it. */
export async function judgeProof(client: Client, proof: Uint8Array): Promise<Currency> {
  const { portal } = await memberSelf(client);
  const profile = await knownPortal(client, portal.url, portal.id);
  demand(profile !== undefined, "service-unreachable", "This device has not met its portal yet.", "Run `mesh sync`.");
  return checkCurrencyProof(proof, policyOf(demandKeys(profile.payload.logKeys)), client.now() / 1000);
}

/** The keys of all logs that this home's portal named when it was last asked, as its profile lists them. */
export async function knownLogKeys(client: Client): Promise<readonly string[]> {
  const { portal } = await memberSelf(client);
  return demandKeys((await knownPortal(client, portal.url, portal.id))?.payload.logKeys ?? []);
}

/** Of two trees with one size there is one root; what is smaller than was seen is told at the next sync, which asks for consistency. */
async function checkHead(client: Client, { checkpoint }: Currency): Promise<void> {
  const known = await knownHead(client);
  if (known === undefined || known.origin !== checkpoint.origin) return;
  if (checkpoint.size < known.size) throw new MeshError("portal-older-log", `The log has ${checkpoint.size} entries where it had ${known.size}.`);
  const same = checkpoint.size > known.size || toBase64url(checkpoint.root) === known.root;
  demand(same, "portal-forked-log", "The portal signed two logs of one size.");
}

function demandKeys(logKeys: readonly string[]): readonly string[] {
  demand(logKeys.length > 0, "store-not-found", "This portal has no log.", "Ask its operator to bring it up to date, then run `mesh sync`.");
  return logKeys;
}
