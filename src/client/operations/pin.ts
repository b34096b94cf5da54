import { fromBase64url, toBase64url } from "../../bytes/base64url.ts";
import { type Entry, change, current, isRemoved, REMOVED } from "../../catalogs/merge.ts";
import { newEntryId } from "../../catalogs/entry-id.ts";
import { signObject } from "../../envelope/signed.ts";
import { isPinProof, pinNotice } from "../../profiles/connection.ts";
import { publish } from "../../protocol/profiles.ts";
import { editEntries, readEntries } from "../catalog.ts";
import { type Client, signerOf } from "../client.ts";
import { newPin, pinKey, showPin } from "../pin-code.ts";
import { pull, push, type Synced } from "../sync.ts";
import { admit, reject } from "./accept.ts";
import { type OpenRequest, openRequests } from "./requests.ts";
import { requireAdministrator } from "./versions.ts";

/** So many wrong proofs retire a PIN (decision 5.3). */
export const PIN_FAILURES = 5;

/** Makes a PIN: its record lies in the catalog that administration devices alone read; the portal learns its public name. */
export async function makePin(client: Client, lifetimeMs: number): Promise<{ readonly pin: string }> {
  const synced = await pull(client);
  try {
    requireAdministrator(synced.mesh, synced.self);
    const pin = newPin(synced.self.master);
    const expires = synced.now + lifetimeMs;
    await editEntries(client, "administration", () => [change(newEntryId(), undefined, { expires, failures: 0, pin: pin.id, secret: toBase64url(pinKey(pin)), used: false })]);
    await push(client, synced);
    await announce(client, synced, pin.id, expires, "open");
    return { pin: showPin(pin) };
  } finally {
    synced.link.close();
  }
}

/** Answers the requests that came by PIN: this administration device lets in who proves to know one, once (decision 5.3). Returns the names let in. */
export async function answerPins(client: Client, synced: Synced): Promise<readonly string[]> {
  if (synced.answer.pending === 0) return [];
  const admitted: string[] = [];
  const { open } = await openRequests(client, synced);
  for (const request of open.filter((one) => one.request.payload.kind === "pin")) {
    const name = await answerPin(client, request);
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
    const usable = record !== undefined && isUsable(record, synced.now);
    const secret = record === undefined ? undefined : current(record, "secret");
    const key = typeof secret === "string" ? fromBase64url(secret) : undefined;
    const proven = usable && key !== undefined && isPinProof(again.secret.pinProof, key, "request", witness);
    if (!proven) {
      if (record !== undefined && usable) await countFailure(client, synced, record);
      await reject(client, synced, witness, again.request.kid);
      return undefined;
    }
    // Used before it lets anybody in: a device that dies in between leaves a spent PIN, never one that works twice.
    await editEntries(client, "administration", () => [change(record.id, record, { secret: "", used: true })]);
    await push(client, synced);
    synced = await reopen(client, synced);
    const name = await admit(client, synced, again, "member", key);
    await announce(client, synced, pin ?? "", synced.now, "closed");
    return name;
  } finally {
    synced.link.close();
  }
}

async function reopen(client: Client, before: Synced): Promise<Synced> {
  before.link.close();
  return pull(client);
}

async function countFailure(client: Client, synced: Synced, record: Entry): Promise<void> {
  const failures = Number(current(record, "failures") ?? 0) + 1;
  await editEntries(client, "administration", () => [change(record.id, record, failures >= PIN_FAILURES ? { failures, [REMOVED]: true, secret: "" } : { failures })]);
  await push(client, synced);
  if (failures >= PIN_FAILURES) await announce(client, synced, String(current(record, "pin")), synced.now, "closed");
}

function isUsable(record: Entry, now: number): boolean {
  return current(record, "used") === false && Number(current(record, "expires")) > now && Number(current(record, "failures")) < PIN_FAILURES;
}

async function announce(client: Client, { link, requester, self }: Synced, pin: string, expires: number, status: "open" | "closed"): Promise<void> {
  const notice = await signObject(pinNotice, { expires, master: self.master, pin, status, v: 1 }, signerOf(client.keyring, self.administrationKey));
  await link.call(requester, publish, { parts: [{ kind: "pin", object: notice.jws }] });
}
