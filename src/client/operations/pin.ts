import { fromBase64url, toBase64url } from "../../bytes/base64url.ts";
import { type Entry, change, current, isRemoved, REMOVED, writes } from "../../catalogs/merge.ts";
import { newEntryId } from "../../catalogs/entry-id.ts";
import { signObject } from "../../envelope/signed.ts";
import { isPinProof, pinNotice } from "../../profiles/connection.ts";
import { isActive } from "../../profiles/mesh.ts";
import { publish } from "../../protocol/profiles.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import { editEntries, readEntries } from "../catalog.ts";
import { type Client, signerOf } from "../client.ts";
import { requireSent } from "../keyless.ts";
import { showJoinCode } from "../join-code.ts";
import { newPin, type PinCode, pinKey, showPin } from "../pin-code.ts";
import { unlessOvertaken } from "../overtaken.ts";
import { pull, pullAgain, push } from "../sync.ts";
import type { Synced } from "../synced.ts";
import { admit, reject } from "./accept.ts";
import { type OpenRequest, openRequests } from "./requests.ts";
import { requireAdministrator, requireRoom } from "./versions.ts";

/** So many wrong proofs retire a PIN (decision 5.3). */
export const PIN_FAILURES = 5;

/** A PIN, and the join code that holds it with everything else that a device must know to use it. */
export type MadePin = { readonly pin: string; readonly uri: string };

/** Makes a PIN: its record lies in the catalog that administration devices alone read; the portal learns its public name. */
export async function makePin(client: Client, lifetimeMs: number): Promise<MadePin> {
  let made: { readonly pin: PinCode; readonly expires: number } | undefined;
  return unlessOvertaken(client, async () => {
    const synced = await pull(client);
    try {
      requireAdministrator(synced.mesh, synced.self);
      const { pin, expires } = (made ??= { pin: newPin(synced.self.master), expires: synced.now + lifetimeMs });
      const record = { expires, failures: 0, pin: pin.id, secret: toBase64url(pinKey(pin)), used: false };
      await editEntries(client, "administration", (entries) => (entries.some((entry) => current(entry, "pin") === pin.id) ? [] : [change(newEntryId(), undefined, record)]));
      await push(client, synced);
      await requireSent(client, "administration");
      await announce(client, synced, pin.id, expires, "open");
      const { address, portal } = synced.self;
      return { pin: showPin(pin), uri: showJoinCode({ address, pin: showPin(pin), portal: { pin: portal.id, url: portal.url } }) };
    } finally {
      synced.link.close();
    }
  });
}

/** Answers the requests that came by PIN: this administration device lets in who proves to know one, once (decision 5.3). Returns the names let in. */
export async function answerPins(client: Client, synced: Synced): Promise<readonly string[]> {
  if (synced.answer.pending === 0) return [];
  const admitted: string[] = [];
  const { open } = await openRequests(client, synced);
  for (const request of open.filter((one) => one.request.payload.kind === "pin")) {
    const name = await unlessOvertaken(client, () => answerPin(client, request));
    if (name !== undefined) admitted.push(name);
  }
  return admitted;
}

async function answerPin(client: Client, { request }: OpenRequest): Promise<string | undefined> {
  let synced = await pull(client);
  try {
    const again = (await openRequests(client, synced)).open.find((one) => one.request.payload.witness === request.payload.witness);
    if (again === undefined) return undefined;
    const { witness, pin } = again.request.payload;
    const record = (await readEntries(client, "administration")).find((entry) => current(entry, "pin") === pin && !isRemoved(entry));
    const usable = record !== undefined && (isUsable(record, synced.now) || isUsedFor(record, witness));
    const secret = record === undefined ? undefined : current(record, "secret");
    const key = typeof secret === "string" ? fromBase64url(secret) : undefined;
    const proven = usable && key !== undefined && isPinProof(again.secret.pinProof, key, "request", witness);
    if (!proven) {
      if (record !== undefined && usable) await countFailure(client, synced, record);
      await rejectUnlessAnswered(client, synced, again);
      return undefined;
    }
    requireRoom(synced.mesh);
    // Used before it lets anybody in, and for whom: whoever is cut off or overtaken in between may go on with that one device, and with no other.
    if (current(record, "used") === false) await editEntries(client, "administration", () => [change(record.id, record, { used: true, usedFor: witness })]);
    await push(client, synced);
    await requireSent(client, "administration");
    synced = await pullAgain(client, synced);
    // Another administration device was quicker with the same guest.
    if (isActive(synced.mesh, again.device.payload.id, synced.now)) return undefined;
    const name = await admit(client, synced, again, "member", key);
    await editEntries(client, "administration", () => [change(record.id, record, { secret: "" })]);
    await announce(client, synced, pin ?? "", synced.now, "closed");
    return name;
  } finally {
    synced.link.close();
  }
}

/** Rejects a request; that another administration device answered it meanwhile is no harm. */
async function rejectUnlessAnswered(client: Client, synced: Synced, { request }: OpenRequest): Promise<void> {
  try {
    await reject(client, synced, request.payload.witness, request.kid);
  } catch (error) {
    if (!(error instanceof MeshError) || error.code !== "connection-answered") throw error;
  }
}

async function countFailure(client: Client, synced: Synced, record: Entry): Promise<void> {
  const failures = Number(current(record, "failures") ?? 0) + 1;
  await editEntries(client, "administration", () => [change(record.id, record, failures >= PIN_FAILURES ? { failures, [REMOVED]: true, secret: "" } : { failures })]);
  await push(client, synced);
  if (failures >= PIN_FAILURES) await announce(client, synced, String(current(record, "pin")), synced.now, "closed");
}

/** Whether a PIN was used for this one request: had two devices used it for two at once, its history names both, and it is spent. */
function isUsedFor(record: Entry, witness: string): boolean {
  const named = writes(record, "usedFor");
  return named.length > 0 && named.every((write) => write.value === witness);
}

function isUsable(record: Entry, now: number): boolean {
  return current(record, "used") === false && Number(current(record, "expires")) > now && Number(current(record, "failures")) < PIN_FAILURES;
}

async function announce(client: Client, { link, requester, self }: Synced, pin: string, expires: number, status: "open" | "closed"): Promise<void> {
  const notice = await signObject(pinNotice, { expires, master: self.master, pin, status, v: 1 }, signerOf(client.keyring, self.administrationKey));
  await link.call(requester, publish, { parts: [{ kind: "pin", object: notice.jws }] });
}
