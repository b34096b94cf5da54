import { digestOf, readSigned } from "../../envelope/signed.ts";
import type { Recording } from "../../notary/keeping/record.ts";
import { type Account, account as accountType } from "../../profiles/account.ts";
import { countersignature } from "../../profiles/countersignature.ts";
import { type MasterProfile, masterProfile } from "../../profiles/master.ts";
import { emptyMesh, type Mesh, suspendedIn, withMaster } from "../../profiles/mesh.ts";
import { rosterOf } from "../../profiles/roster.ts";
import type { Correct } from "../../profiles/stages.ts";
import { correctAccount } from "../../profiles/validity.ts";
import { CONTEST_MS, type MasterId } from "../../profiles/types.ts";
import type { createAccount, deleteAccount, validateAccount } from "../../protocol/accounts.ts";
import type { RequestOf, ResponseOf } from "../../protocol/command.ts";
import { demand } from "../../refusals/mesh-error.ts";
import type { Reading, Writing } from "../../store/store.ts";
import { utf8 } from "../../bytes/text.ts";
import { type Applied, applyParts } from "../batch.ts";
import { type Context, demandRoom, memberOf, type Plan, suspendedNow } from "../context.ts";
import { RESERVED_MS, RESERVED_NAMES } from "../limits.ts";
import { checkBrought, sealedOf } from "../logged.ts";
import type { Digest } from "../../envelope/fields.ts";
import { type AccountRecord, getObject, type MeshRecord, putObject, putRow, row, shelf } from "../records.ts";
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
  if (existing?.record.account === signed.digest) return { response: { arrived: now } };
  demand(existing === undefined, "account-name-taken", "This mesh already has an account here.");
  // A mesh that gave its account up and comes back goes on where it was: its profiles have an order that nothing resets.
  const former = await context.keptView(id);
  const invitation = request.invitation === undefined ? undefined : digestOf(utf8(request.invitation));
  const open = context.policy.creation === "open" || context.local;
  await context.read(async (r) => checkFree(r, address, id, invitation, open, now));
  const first = await lastMaster(id, request.parts);
  demand(first !== undefined, "profile-malformed", "An account is created together with its Master Profile.");
  const whole = former === undefined ? undefined : await context.whole(former);
  const account = await correctAccount(signed, rosterOf(first), whole?.account, whole === undefined ? undefined : suspendedIn(whole, now));
  const before: MeshRecord = { ...(former === undefined ? { revision: 0, master: 0, g: 0, n: 0, suspensions: 0, octets: 0 } : reopened(former.record)), account: account.digest, address };
  const applied = await applyParts({ id, view: former, whole: async () => whole ?? emptyMesh(id), read: context.read }, request.parts, now);
  const changed = viewAfter(before, applied);
  demandRoom(context, changed.record);
  return {
    response: { arrived: now },
    changed,
    logged: { ...applied.logged, recordings: [accountIn(account), ...applied.logged.recordings] },
    write: async (w) => {
      await checkFree(w, address, id, invitation, open, now);
      if (former === undefined) {
        demand((await row(w, shelf.meshes, id)) === undefined, "account-changed", "This mesh was created meanwhile.");
        await checkBrought(w, id, applied.logged.recordings);
      } else await checkRevision(w, former);
      if (!open && invitation !== undefined) await w.remove(shelf.invitations, invitation);
      await putObject(w, account);
      await forgetAccount(w, former?.record.account, account);
      await putRow(w, shelf.accounts, address, { master: id });
      for (const effect of applied.effects) await effect(w);
      await putRow(w, shelf.meshes, id, changed.record);
    },
  };
}

/** DeleteAccount: takes effect after 72 h, so that a thief cannot make it stick; until then a further version that is open takes it back (decision 4.6). */
export async function decideDeleteAccount(context: Context, request: RequestOf<typeof deleteAccount>): Promise<Plan<ResponseOf<typeof deleteAccount>>> {
  const { view } = memberOf(context);
  const signed = readSigned(request.account, accountType);
  const { address, portal, status } = signed.payload;
  if (view.record.account === signed.digest) return { response: view.record.closes === undefined ? {} : { effective: view.record.closes } };
  demand(address === view.record.address && portal === context.identity.profile.payload.id, "profile-wrong-id", "This is no version of this account.");
  const account = await correctAccount(signed, view.roster, await accountOf(context, view), await suspendedNow(context, view));
  const ending = status === "open" ? {} : { closes: view.record.closes ?? context.now + CONTEST_MS };
  const record: MeshRecord = { ...reopened(view.record), account: account.digest, ...ending, revision: view.record.revision + 1 };
  return {
    response: ending.closes === undefined ? {} : { effective: ending.closes },
    changed: { ...view, record },
    logged: { recordings: [accountIn(account)] },
    write: async (w) => {
      await checkRevision(w, view);
      await putObject(w, account);
      await forgetAccount(w, view.record.account, account);
      await putRow(w, shelf.meshes, view.id, record);
      await putRow(w, shelf.accounts, address, { master: view.id, ...ending } satisfies AccountRecord);
    },
  };
}

/** What the log says of an account: to its members, and a commitment to all others. */
export function accountIn({ digest, payload: { address, master } }: Correct<Account>): Recording {
  return sealedOf(master, "account", { account: digest, address, master });
}

/** An account object says whose it is, so no other mesh can name one that was replaced. */
async function forgetAccount(w: Writing, before: Digest | undefined, account: Correct<Account>): Promise<void> {
  if (before !== undefined && before !== account.digest) await w.remove(shelf.objects, before);
}

/** The row of a mesh whose account was not, or is no longer, given up. */
function reopened({ closes: _, ...record }: MeshRecord): MeshRecord {
  return record;
}

/** The account object that counts now. */
export async function accountOf(context: Context, view: View): Promise<Correct<Account>> {
  return context.read(async (r) => (await getObject(r, view.record.account, accountType)) as Correct<Account>);
}

/** Where a mesh stands after a batch, given the row that it had before. */
export function viewAfter(before: MeshRecord, { id, roster, personal, suspensions, octets }: Applied): View {
  const { g, n } = personal.profile.payload;
  return { id, roster, personal, record: { ...before, g, master: roster.version, n, octets: before.octets + octets, revision: before.revision + 1, suspensions } };
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
  if (record.closes === undefined || now < record.closes) return { code: "account-name-taken", because: `${address} is taken.` } as const;
  if (now >= record.closes + RESERVED_MS || record.master === master) return undefined;
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

/** The last of the Master Profiles that a batch brings, each Correct after the one before. */
async function lastMaster(id: MasterId, parts: RequestOf<typeof createAccount>["parts"]): Promise<Correct<MasterProfile> | undefined> {
  let mesh: Mesh = emptyMesh(id);
  for (const part of parts) {
    if (part.kind !== "master") continue;
    mesh = await withMaster(mesh, readSigned(part.object, masterProfile), part.countersignature === undefined ? undefined : readSigned(part.countersignature, countersignature));
  }
  return mesh.masters.at(-1);
}
