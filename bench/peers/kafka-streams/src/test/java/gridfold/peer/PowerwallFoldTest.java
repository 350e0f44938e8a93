package gridfold.peer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import gridfold.peer.PowerwallFold.Outcome;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PowerwallFoldTest {
    private static final long START = 1780293600000L;
    private static final long MINUTE = 60_000;

    private final AssetState asset = new AssetState();
    private final List<String> said = new ArrayList<>();

    @Test
    void beginsWithTheFirstReading() {
        fold(0, 0, 1000, 500);
        assertEquals(List.of("connectivity never>online 0", "grid unknown>gridTied 0", "operation initializing>standby 0",
                "connectivity online 0..", "grid gridTied 0..", "operation standby 0.."), said);
    }

    @Test
    void changesWhenASecondReadingConfirms() {
        fold(0, 0, 1000, 500);
        said.clear();
        fold(1, 2000, 1000, 500);
        fold(2, 0, 1000, 500);
        fold(3, 2000, 1000, 500);
        assertEquals(List.of(), said);
        fold(4, 2000, 1000, 500);
        assertEquals(List.of("operation standby>discharging 4", "operation standby 0..4", "operation discharging 4.."), said);
        said.clear();
        fold(5, 80, 1000, 500);
        fold(6, 80, 1000, 500);
        assertEquals(List.of(), said);
    }

    @Test
    void countsWhatIsNotTheNewest() {
        fold(0, 0, 1000, 500);
        fold(2, 0, 1000, 500);
        said.clear();
        assertEquals(Outcome.DUPLICATE, fold(2, 0, 1000, 500));
        assertEquals(Outcome.LATE, fold(1, 2000, 1000, 500));
        assertEquals(List.of(), said);
        assertEquals(List.of(2, 1, 1), List.of(asset.revision, asset.duplicates, asset.late));
    }

    @Test
    void tellsASilenceWhenItEnds() {
        fold(0, 0, 1000, 500);
        said.clear();
        fold(60, 0, 1000, 500);
        assertEquals(List.of("connectivity online>stale 15", "connectivity online 0..15", "connectivity stale>offline 30",
                "connectivity stale 15..30", "connectivity offline>online 60", "connectivity offline 30..60"),
                said.subList(0, 6));
    }

    @Test
    void spreadsCountersOverQuarters() {
        fold(0, 1000, 1000, 500);
        fold(10, 1000, 1200, 500);
        said.clear();
        fold(20, 1000, 1300, 540);
        assertEquals(List.of("meters 0 load 250.0 import 0.0 export 125.0 900000", "energy 0 out 250.0 in 20.0 900000"), said);
        assertEquals(50, asset.outWh);
        assertEquals(5 * MINUTE, asset.coveredMs);
    }

    private Outcome fold(int minute, double powerW, double outWh, double inWh) {
        Reading reading = new Reading();
        reading.clear();
        reading.deviceTime = START + minute * MINUTE;
        reading.contentHash = reading.deviceTime + Double.hashCode(powerW);
        tell(reading, Fields.POWER, powerW);
        tell(reading, Fields.ENERGY_OUT, outWh);
        tell(reading, Fields.ENERGY_IN, inWh);
        tell(reading, Fields.SITE, -500);
        tell(reading, Fields.LOAD, 1000);
        tell(reading, Fields.SOLAR, 500);
        tell(reading, Fields.GRID_STATUS, 0);
        StateCodec codec = new StateCodec();
        Outcome outcome = PowerwallFold.fold(asset, reading, new Notes());
        byte[] bytes = codec.encode(asset);
        AssetState read = new AssetState();
        codec.decode(bytes, read);
        assertArrayEquals(bytes, codec.encode(read));
        return outcome;
    }

    private static void tell(Reading reading, int field, double value) {
        reading.present |= 1 << field;
        reading.values[field] = value;
    }

    /** Facts as short texts, times in minutes. */
    private final class Notes implements Facts {
        @Override
        public void transition(String region, String from, String to, long at, int nth, String cause, long leftAfterMs) {
            said.add(region + " " + from + ">" + to + " " + minute(at));
        }

        @Override
        public void interval(String region, String state, long fromTime, long toTime) {
            said.add(region + " " + state + " " + minute(fromTime) + ".." + (toTime == OPEN ? "" : minute(toTime)));
        }

        @Override
        public void energy(long startTime, double inWh, double outWh, boolean isCounted, int coveredMs) {
            said.add("energy " + minute(startTime) + " out " + outWh + " in " + inWh + " " + coveredMs);
        }

        @Override
        public void meters(
                long startTime, double loadWh, double solarWh, double importWh, double exportWh, int coveredMs) {
            said.add("meters " + minute(startTime) + " load " + loadWh + " import " + importWh + " export " + exportWh
                    + " " + coveredMs);
        }

        private String minute(long t) {
            return String.valueOf((t - START) / MINUTE);
        }
    }
}
