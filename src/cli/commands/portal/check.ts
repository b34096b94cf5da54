import { copyFileSync, existsSync } from "node:fs";
import { resolve } from "node:path";

import { check, type Checked } from "../../../portal/upkeep/check.ts";
import { type Finding, fingerprintOf, repair, sweep } from "../../../portal/upkeep/finding.ts";
import { MeshError } from "../../../refusals/mesh-error.ts";
import { integrityOf, rebuildIndexes } from "../../../store/sqlite-care.ts";
import { openSqliteStore } from "../../../store/sqlite.ts";
import type { Call } from "../../call.ts";
import { openPortalData, type PortalData } from "../../portal/data.ts";
import { unusedPath } from "../../portal/paths.ts";
import { openPortalStore } from "../../portal/store.ts";

/** What was found, as it is told: `repaired` says whether it was made anew, `null` that it cannot be. */
type Told = { readonly what: string; readonly where: string; readonly why: string; readonly repairable: boolean; repaired: boolean };

type Report = { checked: Omit<Checked, "unused"> | null; unused: number; swept: number; loose: number; cleared: number; readonly findings: Told[]; copy: string | null };

/** `mesh portal check`: judges everything that a portal keeps anew, stopped or while it serves; `--repair` makes anew what follows from the rest. */
export async function run(call: Call): Promise<void> {
  const { args, output } = call;
  const data = await openPortalData(resolve(args.needText("data")));
  const report: Report = { checked: null, unused: 0, swept: 0, loose: 0, cleared: 0, findings: [], copy: null };
  const wanted = args.flag("repair");
  const copied = once(async () => {
    // What is in PostgreSQL is copied by PostgreSQL's own programs; what is repaired here follows from the rest.
    if (data.settings.database !== undefined) return;
    report.copy = unusedPath(`${data.database}.before-repair`);
    await copyAside(data.database, report.copy);
  });
  // Without a database it was never served, and keeps nothing; opening it makes one.
  const readable = data.settings.database !== undefined || !existsSync(data.database) || (await checkFile(data.database, wanted, report, copied));
  if (readable) await checkRows(call, data, wanted, report, copied);
  const left = report.findings.filter((one) => !one.repaired);
  output.data({ sound: left.length === 0, ...report }, textOf(report, wanted));
  if (left.length === 0) return;
  const hint = left.every((one) => !one.repairable) ? "What is lost comes back from a backup, or from the devices of whom it is about: see docs/operating.md." : wanted ? "Something changed meanwhile: run it again, or stop the portal first." : `Make anew what can be: mesh portal check --repair --data ${args.needText("data")}`;
  throw new MeshError("check-found-trouble", `${left.length} thing${left.length === 1 ? " is" : "s are"} not as ${left.length === 1 ? "it" : "they"} should be.`, hint);
}

/** The database as a file; false if its rows cannot be trusted to be readable. */
async function checkFile(path: string, wanted: boolean, report: Report, copied: () => Promise<void>): Promise<boolean> {
  let found: ReturnType<typeof integrityOf>;
  try {
    found = integrityOf(path);
  } catch (error) {
    if (!(error instanceof MeshError) || error.code !== "store-damaged") throw error;
    found = [{ kind: "page", text: error.message }];
  }
  const told = found.map(({ kind, text }): Told => ({ what: "database-damaged", where: "the database file", why: text, repairable: kind === "index", repaired: false }));
  report.findings.push(...told);
  if (wanted && told.some((one) => one.repairable)) {
    await copied();
    rebuildIndexes(path);
    const still = new Set(integrityOf(path).map(({ text }) => text));
    for (const one of told) one.repaired = !still.has(one.why);
  }
  return told.every((one) => one.repaired);
}

async function checkRows({ world, whenDone }: Call, data: PortalData, wanted: boolean, report: Report, copied: () => Promise<void>): Promise<void> {
  const store = await openPortalStore(data, "judging");
  whenDone(() => store.close());
  const found: { readonly finding: Finding; readonly told: Told }[] = [];
  const { fingerprint, checked } = await store.read(async (reading) => {
    const fingerprint = await fingerprintOf(reading);
    const checked = await check(reading, world.now(), (finding) => {
      const { what, where, why, repairs } = finding;
      found.push({ finding, told: { what, where, why, repairable: repairs.length > 0, repaired: false } });
    });
    return { fingerprint, checked };
  });
  const { unused, ...counts } = checked;
  report.checked = counts;
  report.unused = unused.length;
  report.findings.push(...found.map((one) => one.told));
  report.loose = (await store.depot?.loose(world.now())) ?? 0;
  if (!wanted) return;
  const due = found.filter((one) => one.told.repairable);
  if (due.length > 0) {
    await copied();
    const done = await repair(store, due.flatMap((one) => one.finding.repairs));
    let at = 0;
    for (const { finding, told } of due) told.repaired = finding.repairs.map(() => done[at++]).every(Boolean);
  }
  // Among faults it is not certain what is used.
  if (!found.every((one) => one.told.repaired)) return;
  report.cleared = (await store.depot?.sweep(world.now())) ?? 0;
  if (unused.length > 0) {
    await copied();
    report.swept = await sweep(store, unused, due.length > 0 ? await store.read(fingerprintOf) : fingerprint);
  }
}

/** A copy of the database as it is: whole where SQLite can read it, else file by file. */
async function copyAside(path: string, target: string): Promise<void> {
  try {
    const store = await openSqliteStore(path);
    await store.backup(target).finally(() => store.close());
  } catch (error) {
    if (!(error instanceof MeshError) || error.code !== "store-damaged") throw error;
    for (const suffix of ["", "-wal"]) if (existsSync(path + suffix)) copyFileSync(path + suffix, target + suffix);
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= work());
}

function textOf({ checked, unused, swept, loose, cleared, findings, copy }: Report, wanted: boolean): string {
  const lines = findings.map(({ what, where, why, repairable, repaired }) => `${repaired ? "mended" : repairable ? "BAD   " : "LOST  "} ${what.padEnd(15)} ${where}\n       ${why}`);
  if (checked !== null) lines.push(`Checked: ${checked.accounts} accounts, ${checked.commits} commits, ${checked.objects} objects, ${checked.sessions} sessions.${findings.length === 0 ? " All is well." : ""}`);
  if (unused > 0) lines.push(wanted && swept > 0 ? `Taken away because nobody used them: ${swept} objects.` : `Used by nobody any more: ${unused} objects; --repair takes them away.`);
  if (cleared > 0) lines.push(`Taken out of the depot because nothing names them: ${cleared} files.`);
  else if (loose > 0) lines.push(`Named by nothing for more than a day: ${loose} files of the depot; --repair takes them away.`);
  if (copy !== null) lines.push(`The database as it was before: ${copy}`);
  return lines.join("\n");
}
