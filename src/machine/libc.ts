import { closeSync, readSync, writeSync } from "node:fs";

/** Who is at the other end of a local socket, as the kernel says it. */
export type Peer = { readonly pid: number; readonly uid: number; readonly gid: number };

/** What of the C library is called by name, since Node has no door to it (decision record 16). */
export type Libc = {
  /** malloc_trim(3): gives free pages back from the middle of the heap. */
  readonly trim: () => void;
  /** PR_SET_DUMPABLE: no core dump, and no other process of the same user looks into this one's memory. True if it holds. */
  readonly forbidDumps: () => boolean;
  /** RLIMIT_CORE 0: no core file, whoever asks for one. True if it holds. */
  readonly forbidCoreFiles: () => boolean;
  /** SO_PEERCRED of a local socket's descriptor; undefined where the kernel does not say. */
  readonly peerOf: (descriptor: number) => Peer | undefined;
};

const [PR_GET_DUMPABLE, PR_SET_DUMPABLE, RLIMIT_CORE, SOL_SOCKET, SO_PEERCRED] = [3, 4, 4, 1, 17];
const NONE = 0n;

let known: Promise<Libc | undefined> | undefined;

/** The C library; undefined on another system, with another library, or where the engine was told to do without. */
export function libc(): Promise<Libc | undefined> {
  return (known ??= load());
}

async function load(): Promise<Libc | undefined> {
  // The numbers above are Linux's, on the machines that the pinned Node runs on.
  if (process.platform !== "linux" || !["x64", "arm64"].includes(process.arch)) return undefined;
  try {
    const { dlopen, types } = await import("node:ffi");
    const { INT_32, UINT_64, BUFFER } = types;
    const library = dlopen("libc.so.6", {
      malloc_trim: { arguments: [UINT_64], return: INT_32 },
      prctl: { arguments: [INT_32, UINT_64, UINT_64, UINT_64, UINT_64], return: INT_32 },
      setrlimit: { arguments: [INT_32, BUFFER], return: INT_32 },
      getsockopt: { arguments: [INT_32, INT_32, INT_32, BUFFER, BUFFER], return: INT_32 },
    });
    const { functions } = library;
    return {
      trim: () => void functions.malloc_trim(NONE),
      forbidDumps: () => {
        functions.prctl(PR_SET_DUMPABLE, NONE, NONE, NONE, NONE);
        return functions.prctl(PR_GET_DUMPABLE, NONE, NONE, NONE, NONE) === 0;
      },
      forbidCoreFiles: () => functions.setrlimit(RLIMIT_CORE, Buffer.alloc(16)) === 0,
      peerOf: (descriptor) => {
        const [credentials, length] = [Buffer.alloc(12), Buffer.alloc(4)];
        length.writeUInt32LE(credentials.length);
        if (functions.getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, credentials, length) !== 0 || length.readUInt32LE() !== credentials.length) return undefined;
        return { pid: credentials.readInt32LE(0), uid: credentials.readUInt32LE(4), gid: credentials.readUInt32LE(8) };
      },
    };
  } catch {
    return undefined;
  }
}

/** What a process needs that comes with one question and ends with its answer: no event loop, and none of the modules around one, which take longer to load than the answer takes. */
export type LocalLine = {
  readonly isTerminal: (descriptor: number) => boolean;
  /** Says a line at a local socket, and waits for all that is said until the other end closes: at most `most` octets, no pause longer than `patience` milliseconds. Undefined where that does not go. */
  readonly exchange: (path: string, line: string, patience: number, most: number) => Buffer | undefined;
};

const [AF_UNIX, SOCK_STREAM, SOCK_CLOEXEC, SO_RCVTIMEO, SO_SNDTIMEO] = [1, 1, 0o2000000, 20, 21];
/** `sockaddr_un`: its family, and a path that ends with an octet of zero. */
const [ADDRESS_OCTETS, PATH_AT] = [110, 2];

/** The way to a local socket by the C library alone; undefined as `libc`. */
export function localLine(): LocalLine | undefined {
  if (process.platform !== "linux" || !["x64", "arm64"].includes(process.arch)) return undefined;
  const { emitWarning } = process;
  try {
    // Its caller is about to end: nobody would read that the door is experimental, and to say so takes longer than to open it.
    process.emitWarning = () => {};
    const { dlopen, types } = process.getBuiltinModule("node:ffi");
    const { INT_32, BUFFER } = types;
    const { functions } = dlopen("libc.so.6", {
      socket: { arguments: [INT_32, INT_32, INT_32], return: INT_32 },
      setsockopt: { arguments: [INT_32, INT_32, INT_32, BUFFER, INT_32], return: INT_32 },
      connect: { arguments: [INT_32, BUFFER, INT_32], return: INT_32 },
      isatty: { arguments: [INT_32], return: INT_32 },
    });
    const connected = (path: string, patience: number): number | undefined => {
      const [octets, address, time] = [Buffer.from(path), Buffer.alloc(ADDRESS_OCTETS), Buffer.alloc(16)];
      if (octets.length >= ADDRESS_OCTETS - PATH_AT) return undefined;
      const descriptor = functions.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
      if (descriptor < 0) return undefined;
      address.writeUInt16LE(AF_UNIX);
      address.set(octets, PATH_AT);
      time.writeBigInt64LE(BigInt(Math.ceil(patience / 1000)));
      for (const option of [SO_RCVTIMEO, SO_SNDTIMEO]) functions.setsockopt(descriptor, SOL_SOCKET, option, time, time.length);
      if (functions.connect(descriptor, address, address.length) === 0) return descriptor;
      closeSync(descriptor);
      return undefined;
    };
    return {
      isTerminal: (descriptor) => functions.isatty(descriptor) === 1,
      exchange: (path, line, patience, most) => {
        const descriptor = connected(path, patience);
        if (descriptor === undefined) return undefined;
        try {
          const said = Buffer.from(line);
          for (let at = 0; at < said.length; ) at += writeSync(descriptor, said, at);
          return allOf(descriptor, most);
        } catch {
          return undefined;
        } finally {
          closeSync(descriptor);
        }
      },
    };
  } catch {
    return undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** What comes until the other end closes; undefined where it is too much. */
function allOf(descriptor: number, most: number): Buffer | undefined {
  const pieces: Buffer[] = [];
  for (let length = 0; length <= most; ) {
    const piece = Buffer.allocUnsafe(length === 0 ? 8 * 1024 : 1024 * 1024);
    const got = readSync(descriptor, piece);
    if (got === 0) return Buffer.concat(pieces);
    pieces.push(piece.subarray(0, got));
    length += got;
  }
  return undefined;
}
