import { resolve } from "node:path";

import type { Call } from "../../call.ts";
import { dueFiles, includeIn, ownConfig, writeFiles, writeOwnConfig } from "../../ssh/files.ts";
import { readHosts } from "../../ssh/in-step.ts";
import { openReach } from "../../ssh/open.ts";
import { filesIn } from "../../ssh/reach.ts";

/** `mesh ssh config`: { file, included, changed }; has this device's ssh know the servers by name, by one line in ~/.ssh/config. Works offline. */
export async function run(call: Call): Promise<void> {
  const { args, output } = call;
  const { client, quiet } = await openReach(call, "offline");
  const { home } = quiet;
  const undo = args.flag("undo");
  const file = resolve(args.text("file") ?? ownConfig());
  const hosts = await readHosts(client);
  const { isSo, path, text } = includeIn(file, home, undo);
  const config = filesIn(home).config;
  const line = `Include "${config}"`;
  const document = { file, included: !undo, changed: !isSo };
  if (args.flag("dry-run")) {
    const due = await dueFiles(client, quiet, hosts);
    return output.data({ ...document, config: due[config] ?? "" }, `${isSo ? `${file} stays as it is.` : `${file}: ${undo ? "without its line" : "with the first line"}\n  ${line}`}\n\n${config}:\n${due[config] ?? ""}`.trimEnd());
  }
  // The file is there before anything includes it.
  if (!undo) await writeFiles(client, quiet, hosts);
  if (!isSo) writeOwnConfig(path, text);
  output.receipt(document, isSo ? `${file} is so already.` : undo ? `${file} is without the line for mesh again.` : `${file} begins with one line for mesh now; undo it with --undo.`);
}
