package gridfold.peer;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** A 64-bit hash of bytes, eight at a time: tells contents apart. */
final class Hash64 {
    private static final VarHandle LONGS =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long SEED = 0x9e3779b97f4a7c15L;
    private static final long MULTIPLIER = 0xbf58476d1ce4e5b9L;

    /** Of `[from, to)`; never 0. */
    static long of(byte[] bytes, int from, int to) {
        long h = SEED ^ (to - from);
        int i = from;
        for (; i + Long.BYTES <= to; i += Long.BYTES) h = mix(h ^ (long) LONGS.get(bytes, i));
        long rest = 0;
        for (; i < to; i++) rest = rest << 8 | bytes[i] & 0xff;
        h = mix(mix(h ^ rest));
        return h == 0 ? 1 : h;
    }

    private static long mix(long h) {
        h *= MULTIPLIER;
        return h ^ h >>> 29;
    }

    private Hash64() {}
}
