import { findPassword } from "../../../applications/passwords/find.ts";
import { historyOf, type PastValue } from "../../../applications/passwords/history.ts";
import { readNamed } from "../../../client/catalog.ts";
import type { Client } from "../../../client/client.ts";
import { namesOfDevices } from "../../../client/devices.ts";
import { MeshError } from "../../../refusals/mesh-error.ts";
import { showUdf, type Udf } from "../../../udf/udf.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";

/** `mesh password history`: [ { field, number, value, secret, author, device, counter, current } ], `number` null for what holds now; values only with --reveal, else null. */
export async function run(call: Call): Promise<void> {
  const { args, output } = call;
  const client = await openClient(call, "offline");
  const names = await deviceNames(client);
  const name = args.needText("NAME");
  const history = historyOf(findPassword(await readNamed(client, "passwords", [name]), name));
  const reveal = args.flag("reveal");
  const shown = (one: PastValue): string => (one.value === undefined ? "(taken away)" : one.secret && !reveal ? "••••••••" : one.value);
  const documents = history.map((one) => ({ ...one, number: one.number ?? null, device: names.get(one.author) ?? null, value: one.secret && !reveal ? null : (one.value ?? null) }));
  const rows = history.map((one) => [one.field, shown(one), one.number === undefined ? "now" : String(one.number), names.get(one.author) ?? showUdf(one.author as Udf)]);
  output.data(documents, output.table(["FIELD", "VALUE", "BEFORE", "WRITTEN BY"], rows));
  if (!reveal && history.some((one) => one.secret)) output.note("--reveal shows what is hidden.");
}

/** Names are a courtesy: without them the history is as complete. */
async function deviceNames(client: Client): Promise<ReadonlyMap<string, string>> {
  try {
    return await namesOfDevices(client);
  } catch (error) {
    if (error instanceof MeshError && error.code === "catalog-missing") return new Map();
    throw error;
  }
}
