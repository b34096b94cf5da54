import { canonicalBytes, type Json } from "../../../src/bytes/canonical-json.ts";
import { splitOctets, withOctets } from "../../../src/protocol/octets.ts";
import { encodeRefusal } from "../../../src/protocol/wire.ts";
import { shelf } from "../../../src/portal/records.ts";
import type { PortalAnswer } from "../../../src/portal/portal.ts";
import { MeshError } from "../../../src/refusals/mesh-error.ts";
import type { Copyable } from "../restarting.ts";
import { lies, octetLies } from "./lies.ts";
import { type Face, type Heard, memberOf, saysYes, type Scene, type Trick } from "./scene.ts";

/** Requests that change something, and such that only ask. */
const WRITES: ReadonlySet<string> = new Set(["Publish", "CatalogAppend", "ConnectComplete", "ConnectStart", "CreateAccount", "PutBlob", "DropBlobs"]);

/** What a refusal says that means nothing. */
export const REFUSALS = ["service-busy", "service-internal", "service-rate-limited", "session-unknown", "request-not-allowed", "account-changed", "account-quota", "commit-out-of-order", "commit-wrong-epoch", "profile-out-of-order", "profile-two-versions", "signer-suspended", "connection-answered", "connection-unknown", "connection-rejected", "catalog-not-readable", "account-unknown", "account-name-taken", "account-not-invited", "blob-unknown", "portal-forked-catalog", "made-up"] as const;

/** One way to cheat. `of` says at which requests: those that write, those that read, or one command. */
export type What =
  | { readonly do: "drop"; readonly of: string; /** whether the portal does what was asked, and only its answer is lost */ readonly done: boolean }
  | { readonly do: "refuse"; readonly of: string; readonly saying: (typeof REFUSALS)[number]; readonly done: boolean }
  | { readonly do: "swallow"; readonly of: string }
  | { readonly do: "delay"; /** what is said meanwhile of what is done later */ readonly saying: "yes" | "no" }
  | { readonly do: "do twice"; readonly of: string }
  | { readonly do: "answer unauthenticated"; readonly of: string }
  | { readonly do: "cut short"; readonly of: string }
  | { readonly do: "replay"; readonly of: string; readonly back: number }
  | { readonly do: "lie"; readonly of: string; readonly telling: string; readonly pick: number }
  | { readonly do: "mix accounts"; readonly of: string }
  | { readonly do: "forget sessions" }
  | { readonly do: "roll back"; readonly steps: number }
  | { readonly do: "fork"; /** whether what concerns no password is the same on both sides */ readonly passwordsOnly: boolean };

/** A cheat: at which step it begins, over how many it goes on, and against whom. */
export type Cheat = { readonly at: number; readonly over: number; readonly against: string; readonly what: What };

/** A cheat under way; `end` turns the portal honest in this respect. */
export type Underway = { readonly cheat: Cheat; end(): Promise<void> };

/** Begins a cheat; `before` are copies of the portal's database, one for each step. */
export async function begin(scene: Scene, cheat: Cheat, before: readonly Copyable[]): Promise<Underway> {
  const { what, against } = cheat;
  const play = (trick: Trick, on = against, after?: () => Promise<void>): Underway => {
    const played = { against: on, trick };
    scene.tricks.push(played);
    return {
      cheat,
      end: async () => {
        scene.tricks = scene.tricks.filter((one) => one !== played);
        await after?.();
      },
    };
  };
  switch (what.do) {
    case "drop":
      return play(whenAsked(what.of, (heard, honestly) => dropped(scene, what.done, heard, honestly)));
    case "refuse":
      return play(whenAsked(what.of, async (heard, honestly) => {
        scene.mark("service");
        if (what.done) await honestly(heard);
        return scene.authentic(heard, encodeRefusal(what.saying as never, "No."));
      }));
    case "swallow":
      return play(whenAsked(what.of, async (heard, honestly) => (WRITES.has(heard.command) ? scene.authentic(heard, yes(scene, heard)) : honestly(heard))));
    case "delay": {
      const waiting: Heard[] = [];
      const trick: Trick = async (heard) => {
        waiting.push(heard);
        if (what.saying === "yes") return scene.authentic(heard, yes(scene, heard));
        scene.mark("service");
        return scene.authentic(heard, encodeRefusal("service-busy", "No."));
      };
      return play(whenAsked("writes", trick), against, async () => {
        for (const heard of waiting) await scene.faceOf(heard.who).portal.portal.handle(heard.octets);
      });
    }
    case "do twice":
      return play(whenAsked(what.of, async (heard, honestly) => {
        scene.touched = true;
        await honestly(heard);
        return honestly(heard);
      }));
    case "answer unauthenticated":
      return play(whenAsked(what.of, async (heard, honestly) => {
        if (heard.octets.headers["mesh-session"] === undefined) return honestly(heard);
        const answer = await honestly(heard);
        scene.touched = true;
        if (answer.status === 200) scene.mark("false");
        return { ...answer, headers: { ...answer.headers, "mesh-mac": "A".repeat(86) } };
      }));
    case "cut short":
      return play(whenAsked(what.of, async (heard, honestly) => {
        const answer = await honestly(heard);
        if (!saysYes(heard, answer)) return answer;
        scene.mark("false");
        return scene.authentic(heard, answer.body.subarray(0, Math.floor(answer.body.length / 2)));
      }));
    case "replay":
      return play(whenAsked(what.of, (heard, honestly) => replayed(scene, what.back, heard, honestly)));
    case "lie":
      return play(whenAsked(what.of, (heard, honestly) => lied(scene, what, heard, honestly)));
    case "mix accounts":
      return play(whenAsked(what.of, async (heard, honestly) => {
        const others = scene.prepared.bobs[heard.command];
        if (others === undefined) return honestly(heard);
        if (heard.command !== "Status") scene.mark("false");
        return scene.authentic(heard, others);
      }));
    case "forget sessions": {
      const { store } = scene.faceOf(against);
      await store.transact(async (w) => {
        for (const { key } of await w.list(shelf.sessions, "")) await w.remove(shelf.sessions, key);
      });
      return { cheat, end: async () => undefined };
    }
    case "roll back":
      return show(scene, cheat, await scene.open(await (before[Math.max(0, before.length - 1 - what.steps)] ?? scene.truth.store).copy()));
    case "fork": {
      const face = await scene.open(await scene.truth.store.copy());
      const shown = await show(scene, cheat, face);
      if (!what.passwordsOnly) return shown;
      const mirrored = play(mirroring(scene, face), "all");
      return { cheat, end: async () => void (await Promise.all([mirrored.end(), shown.end()])) };
    }
  }
}

/** Shows some devices another face for a while. */
async function show(scene: Scene, cheat: Cheat, face: Face): Promise<Underway> {
  scene.touched = true;
  const whom = cheat.against === "all" ? [...scene.devices.keys()] : [cheat.against];
  for (const who of whom) scene.shown.set(who, face);
  return {
    cheat,
    end: async () => {
      for (const who of whom) if (scene.shown.get(who) === face) scene.shown.delete(who);
    },
  };
}

function whenAsked(of: string, trick: Trick): Trick {
  return (heard, honestly) => (of === heard.command || of === (WRITES.has(heard.command) ? "writes" : "reads") ? trick(heard, honestly) : honestly(heard));
}

async function dropped(scene: Scene, done: boolean, heard: Heard, honestly: (heard: Heard) => Promise<PortalAnswer>): Promise<never> {
  scene.mark("service");
  if (done) await honestly(heard);
  throw new MeshError("service-unreachable", "The portal does not answer.");
}

/** What a portal says to a write that it takes. */
function yes(scene: Scene, { command }: Heard): Uint8Array {
  const { now } = scene.truth.portal.clock;
  return canonicalBytes({ [`${command}Response`]: command === "ConnectStart" ? { arrived: now, expires: now + 1000 } : { arrived: now } });
}

/** An answer that this device was given before to the same command, authenticated anew. */
async function replayed(scene: Scene, back: number, heard: Heard, honestly: (heard: Heard) => Promise<PortalAnswer>): Promise<PortalAnswer> {
  const given = scene.said.get(`${heard.who} ${heard.command}`) ?? [];
  const old = given[given.length - 1 - (back % Math.max(1, given.length))];
  if (old === undefined || WRITES.has(heard.command)) return honestly(heard);
  const answer = await honestly(heard);
  if (saysYes(heard, answer) && heard.command === "CatalogRead") {
    const [first, now] = [old, answer].map(({ body }) => JSON.stringify((memberOf(body).content as { commits?: unknown[] }).commits?.[0]));
    if (first !== now) scene.mark("false");
  }
  return scene.authentic(heard, old.body);
}

async function lied(scene: Scene, { telling, pick }: Extract<What, { do: "lie" }>, heard: Heard, honestly: (heard: Heard) => Promise<PortalAnswer>): Promise<PortalAnswer> {
  const answer = await honestly(heard);
  const behind = octetLies[heard.command]?.[telling];
  if (behind !== undefined) return octetsOf(scene, heard, answer, (octets) => behind(octets, pick));
  const lie = lies[heard.command]?.[telling];
  if (lie === undefined || !saysYes(heard, answer)) return answer;
  const { command, content } = memberOf(answer.body);
  const honest = inOrder(scene, content);
  const made = lie(honest as never, pick);
  if (made === undefined || JSON.stringify(made.told) === JSON.stringify(honest)) return answer;
  if (made.mark !== undefined) scene.mark(made.mark);
  return scene.authentic(heard, canonicalBytes({ [command]: made.told as Json }));
}

async function octetsOf(scene: Scene, heard: Heard, answer: PortalAnswer, lie: (octets: Uint8Array) => Uint8Array): Promise<PortalAnswer> {
  const { octets, text } = splitOctets(answer.body);
  if (octets === undefined) return answer;
  scene.mark("false");
  return scene.authentic(heard, withOctets(text, lie(octets)));
}

/** An answer with its catalogs as they were made, not by their identifiers: a story that is played again tells of the same ones. */
function inOrder({ prepared: { catalogs } }: Scene, content: unknown): unknown {
  const { heads, applications } = content as { readonly heads?: readonly { catalog: string }[]; readonly applications?: readonly { id?: string }[] };
  const place = (id = ""): number => catalogs.indexOf(id);
  return {
    ...(content as object),
    ...(heads === undefined ? {} : { heads: heads.toSorted((a, b) => place(a.catalog) - place(b.catalog)) }),
    ...(applications === undefined ? {} : { applications: applications.toSorted((a, b) => place(a.id) - place(b.id)) }),
  };
}

/** Does on both faces what concerns no password, so that the two differ in nothing else. */
function mirroring(scene: Scene, face: Face): Trick {
  return async (heard, honestly) => {
    const answer = await honestly(heard);
    const commits = (heard.content as { commits?: { commit: { payload: string } }[] }).commits ?? [];
    const passwords = commits.some(({ commit }) => Buffer.from(commit.payload, "base64url").includes(scene.prepared.catalogs.at(-1) ?? ""));
    if (answer.status !== 200 || !WRITES.has(heard.command) || passwords) return answer;
    const other = scene.faceOf(heard.who) === face ? scene.truth : face;
    await other.portal.portal.handle(heard.octets);
    return answer;
  };
}
