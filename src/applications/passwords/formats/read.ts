import type { Entry } from "../../../catalogs/merge.ts";
import { demand, MeshError } from "../../../refusals/mesh-error.ts";
import { csvFormatOf, readCsvFormat } from "./csv-formats.ts";
import { readCsv } from "./csv.ts";
import { damaged } from "./damage.ts";
import { isUtf8, objectIn, textIn } from "./decode.ts";
import { type FormatName, formats } from "./formats.ts";
import type { Failure, Item } from "./item.ts";
import { checkItems, maxFileOctets } from "./limits.ts";
import type { FileKeyOptions } from "./mesh-file.ts";
import { type Contents, type Plan, planImport, planRestore } from "./plan.ts";

/** How a file is to be read. */
export type Reading = {
  readonly octets: Uint8Array;
  /** Which format it is; by default what its content says. */
  readonly format?: FormatName;
  /** Takes what can be read of a damaged file. */
  readonly partial: boolean;
  /** Asks for the file's password, where it has one; in UTF-8. */
  readonly password: () => Promise<Uint8Array>;
  readonly keys?: FileKeyOptions;
};

/** A file that was read: its format, how much it holds, whether there are files within its items, and what bringing all that into a catalog would do. */
export type ReadFile = { readonly format: FormatName; readonly items: number; readonly hasFiles: boolean; readonly plan: (entries: readonly Entry[]) => Plan };

/**
 * Reads a file of passwords of any format that we know.
 * @throws MeshError `import-unknown-format`, `import-damaged`, `import-too-large`, `import-unsupported`, `import-newer`,
 * `import-wrong-password`, `password-key-parameters`
 */
export async function readPasswords(reading: Reading): Promise<ReadFile> {
  demand(reading.octets.length <= maxFileOctets, "import-too-large", `The file is larger than ${maxFileOctets / 1024 / 1024} MiB.`);
  const format = reading.format ?? formatOf(reading.octets);
  if (format === "mesh") {
    const { readMeshFile, meshFileIn } = await import("./mesh-file.ts");
    const { object, failed } = objectIn(reading.octets, reading.partial);
    const filed = await readMeshFile(object, meshFileIn(object)?.sealed === true ? await reading.password() : undefined, reading.keys);
    return { format, items: filed.entries.length + failed.length, hasFiles: filed.attached.size > 0, plan: (entries) => withFailed(planRestore(entries, filed), failed) };
  }
  const contents = wholeOnly(reading, await contentsOf(format, reading));
  checkItems(contents.items.length);
  return { format, items: contents.items.length + contents.failed.length, hasFiles: contents.items.some(({ files }) => files.length > 0), plan: (entries) => planImport(entries, contents) };
}

function withFailed<T extends { readonly failed: readonly Failure[] }>(result: T, failed: readonly Failure[]): T {
  return failed.length === 0 ? result : { ...result, failed: [...failed, ...result.failed] };
}

/** Where a damaged file is no text somewhere, leaves out what that touches: nobody wants half a password. */
function wholeOnly({ octets, partial }: Reading, contents: Contents): Contents {
  if (!partial || isUtf8(octets)) return contents;
  const isWhole = (item: Item): boolean => !JSON.stringify({ ...item, files: [] }).includes("\uFFFD");
  const failed = contents.items.filter((item) => !isWhole(item)).map(({ title }) => ({ title, why: "Something in it is no text in UTF-8." }));
  return withFailed({ ...contents, items: contents.items.filter(isWhole) }, failed);
}

async function contentsOf(format: Exclude<FormatName, "mesh">, { octets, partial, password }: Reading): Promise<Contents> {
  switch (format) {
    case "bitwarden": {
      const { readBitwarden } = await import("./bitwarden-read.ts");
      const { isEncryptedBitwarden, openBitwarden } = await import("./bitwarden-protected.ts");
      const outer = objectIn(octets, partial);
      const { object, failed } = isEncryptedBitwarden(outer.object) ? objectIn(await openBitwarden(outer.object, password), partial) : outer;
      return withFailed(readBitwarden(object), failed);
    }
    case "keepassxc-xml": {
      const [{ keepassDocument }, { readKeepass }, { filesIn }] = await Promise.all([import("./keepass-document.ts"), import("./keepass-read.ts"), import("./keepass-files.ts")]);
      const document = keepassDocument(textIn(octets, partial));
      const files = await filesIn(document.root);
      return readKeepass(document, (reference) => files.get(reference), partial);
    }
    case "kdbx": {
      const [{ openKdbx }, { keepassDocument }, { readKeepass }] = await Promise.all([import("./kdbx.ts"), import("./keepass-document.ts"), import("./keepass-read.ts")]);
      const { xml, unhide, files, cut } = await openKdbx(octets, password, partial);
      return readKeepass(keepassDocument(textIn(xml, cut), unhide), (reference) => files.get(reference), partial);
    }
    case "1pux": {
      const [{ Zip }, { readOnePux }] = await Promise.all([import("./zip.ts"), import("./one-pux.ts")]);
      const zip = new Zip(octets);
      const data = await zip.read("export.data");
      if (data === undefined || data.damaged) throw damaged("the archive holds no whole export.data.");
      return readOnePux(objectIn(data.octets, false).object, async (path) => {
        const file = await zip.read(path);
        return file === undefined || file.damaged ? undefined : file.octets;
      });
    }
    default:
      return readCsvFormat(format, textIn(octets, partial), partial);
  }
}

/**
 * Tells the format of a file from what it holds.
 * @throws MeshError `import-unknown-format`; `import-damaged` if it begins as one that we know and goes on otherwise
 */
export function formatOf(octets: Uint8Array): FormatName {
  if (begins(octets, [0x03, 0xd9, 0xa2, 0x9a])) return "kdbx";
  if (begins(octets, [0x50, 0x4b])) return "1pux";
  const start = textIn(octets.subarray(0, 4096), true).replace(/^\uFEFF?\s+/u, "").replace(/^\uFEFF/u, "");
  if (start.startsWith("<?xml") || start.startsWith("<KeePassFile")) return "keepassxc-xml";
  if (start.startsWith("{")) {
    if (/"format"\s*:\s*"mesh-passwords"/.test(start)) return "mesh";
    if (/"(?:encrypted|items|folders|collections|passwordProtected)"\s*:/.test(start)) return "bitwarden";
    throw unknown();
  }
  const found = csvFormatOf(readCsv(start.split("\n").slice(0, 1).join("\n")).rows[0] ?? []);
  if (found === undefined) throw unknown();
  return found.program as FormatName;
}

function unknown(): MeshError {
  return new MeshError("import-unknown-format", "The file is of no format that can be read.", `Say which with --format, if it is one of these: ${formats.map(({ name }) => name).join(", ")}.`);
}

function begins(octets: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((octet, at) => octets[at] === octet);
}
