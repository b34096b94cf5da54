import { canonicalJson, type Json } from "../../../src/bytes/canonical-json.ts";
import { toBase64url } from "../../../src/bytes/base64url.ts";
import { wrapSubject } from "../../../src/catalogs/commits.ts";
import { examine } from "../../../src/client/examine/examine.ts";
import { type KindName, kinds, type Read } from "../../../src/client/examine/kinds.ts";
import { type Sealed, seal } from "../../../src/envelope/sealed.ts";
import { type ObjectType, readSigned, signObject, type Signed } from "../../../src/envelope/signed.ts";
import { admissions, type History } from "../../../src/profiles/history.ts";
import { encapsulationJwk, signatureJwk } from "../../../src/profiles/keys.ts";
import type { MasterProfile } from "../../../src/profiles/master.ts";
import type { PersonalProfile } from "../../../src/profiles/personal.ts";
import { rosterOf } from "../../../src/profiles/roster.ts";
import type { Correct } from "../../../src/profiles/stages.ts";
import { suspendedAt, type Suspension, type SuspensionEvent } from "../../../src/profiles/suspension.ts";
import { correctMaster, correctPersonal } from "../../../src/profiles/validity.ts";
import { MeshError } from "../../../src/refusals/mesh-error.ts";
import { udfOfKey } from "../../../src/udf/udf.ts";
import { KEYS, openingKey, signerOf, signingKey } from "../material.ts";
import { hold, json, octets, type Target } from "../target.ts";

/**
 * What stands behind signatures: an input is a list of objects, each with the number of the key that truly signs it.
 *
 * Texts in a payload stand for what is too long to hit by chance: `$sig:3`, `$enc:3` and `$id:3` for key 3 and its identifier,
 * `$digest:0` and `$jws:0` for an object further up in the list, `$wraps:0,1` for an epoch's key sealed to keys 0 and 1.
 */
type Made = { readonly kind: string; readonly by: number; readonly payload: Json };

const [MASTER, RECOVERY, DEVICE, ADMINISTRATION, OTHER, SECOND, PORTAL, CATALOG] = [0, 1, 2, 3, 4, 5, 6, 7];
const both = [`$id:${DEVICE}`, `$id:${OTHER}`];
const listed = [{ digest: "$digest:1", id: `$id:${DEVICE}`, role: "admin", status: "active" }, { digest: "$digest:2", id: `$id:${OTHER}`, role: "member", status: "active" }];
const device = (sig: number, enc: number): Made => ({ kind: "Device Profile", by: sig, payload: { authenticationKey: `$enc:${enc}`, baseKeys: [], encryptionKey: `$enc:${enc + 1}`, id: `$id:${sig}`, signatureKey: `$sig:${sig}`, v: 1, version: 1 } });
const master: Made = { kind: "Master Profile", by: MASTER, payload: { administrationKeys: [{ device: `$id:${DEVICE}`, encryptionKey: "$enc:0", signatureKey: `$sig:${ADMINISTRATION}` }], escrowKeys: [], id: `$id:${MASTER}`, recoveryKey: `$sig:${RECOVERY}`, signatureKey: `$sig:${MASTER}`, v: 1, version: 1 } };
const personal: Made = { kind: "Personal Profile", by: ADMINISTRATION, payload: { applications: [{ administrators: [`$id:${DEVICE}`], editors: both, id: `$id:${CATALOG}`, readers: both }], devices: listed, g: 1, heads: [], home: `$id:${PORTAL}`, id: `$id:${MASTER}`, master: "$digest:0", n: 1, suspensions: [], v: 1 } };
const begun = [master, device(DEVICE, 1), device(OTHER, 3), personal];
const suspension: Made = { kind: "suspension", by: ADMINISTRATION, payload: { action: "suspend", g: 1, heads: [], master: `$id:${MASTER}`, n: 1, target: `$id:${OTHER}`, v: 1 } };
const next = (more: { readonly [member: string]: Json }): Made => ({ ...personal, payload: { ...(personal.payload as object), n: 2, previous: "$digest:3", ...more } });
const place = { catalog: `$id:${CATALOG}`, epoch: 1, g: 1, n: 1, v: 1 };
const epoch: Made = { kind: "commit", by: DEVICE, payload: { ...place, commitment: "$digest:0", excluded: [], index: 1, kind: "epoch", wraps: "$wraps:2,4" } };
const entries: Made = { kind: "commit", by: OTHER, payload: { ...place, digest: "$digest:0", index: 2, kind: "entries", previous: "$digest:4", salt: toBase64url(new Uint8Array(32)), size: 528 } };

const stories: readonly (readonly Made[])[] = [
  begun,
  [...begun, next({})],
  [...begun, next({ devices: [listed[0] as Json, { ...(listed[1] as object), status: "disabled" }], applications: [] })],
  [...begun, suspension, next({ suspensions: ["$digest:4"] })],
  [...begun, suspension, { ...suspension, by: RECOVERY, payload: { ...(suspension.payload as object), action: "lift", subject: "$digest:4" } }, next({ suspensions: ["$digest:4", "$digest:5"] })],
  [...begun, { ...master, payload: { ...(master.payload as object), previous: "$digest:0", version: 2, recoveryKey: `$sig:${SECOND}` } }, { kind: "countersignature", by: RECOVERY, payload: { digest: "$digest:4", purpose: "recovery-key", v: 1 } }],
  [...begun, epoch, entries],
  [...begun, epoch, { kind: "snapshot", by: DEVICE, payload: { catalog: `$id:${CATALOG}`, digest: "$digest:4", epoch: 1, epochAt: { commitment: "$digest:0" }, epochVersion: { g: 1, n: 1 }, g: 1, holders: both, index: 1, n: 1, root: { digest: "$digest:0", salt: toBase64url(new Uint8Array(32)), size: 528 }, v: 1, version: { g: 1, n: 1 } } }],
  [...begun, { kind: "account", by: ADMINISTRATION, payload: { address: "alice@example.com", master: `$id:${MASTER}`, portal: `$id:${PORTAL}`, status: "open", v: 1, version: 1 } }],
  [...begun, { kind: "PIN notice", by: ADMINISTRATION, payload: { expires: 1, master: `$id:${MASTER}`, pin: "ABCDE", status: "open", v: 1 } }],
];

const words = [..."01234567"].flatMap((number) => [`$sig:${number}`, `$enc:${number}`, `$id:${number}`, `$digest:${number}`, `$jws:${number}`, `$wraps:${number}`]).concat(Object.keys(kinds), ["g", "n", "v", "version", "previous", "suspensions", "heads", "index", "devices", "disabled", "member", "admin", "confirm", "lift", "subject", "excluded", "previousEpoch", "previousKey", "grant", "epoch", "entries", "predecessor"]);
const seeds = (): readonly Uint8Array[] => stories.map((story) => octets(JSON.stringify(story)));
const files = ["profiles/", "catalogs/chain.ts", "catalogs/snapshot.ts", "client/examine/"];

/** All of a story truly signed, judged as `mesh profile show` judges what it is given: by the functions of portal and client. */
export const meshSigned: Target = {
  name: "mesh-signed",
  files,
  seeds,
  words,
  most: 6000,
  refusals: "any",
  run: async (input) => {
    const objects = await made(input, async (payload, type, by) => signed(payload, type, by));
    const last = objects.at(-1);
    if (last === undefined) return;
    const found = await examine(last, objects);
    hold(found.signature === "true" || found.stage === "signed", "what is verified has a true signature");
    hold(found.stage !== "correct" || (found.refusal === undefined && found.lacks.length === 0), "what is correct lacks nothing");
  },
};

/** The rules of profiles alone, whose signatures nobody looked at: a hundred times as quick. */
export const meshRules: Target = {
  name: "mesh-rules",
  files: ["profiles/"],
  seeds,
  words,
  most: 6000,
  refusals: "any",
  run: async (input) => {
    const objects = await made(input, async (payload, type, by) => unsigned(payload, type, by));
    const masters: Correct<MasterProfile>[] = [];
    const history: { readonly profile: Correct<PersonalProfile>; readonly arrived: number }[] = [];
    const events: SuspensionEvent[] = [];
    for (const one of objects) {
      // Time goes on by a day with each object, so that what lapses after three does.
      const arrived = (masters.length + history.length + events.length) * 24 * 60 * 60 * 1000;
      const rosters = masters.map((master) => rosterOf(master));
      const roster = rosters.at(-1);
      const suspended = suspendedAt(rosters, events, admissions(history as History, rosters), arrived);
      try {
        if (one.kind === "Master Profile") masters.push(correctMaster(one.signed as Correct<MasterProfile>, masters.at(-1)));
        else if (one.kind === "Personal Profile" && roster !== undefined) history.push({ arrived, profile: correctPersonal(one.signed as Correct<PersonalProfile>, roster, history.at(-1)?.profile, suspended) });
        else if (one.kind === "suspension" && rosters[one.signed.payload.g - 1] !== undefined) events.push({ arrived, object: one.signed as Signed<Suspension> as Correct<Suspension> });
      } catch (error) {
        if (!(error instanceof MeshError)) throw error;
      }
    }
  },
};

type Make = (payload: Json, type: ObjectType<unknown>, by: number) => Promise<Signed<unknown>>;

/** The objects of an input, those left out that have not the shape of their kind. */
async function made(input: Uint8Array, make: Make): Promise<readonly Read[]> {
  const list = json(input);
  if (!Array.isArray(list)) return [];
  const objects: Read[] = [];
  for (const one of list.slice(0, 12) as readonly Partial<Made>[]) {
    const kind = one?.kind as KindName;
    if (typeof one !== "object" || one === null || !Object.hasOwn(kinds, kind)) continue;
    try {
      const payload = await expanded(one.payload ?? null, objects);
      objects.push({ kind, signed: await make(payload, kinds[kind] as ObjectType<unknown>, Number(one.by) % KEYS || 0) } as Read);
    } catch (error) {
      if (!(error instanceof MeshError)) throw error;
    }
  }
  return objects;
}

async function expanded(payload: Json, objects: readonly Read[]): Promise<Json> {
  const wraps: Record<string, Sealed> = {};
  const members = payload as { readonly catalog?: Json; readonly epoch?: Json; readonly wraps?: Json } | null;
  const named = typeof members?.wraps === "string" ? /^\$wraps:([0-7](?:,[0-7])*)$/.exec(members.wraps) : null;
  const plain = (value: Json): Json => {
    if (typeof value !== "string") return Array.isArray(value) ? value.map(plain) : typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)])) : value;
    const [, what = "", number = ""] = /^\$(sig|enc|id|digest|jws):([0-9]+)$/.exec(value) ?? [];
    const [key, object] = [Number(number) % KEYS, objects[Number(number)]];
    switch (what) {
      case "sig": return signatureJwk(signingKey(key).publicKey);
      case "enc": return encapsulationJwk(openingKey(key).publicKey);
      case "id": return udfOfKey(signingKey(key).publicKey.spki);
      case "digest": return object?.signed.digest ?? value;
      case "jws": return (object?.signed.jws as unknown as Json) ?? value;
      default: return wraps[value] === undefined ? value : (wraps[value] as unknown as Json);
    }
  };
  if (named !== null) wraps[named[0]] = await wrapped(plain(members?.catalog ?? ""), plain(members?.epoch ?? 0), named[1] ?? "");
  return plain(payload);
}

/** What was sealed and signed before is taken again: the same in every mutant of one story. */
const kept = new Map<string, unknown>();

async function remembered<T>(name: string, make: () => Promise<T>): Promise<T> {
  const known = kept.get(name) as T | undefined;
  if (known !== undefined) return known;
  const value = await make();
  if (kept.size > 500) kept.clear();
  kept.set(name, value);
  return value;
}

function wrapped(catalog: Json, epoch: Json, numbers: string): Promise<Sealed> {
  const keys = [...new Set(numbers.split(","))].map((number) => openingKey(Number(number)).publicKey);
  return remembered(`${canonicalJson(catalog)} ${canonicalJson(epoch)} ${numbers}`, () => seal(wrapSubject(catalog as string, epoch as number), new Uint8Array(32), keys));
}

function signed(payload: Json, type: ObjectType<unknown>, by: number): Promise<Signed<unknown>> {
  return remembered(`${by} ${type.typ} ${canonicalJson(payload)}`, () => signObject(type, payload, signerOf(signingKey(by))));
}

const NO_SIGNATURE = toBase64url(new Uint8Array(4741));

async function unsigned(payload: Json, type: ObjectType<unknown>, by: number): Promise<Signed<unknown>> {
  const part = (value: Json): string => toBase64url(octets(canonicalJson(value)));
  const header = { alg: "ML-DSA-87-Ed448", kid: udfOfKey(signingKey(by).publicKey.spki), typ: type.typ };
  return remembered(`- ${by} ${type.typ} ${canonicalJson(payload)}`, async () => readSigned({ payload: part(payload), protected: part(header), signature: NO_SIGNATURE }, type));
}
