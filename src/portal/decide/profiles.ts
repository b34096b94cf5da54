import { latest } from "../../profiles/history.ts";
import { masterOf, personalOf } from "../../profiles/mesh.ts";
import { isAfter } from "../../profiles/version.ts";
import type { RequestOf, ResponseOf } from "../../protocol/command.ts";
import type { Part } from "../../protocol/parts.ts";
import type { get, getProfiles, publish, status } from "../../protocol/profiles.ts";
import { demand } from "../../refusals/mesh-error.ts";
import type { Writing } from "../../store/store.ts";
import { applyParts } from "../batch.ts";
import { type Context, demandRoom, memberOf, type Plan } from "../context.ts";
import { ANSWER_OCTETS } from "../limits.ts";
import { type AccountRecord, ordinal, putRow, row, shelf } from "../records.ts";
import { unansweredOf } from "../requests.ts";
import { countersignatureOf, type View } from "../view.ts";
import { checkRevision, recordOf } from "./accounts.ts";

/** Publish: a batch, all or none. */
export async function decidePublish(context: Context, request: RequestOf<typeof publish>): Promise<Plan<ResponseOf<typeof publish>>> {
  return { ...(await planParts(context, memberOf(context).view, request.parts)), response: { arrived: context.now } };
}

/** Judges a batch against a mesh and plans its writes; shared by every command that carries parts. */
export async function planParts(context: Context, view: View, parts: readonly Part[]): Promise<{ readonly write?: (writing: Writing) => Promise<void>; readonly changed?: View }> {
  const applied = await applyParts(view, parts, context.now);
  if (applied.effects.length === 0) return {};
  const record = recordOf(applied.view, applied.octets);
  demandRoom(context, record);
  return {
    changed: { ...applied.view, record },
    write: async (w) => {
      await checkRevision(w, view);
      for (const effect of applied.effects) await effect(w);
      await putRow(w, shelf.meshes, view.id, record);
    },
  };
}

/** Get: what is public of an account. */
export async function decideGet(context: Context, request: RequestOf<typeof get>): Promise<Plan<ResponseOf<typeof get>>> {
  const record = await context.read((r) => row<AccountRecord>(r, shelf.accounts, request.address));
  const view = record === undefined ? undefined : await context.view(record.master);
  demand(view?.record.address === request.address, "account-unknown", `There is no account ${request.address} here.`);
  return { response: { account: view.account.jws, masters: view.masters.map((master) => master.jws) } };
}

/** Status: heads and versions, all in one small answer. */
export async function decideStatus(context: Context, _request: RequestOf<typeof status>): Promise<Plan<ResponseOf<typeof status>>> {
  const { view, device, role } = memberOf(context);
  const [master, personal] = [masterOf(view), personalOf(view)];
  const readable = personal.payload.applications.filter((application) => application.readers.includes(device));
  const heads = readable.flatMap(({ id }) => {
    const chain = view.chains.get(id);
    return chain === undefined ? [] : [{ catalog: id, digest: chain.digest, index: chain.index }];
  });
  const applications = readable.flatMap(({ id }) => {
    const profile = view.applications.get(id);
    return profile === undefined ? [] : [{ id, version: profile.payload.version }];
  });
  const pending = role === "admin" ? (await context.read((r) => unansweredOf(r, view.id, context.now))).length : 0;
  return { response: { applications, heads, master: { digest: master.digest, version: master.payload.version }, now: context.now, pending, personal: { digest: personal.digest, g: personal.payload.g, n: personal.payload.n }, suspensions: view.suspensions.length } };
}

/** GetProfiles: what the asker does not have yet, oldest first, within the size of one answer. */
export async function decideGetProfiles(context: Context, request: RequestOf<typeof getProfiles>): Promise<Plan<ResponseOf<typeof getProfiles>>> {
  const { view, device } = memberOf(context);
  let room = ANSWER_OCTETS;
  let more = false;
  const fitting = <T>(items: readonly T[], octets: (item: T) => number): T[] =>
    items.filter((item) => {
      room -= octets(item);
      more ||= room < 0;
      return room >= 0;
    });
  const size = (object: { jws: { payload: string; signature: string } }): number => object.jws.payload.length + object.jws.signature.length + 200;
  const masters = fitting(view.masters.slice(request.mastersAfter), size);
  const suspensions = fitting(view.suspensions.slice(request.suspensionsAfter), (one) => size(one.object));
  const personals = fitting(view.history.filter((one) => isAfter(one.profile.payload, request.personalsAfter)), (one) => size(one.profile));
  // The devices that these versions list first go along: whoever reads the versions needs them at once.
  const before = view.history.filter((one) => !isAfter(one.profile.payload, request.personalsAfter));
  const known = new Set<string>(before.flatMap((one) => one.profile.payload.devices.map((device) => device.id)));
  const fresh = new Set([...personals.flatMap((one) => one.profile.payload.devices.map((device) => device.id)).filter((id) => !known.has(id)), ...request.devices]);
  const devices = [...fresh].flatMap((id) => view.devices.get(id) ?? []);
  const readable = new Set<string>(latest(view.history)?.payload.applications.filter((one) => one.readers.includes(device)).map((one) => one.id) ?? []);
  const applications = fitting(request.applications.filter((id) => readable.has(id)).flatMap((id) => view.applications.get(id) ?? []), size);
  const withConsent = await context.read((r) =>
    Promise.all(
      masters.map(async (master) => {
        const consent = await countersignatureOf(r, view.id, ordinal(master.payload.version));
        return { object: master.jws, ...(consent === undefined ? {} : { countersignature: consent.jws }) };
      }),
    ),
  );
  return {
    response: {
      applications: applications.map((one) => one.jws),
      devices: devices.map((one) => one.jws),
      masters: withConsent,
      more,
      personals: personals.map((one) => ({ arrived: one.arrived, object: one.profile.jws })),
      suspensions: suspensions.map((one) => ({ arrived: one.arrived, object: one.object.jws })),
    },
  };
}
