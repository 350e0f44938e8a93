package gridfold.peer;

/** Energy at the meters of the home in 15 minutes: each power holds until the next one. */
final class Meters {
    /** Adds what the meters said last; call it before the fields of the reading at `t` are applied. */
    static void fold(AssetState asset, long t, Facts facts) {
        if ((asset.known & Fields.METERS) == 0) return;
        long siteTo = Energy.heldTo(asset, Fields.SITE, t);
        long loadTo = Energy.heldTo(asset, Fields.LOAD, t);
        long solarTo = Energy.heldTo(asset, Fields.SOLAR, t);
        long allTo = Math.min(siteTo, Math.min(loadTo, solarTo));
        long last = asset.lastDeviceTime;
        long newest = t / Energy.QUARTER_MS;
        for (long quarter = last / Energy.QUARTER_MS; quarter <= newest; quarter++) {
            long from = Math.max(last, quarter * Energy.QUARTER_MS);
            long to = Math.min(t, (quarter + 1) * Energy.QUARTER_MS);
            double site = wattHours(asset, Fields.SITE, from, Math.min(to, siteTo));
            if (site > 0) asset.importWh += site;
            else asset.exportWh -= site;
            asset.loadWh += wattHours(asset, Fields.LOAD, from, Math.min(to, loadTo));
            asset.solarWh += wattHours(asset, Fields.SOLAR, from, Math.min(to, solarTo));
            asset.meterCoveredMs += (int) Math.max(0, Math.min(to, allTo) - from);
            if (quarter < newest) close(asset, quarter, facts);
        }
    }

    private static double wattHours(AssetState asset, int field, long from, long to) {
        return to <= from ? 0 : asset.values[field] * (to - from) / Energy.HOUR_MS;
    }

    private static void close(AssetState asset, long quarter, Facts facts) {
        boolean isEmpty = asset.loadWh == 0 && asset.solarWh == 0 && asset.importWh == 0 && asset.exportWh == 0;
        if (!isEmpty || asset.meterCoveredMs != 0) {
            facts.meters(quarter * Energy.QUARTER_MS,
                    asset.loadWh, asset.solarWh, asset.importWh, asset.exportWh, asset.meterCoveredMs);
        }
        asset.loadWh = asset.solarWh = asset.importWh = asset.exportWh = 0;
        asset.meterCoveredMs = 0;
    }

    private Meters() {}
}
