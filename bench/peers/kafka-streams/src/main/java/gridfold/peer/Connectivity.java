package gridfold.peer;

/** Whether the asset is heard, by the distance of its device times. */
final class Connectivity {
    static final String[] STATES = {"never", "online", "stale", "offline"};
    private static final int NEVER = 0;
    private static final int ONLINE = 1;
    private static final int STALE = 2;
    private static final int OFFLINE = 3;

    private static final long CADENCE_MS = 5 * 60_000;
    private static final long STALE_AFTER_MS = 3 * CADENCE_MS;
    private static final long OFFLINE_AFTER_MS = STALE_AFTER_MS + 15 * 60_000;

    static void begin(AssetState asset, long t, Facts facts) {
        facts.transition(asset.connectivity.name, STATES[NEVER], STATES[ONLINE], t, 0, "message", Facts.NO_DURATION);
        asset.connectivity.begin(ONLINE, t);
    }

    /** A reading at `t`: tells what the silence before it was, if it was one. */
    static void heard(AssetState asset, long t, Facts facts) {
        long last = asset.lastDeviceTime;
        long silent = t - last;
        if (silent <= STALE_AFTER_MS) return;
        Region region = asset.connectivity;
        region.enter(STALE, last + STALE_AFTER_MS, "silence", facts);
        if (silent > OFFLINE_AFTER_MS) region.enter(OFFLINE, last + OFFLINE_AFTER_MS, "silence", facts);
        region.enter(ONLINE, t, "message", facts);
        asset.pendingOperation = 0;
    }

    private Connectivity() {}
}
