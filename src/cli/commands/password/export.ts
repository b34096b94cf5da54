import { existsSync } from "node:fs";

import { formats, formatWords } from "../../../applications/passwords/formats/formats.ts";
import { holdsAttachments, type WrittenFormat, writePasswords } from "../../../applications/passwords/formats/write.ts";
import { utf8 } from "../../../bytes/text.ts";
import { readEntries } from "../../../client/catalog.ts";
import { replaceFile } from "../../../machine/replace-file.ts";
import { demand, MeshError } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { counted } from "../../counted.ts";
import { openClient } from "../../open-client.ts";
import { attachedTo } from "./exported-files.ts";
import { failuresText } from "./import.ts";

/** `mesh password export`: { file, format, exported, failed: [ { title, why } ], encrypted }. Works offline, but for attachments that only the portal has. */
export async function run(call: Call): Promise<void> {
  const { args, input, output, world } = call;
  const path = args.needText("FILE");
  const format = formatIn(args.text("format") ?? "mesh");
  const encrypt = args.flag("encrypt") || args.text("file-password-file") !== undefined;
  demand(!encrypt || format === "mesh", "usage-options-conflict", "Only a file in the format mesh is encrypted.", "Leave out --format, or the password.");
  demand(args.flag("force") || !existsSync(path), "export-exists", `There is a file ${path} already; it was not touched.`, "Choose another name, or add --force to replace it.");
  const client = await openClient(call, "online");
  const entries = await readEntries(client, "passwords");
  const password = encrypt ? utf8(await input.newSecret("file-password-file", `New password for ${path}`)) : undefined;
  const { attached, missing } = holdsAttachments(format) ? await attachedTo(client, entries) : { attached: new Map<string, Uint8Array>(), missing: [] };
  const { octets, exported, failed: left } = await writePasswords(entries, { format, now: world.now(), attached, ...(password === undefined ? {} : { password }) });
  const failed = [...left, ...missing];
  try {
    replaceFile(path, octets);
  } catch (error) {
    throw new MeshError("output-failed", `The file ${path} cannot be written (${(error as NodeJS.ErrnoException).code ?? "unknown"}).`);
  }
  const lines = [`Wrote ${counted(exported, "item")} to ${path}, ${formatWords(format)}.`];
  if (failed.length > 0) lines.push(failuresText(failed, "could not be exported in this format"));
  lines.push(encrypt ? "It opens with its password only; Mesh does not keep that." : "It is NOT encrypted: whoever can read the file can read every password in it.");
  output.receipt({ file: path, format, exported, failed, encrypted: encrypt }, lines.join("\n"));
}

function formatIn(said: string): WrittenFormat {
  const written = formats.filter((format) => format.writes);
  const format = written.find(({ name }) => name === said);
  demand(format !== undefined, "usage-option-value", `Nothing is exported in a format ${JSON.stringify(said)}.`, `There are: ${written.map(({ name }) => name).join(", ")}.`);
  return format.name;
}
