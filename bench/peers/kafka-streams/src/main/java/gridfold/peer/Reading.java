package gridfold.peer;

/** One telemetry record, decoded; used again for every record. Times are epoch milliseconds. */
final class Reading {
    static final long NO_TIME = -1;

    long deviceTime;
    long receiveTime;
    /** Fields that it tells, as bits, and those of them that it reports as invalid. */
    int present;
    int invalid;
    final double[] values = new double[Fields.COUNT];
    /** 0 where it has no `txid`. */
    long txidHash;
    /** Of the fields as they stand in the record. */
    long contentHash;

    void clear() {
        deviceTime = receiveTime = NO_TIME;
        present = invalid = 0;
        txidHash = contentHash = 0;
    }

    int valid() {
        return present & ~invalid;
    }

    boolean tells(int field) {
        return (valid() >>> field & 1) != 0;
    }
}
