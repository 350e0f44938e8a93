package gridfold.peer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Finds a few known names in bytes without making strings of them. */
final class NameTable {
    private static final int SLOTS = 128;
    private final byte[][] names;
    private final int[] slots = new int[SLOTS];

    NameTable(String... names) {
        this.names = new byte[names.length][];
        Arrays.fill(slots, -1);
        for (int i = 0; i < names.length; i++) {
            byte[] name = names[i].getBytes(StandardCharsets.US_ASCII);
            this.names[i] = name;
            int slot = slotOf(name, 0, name.length);
            while (slots[slot] >= 0) slot = (slot + 1) % SLOTS;
            slots[slot] = i;
        }
    }

    int size() {
        return names.length;
    }

    int indexOf(String name) {
        byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
        return find(bytes, 0, bytes.length);
    }

    /** Index of the name that stands in `[from, to)`, or -1. */
    int find(byte[] bytes, int from, int to) {
        if (to == from) return -1;
        for (int slot = slotOf(bytes, from, to); slots[slot] >= 0; slot = (slot + 1) % SLOTS) {
            byte[] name = names[slots[slot]];
            if (Arrays.equals(name, 0, name.length, bytes, from, to)) return slots[slot];
        }
        return -1;
    }

    private static int slotOf(byte[] bytes, int from, int to) {
        return (bytes[from] * 31 + bytes[(from + to) >>> 1] * 7 + bytes[to - 1] + (to - from) * 5) & (SLOTS - 1);
    }
}
