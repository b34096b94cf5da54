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
