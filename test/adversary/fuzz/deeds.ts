import assert from "node:assert/strict";

import { addAttachment, removeAttachment } from "../../../src/applications/passwords/attach.ts";
import { attachmentsOf } from "../../../src/applications/passwords/attachment.ts";
import { planPurge } from "../../../src/applications/passwords/purge.ts";
import { utf8 } from "../../../src/bytes/text.ts";
import { type Entry, isRemoved, writes } from "../../../src/catalogs/merge.ts";
import { keepOctets, octetsOf } from "../../../src/cli/attachment.ts";
import { editEntries, readEntries } from "../../../src/client/catalog.ts";
import { type Client, selfOf } from "../../../src/client/client.ts";
import { renameDevice } from "../../../src/client/devices.ts";
import { loadCatalog, loadMesh } from "../../../src/client/known.ts";
import { acceptConnection, rejectConnection } from "../../../src/client/operations/accept.ts";
import { createMesh } from "../../../src/client/operations/create.ts";
import { disableDevice, leaveMesh } from "../../../src/client/operations/disable.ts";
import { confirmJoin, joinMesh } from "../../../src/client/operations/join.ts";
import { GROWN_OCTETS } from "../../../src/client/snapshot-rows.ts";
import { unsuspendDevice } from "../../../src/client/operations/unsuspend.ts";
import { sync } from "../../../src/client/sync.ts";
import { personalOf } from "../../../src/profiles/mesh.ts";
import { address, agreed } from "../household.ts";
import type { Scene } from "./scene.ts";
import { edit, type Edit, inOrder, syncAsCommand, type Written } from "./steps.ts";

/** One thing that somebody does. */
export type Deed =
  | ((Edit | { readonly do: "attach" | "detach" | "purge"; readonly nth: number }) & { readonly who: string; /** whether it is sent at once, as the commands do where there is a network */ readonly sent: boolean })
  | { readonly do: "read files" | "sync" | "leave" | "join" | "type words" | "reject all" | "write a snapshot" | "let the past go" | "create"; readonly who: string }
  | { readonly do: "accept" | "disable" | "unsuspend" | "rename"; readonly who: string; readonly whom: string };

/** What is told of edits for the end: what was written, and what was purged where its author saw it. */
export type Told = { readonly written: Written[]; readonly purged: Written[] };

/** Does it, as the command would; `index` makes its values unlike all others. */
export async function carryOut(scene: Scene, index: string, step: Deed, told: Told): Promise<void> {
  await act(scene, index, step, told);
  if ("sent" in step && step.sent) await sync(scene.device(step.who).client);
}

async function act(scene: Scene, index: string, step: Deed, told: Told): Promise<unknown> {
  const { who } = step;
  const { client } = scene.device(who);
  const { prepared } = scene;
  const at = { url: scene.truth.portal.url, pin: scene.truth.portal.pin };
  switch (step.do) {
    case "add":
    case "edit":
    case "remove":
      return told.written.push(...(await edit(client, who, step, `secret-of-${who}-${index}`)));
    case "attach":
      return told.written.push(...(await attach(client, who, step.nth, `file-of-${who}-${index}`)));
    case "detach":
      return told.written.push(...(await detach(client, who, step.nth)));
    case "purge":
      return told.purged.push(...(await purge(client, who, step.nth)));
    case "read files":
      return readFiles(client);
    case "sync":
      return syncAsCommand(client);
    case "write a snapshot":
      return writeSnapshot(client);
    case "let the past go":
      return letThePastGo(scene, client, who, `secret-of-${who}-${index}`, told);
    case "create":
      return found(scene, who, address);
    case "leave":
      return leaveMesh(client);
    case "join": {
      const { pinCode } = prepared.guests[who] ?? {};
      const { words } = await joinMesh(client, { address, portal: at, deviceName: who, ...(pinCode === undefined ? {} : { pinCode }) });
      return scene.words.set(who, { request: words });
    }
    case "type words": {
      const { answer } = scene.words.get(who) ?? {};
      // Whoever was not accepted yet has nothing to type.
      return answer === undefined ? undefined : confirmJoin(client, answer.split(" "));
    }
    case "reject all":
      return rejectConnection(client, "--all");
    case "accept": {
      const request = scene.words.get(step.whom)?.request ?? prepared.guests[step.whom]?.words ?? "";
      const { answer } = await acceptConnection(client, request, "member");
      return scene.words.set(step.whom, { request, answer });
    }
    case "disable":
      return disableDevice(client, prepared.ids[step.whom] ?? "", agreed);
    case "unsuspend":
      return unsuspendDevice(client, prepared.ids[step.whom] ?? "");
    case "rename":
      return renameDevice(client, prepared.ids[step.whom] ?? "", `${step.whom} ${index}`);
  }
}

/** Makes a mesh, or goes on making it. */
export async function found(scene: Scene, who: string, name: string): Promise<void> {
  const { client, master } = scene.device(who);
  const { url, pin } = scene.truth.portal;
  await createMesh(client, master, { address: name, portal: { url, pin }, deviceName: who }).finally(() => scene.found(who));
}

/** What is in a file of this name. */
function contentOf(name: string): Uint8Array {
  return utf8(`what is in ${name}`);
}

async function attach(client: Client, who: string, nth: number, name: string): Promise<readonly Written[]> {
  if (inOrder(await readEntries(client, "passwords"))[nth] === undefined) return [];
  const octets = contentOf(name);
  const kept = await keepOctets(client, octets.length, (into) => into.set(octets));
  const written: Written[] = [];
  await editEntries(client, "passwords", (entries) => {
    const entry = inOrder(entries)[nth];
    if (entry === undefined) return [];
    const made = addAttachment(entry, { ...kept, name, type: undefined });
    written.splice(0, Infinity, ...Object.entries(made.fields).map(([field, [, value]]) => ({ who, entry: entry.id, field, value })));
    return [made];
  });
  return written;
}

async function detach(client: Client, who: string, nth: number): Promise<readonly Written[]> {
  const written: Written[] = [];
  await editEntries(client, "passwords", (entries) => {
    const entry = inOrder(entries)[nth];
    const [attachment] = entry === undefined ? [] : attachmentsOf(entry);
    if (entry === undefined || attachment === undefined) return [];
    written.splice(0, Infinity, { who, entry: entry.id, field: attachment.field, value: null });
    return [removeAttachment(entry, attachment)];
  });
  return written;
}

async function purge(client: Client, who: string, nth: number): Promise<readonly Written[]> {
  let before: Entry | undefined;
  await editEntries(client, "passwords", (entries) => {
    before = inOrder(entries)[nth];
    return before === undefined ? [] : planPurge(before).changes;
  });
  const after = (await readEntries(client, "passwords")).find((one) => one.id === before?.id);
  return Object.keys(before?.fields ?? {}).flatMap((field) => {
    const left = after === undefined ? [] : writes(after, field).map((one) => JSON.stringify(one.value));
    return writes(before as Entry, field).filter((one) => !left.includes(JSON.stringify(one.value))).map(({ value }) => ({ who, entry: before?.id ?? "", field, value }));
  });
}

/** Reads all that is attached to logins: what comes is what was attached. */
export async function readFiles(client: Client): Promise<void> {
  for (const entry of inOrder(await readEntries(client, "passwords")).filter((one) => !isRemoved(one)))
    for (const attachment of attachmentsOf(entry)) {
      const octets: Uint8Array[] = [];
      for await (const chunk of octetsOf(client, entry.id, attachment)) octets.push(Uint8Array.from(chunk));
      assert.deepEqual(Buffer.concat(octets), Buffer.from(contentOf(attachment.name)), "another file was read than was attached");
    }
}

/** Lets as long go by, and does in it, as a portal needs before it forgets commits: those before the first of two snapshots. */
async function letThePastGo(scene: Scene, client: Client, who: string, value: string, told: Told): Promise<void> {
  await writeSnapshot(client);
  await scene.wait(91 * 24);
  told.written.push(...(await edit(client, who, { do: "add" }, value)));
  await writeSnapshot(client);
  await scene.wait(80);
}

/** Writes the state of all catalogs down for devices that join, as a device does that administers them and whose chains have grown. */
export async function writeSnapshot(client: Client): Promise<void> {
  const { master } = await selfOf(client);
  await client.rows.transact(async (rows) => {
    for (const { id } of personalOf(await loadMesh(rows, master)).payload.applications) {
      const row = await loadCatalog(rows, id);
      if (row !== undefined) await rows.put("catalogs", id, "", { ...row, grown: GROWN_OCTETS });
    }
  });
  await sync(client);
}
