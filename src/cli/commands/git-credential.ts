import { addPassword, editPassword } from "../../applications/passwords/edit.ts";
import { gitAnswer, loginsFor, readGitCredential } from "../../applications/passwords/git-credential.ts";
import { passwordsOf } from "../../applications/passwords/password.ts";
import { editEntries, readEntries } from "../../client/catalog.ts";
import { MeshError } from "../../refusals/mesh-error.ts";
import type { Call } from "../call.ts";
import { openClient } from "../open-client.ts";

/**
 * `mesh git-credential get|store|erase`: what Git calls as `credential.helper` (gitcredentials(7)), on standard input and output. Needs no portal.
 *
 * A login that was refused is kept: a server that is down or another account is no reason to lose a password.
 */
export async function run(call: Call): Promise<void> {
  const { args, input, world } = call;
  const operation = args.needText("get|store|erase");
  if (!["get", "store", "erase"].includes(operation)) throw new MeshError("usage-option-value", `Git asks for get, store or erase, and not ${JSON.stringify(operation)}.`);
  const said = readGitCredential(input.textFrom("-"));
  if (operation === "erase") return;
  const client = await openClient(call, "offline");
  if (operation === "get") {
    const [login, ...more] = loginsFor(passwordsOf(await readEntries(client, "passwords")), said);
    // Nothing said is how a helper says that it has none; of several nobody can tell which is meant.
    if (login !== undefined && more.length === 0) world.write(1, `${gitAnswer(login)}\n`);
    return;
  }
  const { host, password, protocol, username } = said;
  if (protocol !== "https" || host === undefined || username === undefined || password === undefined) return;
  await editEntries(client, "passwords", (entries) => {
    const [known, ...more] = loginsFor(passwordsOf(entries), said);
    if ([known, ...more].some((one) => one?.password === password)) return [];
    const entry = more.length === 0 ? entries.find((one) => one.id === known?.id) : undefined;
    if (entry !== undefined) return [editPassword(entries, entry, { password })].filter((change) => change !== undefined);
    const taken = passwordsOf(entries).some((one) => one.name === host);
    return [addPassword(entries, { name: taken ? `${host} ${username}` : host, password, addSites: [host], username })];
  });
}
