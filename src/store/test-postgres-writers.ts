// Starts the processes of test-postgres-writer.ts, gathers what they were told, and judges what they left.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Cluster } from "../../test/support/cluster.ts";
import { readNumber } from "./conformance-values.ts";
import { openPostgresStore } from "./postgres.ts";

const program = fileURLToPath(new URL("test-postgres-writer.ts", import.meta.url));

export type Writer = { readonly name: string; readonly child: ChildProcess; readonly ended: Promise<unknown> };

const children = new Set<ChildProcess>();

/** Starts writers; what they say was acknowledged is gathered in `said`, with its index. */
export function writers(url: string, said: Map<string, number>) {
  let started = 0;
  return (count: number): Writer => {
    const name = `w${started++}`;
    const child = spawn(process.execPath, [program, url, name, String(count)], { stdio: ["ignore", "pipe", "inherit"] });
    children.add(child);
    let rest = "";
    child.stdout.setEncoding("latin1").on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) said.set(line.split(" ")[0] ?? "", Number(line.split(" ")[1]));
    });
    return { name, child, ended: once(child, "close") };
  };
}

/** All that is wrong with what the writers left, in words. */
export async function troubles(cluster: Pick<Cluster, "url" | "ask">, said: ReadonlyMap<string, number>): Promise<{ readonly found: string[]; readonly size: number }> {
  const store = await openPostgresStore(cluster.url, { owner: "test" });
  const found: string[] = [];
  const { count, entries, leaves } = await store.read(async (r) => ({ count: await readNumber(r, "n", "count"), entries: await r.list("s", ""), leaves: await r.leaves(0) }));
  await store.close();
  const log = leaves.map((leaf) => Buffer.from(leaf).toString());
  const head = Number(await cluster.ask("SELECT size FROM mesh.head"));
  const numbers = await cluster.ask("SELECT count(*) || ' ' || coalesce(min(number), 0) || ' ' || coalesce(max(number) + 1, 0) FROM mesh.log");
  if (numbers !== `${log.length} 0 ${head}`) found.push(`gap: ${numbers}, the head says ${head}`);
  if (new Set(log).size !== log.length) found.push("duplicate");
  if (count !== log.length) found.push(`lost updates: ${count} counted, ${log.length} in the log`);
  for (const { key, value } of entries) if (log[Number(Buffer.from(value))] !== key) found.push(`fork: ${key} was told index ${Buffer.from(value).toString()}`);
  for (const [key, index] of said) if (log[index] !== key) found.push(`acknowledged and not there: ${key} at ${index}`);
  if (entries.length !== log.length) found.push(`${entries.length} entries, ${log.length} leaves`);
  return { found, size: log.length };
}

/** Kills whoever was started: a test that fails leaves nobody behind. */
export function endWriters(): void {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
}
