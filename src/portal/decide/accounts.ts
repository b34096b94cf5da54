import { digestOf, readSigned } from "../../envelope/signed.ts";
import { account as accountType } from "../../profiles/account.ts";
import { type MasterProfile, masterProfile } from "../../profiles/master.ts";
import { emptyMesh, suspendedIn } from "../../profiles/mesh.ts";
import type { Correct } from "../../profiles/stages.ts";
import { correctAccount, correctMaster, verifyMaster } from "../../profiles/validity.ts";
import { CONTEST_MS } from "../../profiles/types.ts";
import type { createAccount, deleteAccount, validateAccount } from "../../protocol/accounts.ts";
import type { RequestOf, ResponseOf } from "../../protocol/command.ts";
import { demand } from "../../refusals/mesh-error.ts";
import type { Reading, Writing } from "../../store/store.ts";
import { utf8 } from "../../bytes/text.ts";
import { applyParts } from "../batch.ts";
import { type Context, memberOf, type Plan } from "../context.ts";
import { RESERVED_MS, RESERVED_NAMES } from "../limits.ts";
import { type AccountRecord, type MeshRecord, putObject, putRow, row, shelf } from "../records.ts";
import type { View } from "../view.ts";

/** ValidateAccount: says why a name cannot be had, in words for people. */
export async function decideValidateAccount(context: Context, request: RequestOf<typeof validateAccount>): Promise<Plan<ResponseOf<typeof validateAccount>>> {
  const address = request.address.toLowerCase();
  const reason = nameProblem(address, context) ?? (await context.read((r) => takenBy(r, address, undefined, context.now)));
  return { response: reason === undefined ? { valid: true } : { valid: false, reason: reason.because } };
}

/** CreateAccount: binds a free name to a mesh that its own signed parts bring into being (decision 8.3). */
export async function decideCreateAccount(context: Context, request: RequestOf<typeof createAccount>): Promise<Plan<ResponseOf<typeof createAccount>>> {
  const { now } = context;
  const signed = readSigned(request.account, accountType);
  const { address, master: id } = signed.payload;
  const problem = nameProblem(address, context);
  demand(problem === undefined, problem?.code ?? "account-name-malformed", problem?.because ?? "");
  demand(signed.payload.portal === context.identity.profile.payload.id && signed.payload.status === "open", "account-wrong-portal", "This account object is for another portal.");
  const existing = await context.view(id);
  if (existing?.account.digest === signed.digest) return { response: { arrived: now } };
  demand(existing === undefined, "account-name-taken", "This mesh already has an account here.");
  const invitation = request.invitation === undefined ? undefined : digestOf(utf8(request.invitation));
  const open = context.policy.creation === "open" || context.local;
  await context.read(async (r) => checkFree(r, address, id, invitation, open, now));
  const masters = await firstMasters(request.parts);
  const first = masters.at(-1);
  demand(first !== undefined, "profile-malformed", "An account is created together with its Master Profile.");
  const account = await correctAccount(signed, first, undefined);
  const record: MeshRecord = { revision: 0, address, account: account.digest, master: 0, g: 0, n: 0, suspensions: 0, octets: 0 };
  const empty: View = { ...emptyMesh(id), record, account, applications: new Map(), chains: new Map() };
  const applied = await applyParts(empty, request.parts, now);
  const changed = { ...applied.view, record: recordOf(applied.view, applied.octets) };
  return {
    response: { arrived: now },
    changed,
    write: async (w) => {
      await checkFree(w, address, id, invitation, open, now);
      if (!open && invitation !== undefined) await w.remove(shelf.invitations, invitation);
      await putObject(w, account);
      await putRow(w, shelf.accounts, address, { master: id });
      for (const effect of applied.effects) await effect(w);
      await putRow(w, shelf.meshes, id, changed.record);
    },
  };
}

/** DeleteAccount: takes effect after 72 h, so that a thief cannot make it stick (decision 4.6). */
export async function decideDeleteAccount(context: Context, request: RequestOf<typeof deleteAccount>): Promise<Plan<ResponseOf<typeof deleteAccount>>> {
  const { view } = memberOf(context);
  const master = view.masters.at(-1);
  const signed = readSigned(request.account, accountType);
  if (view.account.digest === signed.digest && view.record.closes !== undefined) return { response: { effective: view.record.closes } };
  demand(master !== undefined && signed.payload.status === "closed" && signed.payload.address === view.record.address, "profile-wrong-id", "This is no closed version of this account.");
  const account = await correctAccount(signed, master, view.account, suspendedIn(view, context.now));
  const closes = context.now + CONTEST_MS;
  const record: MeshRecord = { ...view.record, account: account.digest, closes, revision: view.record.revision + 1 };
  return {
    response: { effective: closes },
    changed: { ...view, account, record },
    write: async (w) => {
      await checkRevision(w, view);
      await putObject(w, account);
      await putRow(w, shelf.meshes, view.id, record);
      await putRow(w, shelf.accounts, view.record.address, { master: view.id, reserved: closes + RESERVED_MS });
    },
  };
}

/** The row that goes with a view after a batch. */
export function recordOf(view: View, octets: number): MeshRecord {
  const last = view.history.at(-1)?.profile.payload;
  return { ...view.record, g: last?.g ?? 0, master: view.masters.length, n: last?.n ?? 0, octets: view.record.octets + octets, revision: view.record.revision + 1, suspensions: view.suspensions.length };
}

/** Compare-and-set: a batch was judged against one revision of its mesh and holds for that one only. */
export async function checkRevision(reading: Reading, view: View): Promise<void> {
  const record = await row<MeshRecord>(reading, shelf.meshes, view.id);
  demand(record?.revision === view.record.revision, "account-changed", "This mesh was changed meanwhile.");
}

async function checkFree(reading: Reading | Writing, address: string, master: string, invitation: string | undefined, open: boolean, now: number): Promise<void> {
  const taken = await takenBy(reading, address, master, now);
  demand(taken === undefined, taken?.code ?? "account-name-taken", taken?.because ?? "");
  const invited = invitation !== undefined && (await reading.get(shelf.invitations, invitation)) !== undefined;
  demand(open || invited, "account-not-invited", "This portal gives accounts by invitation only.");
}

async function takenBy(reading: Reading, address: string, master: string | undefined, now: number) {
  const record = await row<AccountRecord>(reading, shelf.accounts, address);
  if (record === undefined) return undefined;
  if (record.reserved === undefined) return { code: "account-name-taken", because: `${address} is taken.` } as const;
  if (now >= record.reserved || (record.master === master && now >= record.reserved - RESERVED_MS)) return undefined;
  return { code: "account-name-reserved", because: `${address} was given up and is still reserved for its owner.` } as const;
}

function nameProblem(address: string, context: Context) {
  const [user = "", domain = ""] = splitAtLast(address);
  const here = context.identity.profile.payload.domains;
  if (!/^[a-z0-9._-]{1,64}$/.test(user)) return { code: "account-name-malformed", because: "A name has 1 to 64 of the characters a-z 0-9 . _ - before the @." } as const;
  if (!here.includes(domain)) return { code: "account-wrong-portal", because: `This portal serves ${here.join(", ")}.` } as const;
  if (RESERVED_NAMES.has(user)) return { code: "account-name-reserved", because: `${user} is a name that nobody gets.` } as const;
  return undefined;
}

function splitAtLast(address: string): [string, string] {
  const at = address.lastIndexOf("@");
  return [address.slice(0, Math.max(0, at)), address.slice(at + 1)];
}

async function firstMasters(parts: RequestOf<typeof createAccount>["parts"]) {
  const masters: Correct<MasterProfile>[] = [];
  for (const part of parts) if (part.kind === "master") masters.push(correctMaster(await verifyMaster(readSigned(part.object, masterProfile)), masters.at(-1)));
  return masters;
}
