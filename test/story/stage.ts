import { openPlace, type Place, type PortalProcess, type Ran } from "../support/processes.ts";

/** One thing that the audience sees. */
export type Scene =
  | { readonly kind: "title"; readonly text: string }
  | { readonly kind: "command"; readonly who: string; readonly line: string; readonly said: string; readonly error: string; readonly status: number | null };

/** A stage: real devices and a portal; what happens on it is written down and told as it happens. */
export type Stage = {
  readonly scenes: readonly Scene[];
  readonly portal: PortalProcess;
  title(text: string): void;
  /** Types a line on a device, whose end must be as foreseen. */
  types(who: string, line: string, foreseen?: number): Promise<Ran>;
  close(): Promise<void>;
};

/**
 * Sets the stage; every scene is handed to `tell` when it has happened.
 *
 * What would be asked or found out elsewhere comes by the environment, so that the lines are those of a person: the portal
 * (DNS knows it), the name of the device (its host name), its passphrase (she is asked).
 */
export async function openStage(tell: (scene: Scene) => void): Promise<Stage> {
  const place: Place = openPlace();
  const portal = await place.portal();
  const scenes: Scene[] = [];
  const show = (scene: Scene): void => {
    scenes.push(scene);
    tell(scene);
  };
  const passphrase = place.file("passphrase", "correct horse battery staple\n");
  const short = (text: string): string => text.replaceAll(` --portal '${portal.url}'`, "").replaceAll(place.folder, "~");
  return {
    scenes,
    portal,
    title: (text) => show({ kind: "title", text }),
    types: async (who, line, foreseen = 0) => {
      const ran = await place.shell(who, line, { MESH_PORTAL: portal.url, MESH_DEVICE_NAME: who === "stranger" ? "laptop" : who, MESH_PASSPHRASE_FILE: passphrase });
      show({ kind: "command", who, line, said: short(ran.stdout), error: short(ran.stderr), status: ran.status });
      if (ran.status !== foreseen) throw new Error(`The story went another way: exit ${ran.status ?? ran.signal} and not ${foreseen}.`);
      return ran;
    },
    close: () => place.close(),
  };
}

/** The words that a device showed, or throws. */
export function wordsIn(ran: Ran, count: number): string {
  const found = new RegExp(`^\\s+((?:[a-z]+ ){${count - 1}}[a-z]+)$`, "m").exec(ran.stdout + ran.stderr)?.[1];
  if (found === undefined) throw new Error(`no ${count} words in ${ran.stdout}${ran.stderr}`);
  return found;
}
