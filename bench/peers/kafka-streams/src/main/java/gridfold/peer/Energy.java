package gridfold.peer;

/**
 * Energy through the asset in 15 minutes: what its lifetime counters counted, spread evenly since the reading before;
 * without a counter a power holds until the next one.
 */
final class Energy {
    static final long QUARTER_MS = 900_000;
    static final double HOUR_MS = 3_600_000;
    /** How long a value holds at most when no other follows. */
    static final long LONGEST_HOLD_MS = 15 * 60_000;

    private static final int COUNTERS = 1 << Fields.ENERGY_OUT | 1 << Fields.ENERGY_IN;

    /** Adds the energy from the reading before to this one; call it before the fields of `reading` are applied. */
    static void fold(AssetState asset, Reading reading, Facts facts) {
        double flowOut = increase(asset, reading, Fields.ENERGY_OUT);
        double flowIn = increase(asset, reading, Fields.ENERGY_IN);
        boolean isCounted = (asset.known & COUNTERS) != 0;
        long last = asset.lastDeviceTime;
        long t = reading.deviceTime;
        long heldTo = heldTo(asset, Fields.POWER, t);
        if (heldTo > last) {
            double heldWh = asset.values[Fields.POWER] * (heldTo - last) / HOUR_MS;
            if (heldWh > 0 && !asset.has(Fields.ENERGY_OUT)) flowOut = heldWh;
            if (heldWh < 0 && !asset.has(Fields.ENERGY_IN)) flowIn = -heldWh;
        }
        long coveredTo = Math.max(heldTo, Math.max(heldTo(asset, Fields.ENERGY_OUT, t), heldTo(asset, Fields.ENERGY_IN, t)));
        asset.totalOutWh += flowOut;
        asset.totalInWh += flowIn;
        spread(asset, t, flowOut, flowIn, coveredTo, isCounted, facts);
    }

    /** What a lifetime counter counted since it was told last, Wh; one that fell began anew at 0. */
    private static double increase(AssetState asset, Reading reading, int field) {
        if (!asset.has(field) || !reading.tells(field)) return 0;
        double before = asset.values[field];
        double after = reading.values[field];
        return after >= before ? after - before : after;
    }

    /** Until when in this turn the value of a field holds. */
    static long heldTo(AssetState asset, int field, long t) {
        long last = asset.lastDeviceTime;
        if (!asset.holds(field)) return last;
        return Math.max(last, Math.min(t, asset.toldAt(field) + LONGEST_HOLD_MS));
    }

    private static void spread(
            AssetState asset, long t, double flowOut, double flowIn, long coveredTo, boolean isCounted, Facts facts) {
        long last = asset.lastDeviceTime;
        long newest = t / QUARTER_MS;
        for (long quarter = last / QUARTER_MS; quarter <= newest; quarter++) {
            long from = Math.max(last, quarter * QUARTER_MS);
            long to = Math.min(t, (quarter + 1) * QUARTER_MS);
            double share = (double) (to - from) / (t - last);
            asset.outWh += flowOut * share;
            asset.inWh += flowIn * share;
            asset.coveredMs += (int) Math.max(0, Math.min(to, coveredTo) - from);
            if (quarter < newest) close(asset, quarter, isCounted, facts);
        }
    }

    private static void close(AssetState asset, long quarter, boolean isCounted, Facts facts) {
        if (asset.inWh != 0 || asset.outWh != 0 || asset.coveredMs != 0) {
            facts.energy(quarter * QUARTER_MS, asset.inWh, asset.outWh, isCounted, asset.coveredMs);
        }
        asset.inWh = asset.outWh = 0;
        asset.coveredMs = 0;
    }

    private Energy() {}
}
