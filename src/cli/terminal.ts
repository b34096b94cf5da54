import { StringDecoder } from "node:string_decoder";

import { MeshError } from "../refusals/mesh-error.ts";

/**
 * Asks one line of the terminal, on standard error.
 *
 * Hidden lines are read raw: nothing is echoed, not even their length. The terminal is as it was when this returns.
 * @throws MeshError `interrupted` on Ctrl-C; `input-needed` when the terminal ends before a line does
 */
export function askTerminal(question: string, show: boolean): Promise<string> {
  const { stdin, stderr } = process;
  const decoder = new StringDecoder("utf8");
  return new Promise((resolve, reject) => {
    let line = "";
    const raw = !show;
    const finish = (settle: () => void): void => {
      stdin.off("data", take);
      stdin.off("end", end);
      if (raw) {
        stdin.setRawMode(false);
        stderr.write("\n");
      }
      // Else the open terminal keeps the process alive.
      stdin.pause();
      settle();
    };
    const take = (octets: Buffer): void => {
      for (const character of decoder.write(octets)) {
        if (character === "\r" || character === "\n") return finish(() => resolve(line));
        else if (raw && character === "\u0003") return finish(() => reject(new MeshError("interrupted", "Interrupted.")));
        else if (raw && character === "\u0004" && line === "") return end();
        else if (raw && (character === "\u007F" || character === "\b")) line = [...line].slice(0, -1).join("");
        else if (raw && character === "\u0015") line = "";
        else if (character >= " ") line += character;
      }
    };
    const end = (): void => finish(() => reject(new MeshError("input-needed", "Nothing was typed.")));
    // Raw before the question is there: whoever answers at once must neither be shown nor be lost.
    if (raw) stdin.setRawMode(true);
    stdin.on("data", take);
    stdin.on("end", end);
    stdin.resume();
    stderr.write(question);
  });
}
