import { join, resolve } from "node:path";

import { fingerprintOf } from "../../../applications/ssh/public-key.ts";
import { removeHost } from "../../../applications/ssh/edit-host.ts";
import { isRemoved } from "../../../catalogs/merge.ts";
import { editEntries } from "../../../client/catalog.ts";
import type { Client } from "../../../client/client.ts";
import { MeshError } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { counted } from "../../counted.ts";
import { absorb, type Plan, planAbsorption } from "../../ssh/absorb.ts";
import { writeFiles } from "../../ssh/files.ts";
import { readHosts } from "../../ssh/in-step.ts";
import { openReach } from "../../ssh/open.ts";
import { ownFolder } from "../../ssh/own-config.ts";
import type { Source } from "../../ssh/own-known-hosts.ts";
import { filesIn, type Reach } from "../../ssh/reach.ts";
import { conflictHint, conflictText, setTaking, takingOf } from "../../ssh/taking.ts";
import { trySync } from "../../try-sync.ts";

/** `mesh ssh absorb`: { from, sections, known, conflicts, left, sync }; has all devices know what this one's ssh knows. Works offline. */
export async function run(call: Call): Promise<void> {
  const { args, output, world } = call;
  const { client, quiet } = await openReach(call, "online");
  if (args.flag("undo")) return undo(call, client, quiet);
  const own = ownFolder();
  const folder = resolve(args.text("from") ?? own);
  const source: Source = { folder, config: folder === own ? undefined : join(folder, "config"), ours: filesIn(quiet.home).config, environment: world.environment };
  const plan = await planAbsorption(client, source);
  const document = documentOf(folder, plan);
  if (args.flag("dry-run")) return output.data(document, planText(folder, plan));
  await agree(call, folder, plan);
  const taking = await takingOf(client);
  const made = await absorb(client, plan);
  await setTaking(client, { folder, config: source.config ?? null, made: [...(taking?.made ?? []), ...made] });
  await writeFiles(client, quiet, await readHosts(client), "only-kept");
  const sent = await trySync(call, client);
  const said = plan.sections.length + plan.known.length === 0 ? "Your devices know all of that already." : `All your devices know ${counted(plan.sections.length, "more section")} and ${counted(plan.known.length, "more host key")} ${sent ? "from their next sync on" : "once this one has sent them: mesh sync"}.`;
  output.receipt({ ...document, sync: sent ? "sent" : "later" }, `${said} What you confirm here from now on, they will know with each sync. Your own files are as they were; undo it with --undo.`);
  if (plan.conflicts.length > 0) throw new MeshError("ssh-host-key-changed", conflictText(plan.conflicts), conflictHint);
}

function documentOf(from: string, { conflicts, known, left, sections }: Plan) {
  return {
    from,
    sections,
    known: known.map(({ host, key }) => ({ host, kind: key.kind, fingerprint: fingerprintOf(key.blob) })),
    conflicts: conflicts.map(({ found, host, kind, listed }) => ({ host, kind, listed: fingerprintOf(listed.blob), found: fingerprintOf(found.blob) })),
    left,
  };
}

/** What would happen, and to what nothing would. */
function planText(from: string, { conflicts, known, left, sections }: Plan): string {
  return [
    `From ${from}, which stays as it is:`,
    ...sections.map(({ host, jump, name, port, user }) => `  + Host ${name}: ${user}@${host}, port ${port}${jump === undefined ? "" : `, by way of ${jump}`}`),
    ...known.map(({ host, key }) => `  + ${host} is known by ${key.kind} ${fingerprintOf(key.blob)}`),
    ...(sections.length + known.length === 0 ? ["  nothing is new to your devices"] : []),
    ...left.map(({ what, why }) => `  - ${what} stays here alone: ${why}`),
    ...(conflicts.length === 0 ? [] : [conflictText(conflicts)]),
  ].join("\n");
}

async function agree({ args, input, output }: Call, from: string, plan: Plan): Promise<void> {
  if (args.flag("yes")) return;
  if (!input.mayAsk) throw new MeshError("input-needed", `This has all your devices know ${counted(plan.sections.length, "section")} and ${counted(plan.known.length, "host key")} of ${from}, and those that you confirm from now on.`, "Nothing was changed. See what it is with --dry-run; add --yes if that is what you want.");
  output.note(planText(from, plan));
  const answer = await input.ask("Have all your devices know this, and what you confirm from now on? Type yes", "yes");
  if (answer.trim().toLowerCase() !== "yes") throw new MeshError("interrupted", "Nothing was changed.");
}

/** Takes back what this device had the others know, but for what was changed since. */
async function undo(call: Call, client: Client, reach: Reach): Promise<void> {
  const taking = await takingOf(client);
  if (taking === undefined) return call.output.receipt({ removed: 0 }, "This device has taken nothing over.");
  let removed = 0;
  await editEntries(client, "ssh", (entries) => {
    const own = entries.filter((entry) => taking.made.includes(entry.id) && !isRemoved(entry));
    removed = own.length;
    return own.map(removeHost);
  });
  await setTaking(client, undefined);
  await writeFiles(client, reach, await readHosts(client), "only-kept");
  const sent = await trySync(call, client);
  call.output.receipt({ removed, sync: sent ? "sent" : "later" }, `${removed} ${removed === 1 ? "entry" : "entries"} taken back; what you confirm here stays here.`);
}
