import type { Jws } from "../../envelope/signed.ts";
import { countersignature } from "../../profiles/countersignature.ts";
import { masterProfile } from "../../profiles/master.ts";
import type { Suspended } from "../../profiles/suspension.ts";
import type { RequestOf, ResponseOf } from "../../protocol/command.ts";
import type { Part } from "../../protocol/parts.ts";
import type { get, publish } from "../../protocol/profiles.ts";
import { demand } from "../../refusals/mesh-error.ts";
import type { Reading, Writing } from "../../store/store.ts";
import { applyParts } from "../batch.ts";
import { type Context, demandRoom, memberOf, type Plan } from "../context.ts";
import type { Logged } from "../logged.ts";
import { type AccountRecord, getObject, type MasterRow, parseRow, putRow, row, shelf } from "../records.ts";
import type { View } from "../view.ts";
import { accountOf, checkRevision, viewAfter } from "./accounts.ts";

/** Publish: a batch, all or none. */
export async function decidePublish(context: Context, request: RequestOf<typeof publish>): Promise<Plan<ResponseOf<typeof publish>>> {
  return { ...(await planParts(context, memberOf(context).view, request.parts)), response: { arrived: context.now } };
}

/** Judges a batch against a mesh and plans its writes; shared by every command that carries parts. */
export async function planParts(context: Context, view: View, parts: readonly Part[]): Promise<{ readonly write?: (writing: Writing) => Promise<void>; readonly logged?: Logged; readonly changed?: View; readonly suspended: Suspended }> {
  const applied = await applyParts({ id: view.id, view, whole: () => context.whole(view), read: context.read }, parts, context.now);
  const { logged, suspended } = applied;
  if (applied.effects.length === 0) return { suspended };
  const changed = viewAfter(view.record, applied);
  const { record } = changed;
  demandRoom(context, record);
  return {
    changed,
    // The log was told all of a mesh that is here, or it was brought back with all that the log had of it.
    logged: { ...logged, follows: true },
    suspended,
    write: async (w) => {
      await checkRevision(w, view);
      for (const effect of applied.effects) await effect(w);
      await putRow(w, shelf.meshes, view.id, record);
    },
  };
}

/** A version of the Master Profile, with the countersignature that came with it. */
export async function shownMaster(reading: Reading, { digest, countersignature: consent }: MasterRow): Promise<{ readonly object: Jws; readonly countersignature?: Jws }> {
  const { jws: object } = await getObject(reading, digest, masterProfile);
  return { object, ...(consent === undefined ? {} : { countersignature: (await getObject(reading, consent, countersignature)).jws }) };
}

/** Get: what is public of an account. */
export async function decideGet(context: Context, request: RequestOf<typeof get>): Promise<Plan<ResponseOf<typeof get>>> {
  const record = await context.read((r) => row<AccountRecord>(r, shelf.accounts, request.address));
  const view = record === undefined ? undefined : await context.view(record.master);
  demand(view?.record.address === request.address, "account-unknown", `There is no account ${request.address} here.`);
  const masters = await context.read(async (r) => Promise.all((await r.list(shelf.masters, `${view.id}/`)).map(({ value }) => shownMaster(r, parseRow<MasterRow>(value)))));
  return { response: { account: (await accountOf(context, view)).jws, masters } };
}
