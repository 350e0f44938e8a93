package gridfold.peer;

/** What the battery does, by its power. A change counts when a second reading in a row confirms it. */
final class Operation {
    static final String[] STATES = {"initializing", "standby", "charging", "discharging"};
    static final int INITIALIZING = 0;
    private static final int STANDBY = 1;
    private static final int CHARGING = 2;
    private static final int DISCHARGING = 3;

    /** Power beyond which the battery works, and within which it rests, W. Between the two it goes on as it was. */
    private static final double WORKS_W = 100;
    private static final double RESTS_W = 50;

    static void fold(AssetState asset, Reading reading, Facts facts) {
        if (!reading.tells(Fields.POWER)) return;
        Region region = asset.operation;
        long t = reading.deviceTime;
        if (region.state == INITIALIZING) region.enter(STANDBY, t, "state", facts);
        int wanted = stateAt(reading.values[Fields.POWER], region.state);
        if (wanted == region.state) {
            asset.pendingOperation = 0;
        } else if (asset.pendingOperation == wanted + 1) {
            asset.pendingOperation = 0;
            region.enter(wanted, t, "power", facts);
        } else {
            asset.pendingOperation = wanted + 1;
        }
    }

    private static int stateAt(double powerW, int state) {
        if (powerW > WORKS_W) return DISCHARGING;
        if (powerW < -WORKS_W) return CHARGING;
        return Math.abs(powerW) <= RESTS_W ? STANDBY : state;
    }

    private Operation() {}
}
