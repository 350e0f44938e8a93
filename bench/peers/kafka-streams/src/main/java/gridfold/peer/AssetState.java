package gridfold.peer;

/** What is kept of one asset; used again for every record. Times are epoch milliseconds, 0 for never. */
final class AssetState {
    long lastDeviceTime;
    /** Readings applied. */
    int revision;
    int duplicates;
    int late;
    long txidHash;
    long contentHash;

    /** Fields that were ever told validly, those of them that the newest reading told, and those now invalid. */
    int known;
    int fresh;
    int invalid;
    final double[] values = new double[Fields.COUNT];
    /** When a field that is known and not fresh was told last. */
    final long[] times = new long[Fields.COUNT];

    final Region connectivity = new Region("connectivity", Connectivity.STATES);
    final Region grid = new Region("grid", Grid.STATES);
    final Region operation = new Region("operation", Operation.STATES);
    /** Change of power that waits for a second reading: the state it leads to plus 1, 0 for none. */
    int pendingOperation;

    /** Of the 15 minutes of the newest reading. */
    double outWh;
    double inWh;
    int coveredMs;
    double loadWh;
    double solarWh;
    double importWh;
    double exportWh;
    int meterCoveredMs;
    /** Since the first reading. */
    double totalOutWh;
    double totalInWh;

    boolean isNew() {
        return lastDeviceTime == 0;
    }

    boolean has(int field) {
        return (known >>> field & 1) != 0;
    }

    /** Whether the last thing said of a known field was a value. */
    boolean holds(int field) {
        return has(field) && (invalid >>> field & 1) == 0;
    }

    /** When a known field was told last. */
    long toldAt(int field) {
        return (fresh >>> field & 1) != 0 ? lastDeviceTime : times[field];
    }

    /** An asset that nobody heard of. */
    void clear() {
        lastDeviceTime = 0;
        revision = duplicates = late = 0;
        txidHash = contentHash = 0;
        known = fresh = invalid = 0;
        pendingOperation = 0;
        outWh = inWh = 0;
        coveredMs = 0;
        loadWh = solarWh = importWh = exportWh = 0;
        meterCoveredMs = 0;
        totalOutWh = totalInWh = 0;
    }
}
