import { findHost, hostsOf } from "../../../applications/ssh/host.ts";
import { type When, whens } from "../../../applications/ssh/question.ts";
import { readEntries } from "../../../client/catalog.ts";
import { demand } from "../../../refusals/mesh-error.ts";
import type { Call } from "../../call.ts";
import { openClient } from "../../open-client.ts";
import { confirmingOf, editConfirming } from "../../ssh/confirming.ts";

const texts: Readonly<Record<When, string>> = { never: "is not asked for", forwarded: "is asked for where another computer wants it, to which your agent is lent", always: "is asked for" };

/** `mesh ssh confirm [WHEN [NAME]]`: { all, hosts }; when the agent of this device asks before it signs. Works offline. */
export async function run(call: Call): Promise<void> {
  const { args, output } = call;
  const client = await openClient(call, "offline");
  const [when, name] = [args.text("WHEN"), args.text("NAME")];
  if (when === undefined) {
    const { confirming } = await confirmingOf(client);
    return output.data(confirming, textOf(confirming));
  }
  demand(isWhen(when), "usage-option-value", `${JSON.stringify(when)} does not say when.`, `Say one of ${whens.join(", ")}.`);
  const host = name === undefined ? undefined : findHost(hostsOf(await readEntries(client, "ssh")), name).name;
  const confirming = await editConfirming(client, (before) => (host === undefined ? { ...before, all: when } : { ...before, hosts: { ...before.hosts, [host]: when } }));
  output.receipt(confirming, textOf(confirming));
}

function isWhen(text: string): text is When {
  return (whens as readonly string[]).includes(text);
}

function textOf({ all, hosts }: { readonly all: When; readonly hosts: Readonly<Record<string, When>> }): string {
  return [`A signature of this device's agent of SSH ${texts[all]}.`, ...Object.entries(hosts).map(([name, when]) => `A login to ${name} ${texts[when]}.`)].join("\n");
}
