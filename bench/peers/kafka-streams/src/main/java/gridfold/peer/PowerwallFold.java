package gridfold.peer;

/** The turn of a home battery: one reading onto its state. No clock, no I/O. */
final class PowerwallFold {
    enum Outcome { APPLIED, DUPLICATE, LATE }

    /** Folds `reading` and tells what follows from it. One that is not the newest is counted and changes nothing else. */
    static Outcome fold(AssetState asset, Reading reading, Facts facts) {
        long t = reading.deviceTime;
        if (!asset.isNew() && t <= asset.lastDeviceTime) {
            if (isRepeated(asset, reading)) {
                asset.duplicates++;
                return Outcome.DUPLICATE;
            }
            asset.late++;
            return Outcome.LATE;
        }
        asset.revision++;
        if (asset.isNew()) begin(asset, t, facts);
        else go(asset, reading, facts);
        apply(asset, reading);
        Grid.fold(asset, reading, facts);
        Operation.fold(asset, reading, facts);
        asset.connectivity.tell(facts);
        asset.grid.tell(facts);
        asset.operation.tell(facts);
        return Outcome.APPLIED;
    }

    private static boolean isRepeated(AssetState asset, Reading reading) {
        if (reading.deviceTime != asset.lastDeviceTime) return false;
        return reading.txidHash != 0 && reading.txidHash == asset.txidHash || reading.contentHash == asset.contentHash;
    }

    private static void begin(AssetState asset, long t, Facts facts) {
        Connectivity.begin(asset, t, facts);
        asset.grid.begin(Grid.UNKNOWN, t);
        asset.operation.begin(Operation.INITIALIZING, t);
    }

    /** What the time since the reading before amounts to. */
    private static void go(AssetState asset, Reading reading, Facts facts) {
        Connectivity.heard(asset, reading.deviceTime, facts);
        Meters.fold(asset, reading.deviceTime, facts);
        Energy.fold(asset, reading, facts);
    }

    private static void apply(AssetState asset, Reading reading) {
        int valid = reading.valid();
        for (int rest = asset.fresh & ~valid; rest != 0; rest &= rest - 1) {
            asset.times[Integer.numberOfTrailingZeros(rest)] = asset.lastDeviceTime;
        }
        for (int rest = valid; rest != 0; rest &= rest - 1) {
            int field = Integer.numberOfTrailingZeros(rest);
            asset.values[field] = reading.values[field];
        }
        asset.known |= valid;
        asset.fresh = valid;
        asset.invalid = asset.invalid & ~valid | reading.invalid;
        asset.lastDeviceTime = reading.deviceTime;
        asset.txidHash = reading.txidHash;
        asset.contentHash = reading.contentHash;
    }

    private PowerwallFold() {}
}
