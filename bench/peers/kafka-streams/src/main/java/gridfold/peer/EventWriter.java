package gridfold.peer;

import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/** Writes facts as derived events in JSON and hands each on. */
final class EventWriter implements Facts {
    private static final String MACHINE = "powerwall@peer";

    private final RunMeter meter;
    private final Consumer<byte[]> out;
    private final StringBuilder json = new StringBuilder(1024);
    private String topic;
    private int partition;
    private long offset;
    private byte[] key;
    private long recordTime;
    private AssetState asset;
    private int ordinal;
    private String serial;

    EventWriter(RunMeter meter, Consumer<byte[]> out) {
        this.meter = meter;
        this.out = out;
    }

    /** The events that follow are caused by the record at this place, of this asset. */
    void begin(String topic, int partition, long offset, byte[] key, long recordTime, AssetState asset) {
        this.topic = topic;
        this.partition = partition;
        this.offset = offset;
        this.key = key;
        this.recordTime = recordTime;
        this.asset = asset;
        ordinal = 0;
        serial = null;
    }

    @Override
    public void transition(String region, String from, String to, long at, int nth, String cause, long leftAfterMs) {
        meter.transitions.increment();
        head("state_transition", at);
        time(json.append(region).append('/'), at).append('/').append(nth);
        data().append("\"region\":\"").append(region).append("\",\"from\":\"").append(from);
        json.append("\",\"to\":\"").append(to).append("\",\"cause\":\"").append(cause).append("\",\"leftAfterMs\":");
        if (leftAfterMs == NO_DURATION) json.append("null");
        else json.append(leftAfterMs);
        end();
    }

    @Override
    public void interval(String region, String state, long fromTime, long toTime) {
        head("state_interval", fromTime);
        time(json.append(region).append('/'), fromTime);
        data().append("\"region\":\"").append(region).append("\",\"state\":\"").append(state);
        time(json.append("\",\"fromTime\":\""), fromTime).append("\",\"toTime\":");
        if (toTime == OPEN) json.append("null");
        else time(json.append('"'), toTime).append('"');
        end();
    }

    @Override
    public void energy(long startTime, double inWh, double outWh, boolean isCounted, int coveredMs) {
        quarter("energy_interval", startTime);
        wattHours(",\"inWh\":", inWh);
        wattHours(",\"outWh\":", outWh);
        json.append(",\"method\":\"").append(isCounted ? "counter" : "power").append('"');
        coverage(coveredMs);
        end();
    }

    @Override
    public void meters(
            long startTime, double loadWh, double solarWh, double importWh, double exportWh, int coveredMs) {
        quarter("meter_interval", startTime);
        wattHours(",\"loadWh\":", loadWh);
        wattHours(",\"solarWh\":", solarWh);
        wattHours(",\"importWh\":", importWh);
        wattHours(",\"exportWh\":", exportWh);
        coverage(coveredMs);
        end();
    }

    /** Everything up to the part of the key that follows the serial. */
    private void head(String type, long eventTime) {
        if (serial == null) serial = new String(key, StandardCharsets.UTF_8);
        json.setLength(0);
        json.append("{\"id\":\"").append(topic).append('-').append(partition).append('-').append(offset);
        json.append('-').append(ordinal++).append("\",\"type\":\"").append(type);
        json.append("\",\"serial\":\"").append(serial).append("\",\"kind\":\"powerwall\",\"siteId\":null");
        time(json.append(",\"eventTime\":\""), eventTime);
        time(json.append("\",\"recordTime\":\""), recordTime);
        json.append("\",\"key\":\"").append(serial).append('/');
    }

    private StringBuilder data() {
        json.append("\",\"version\":").append(asset.revision);
        return json.append(",\"op\":\"upsert\",\"machine\":\"").append(MACHINE).append("\",\"data\":{");
    }

    private void quarter(String type, long startTime) {
        head(type, startTime);
        time(json, startTime).append("/900");
        time(data().append("\"startTime\":\""), startTime).append("\",\"lengthS\":900");
    }

    /** A millionth of a Wh is the last digit. */
    private void wattHours(String name, double wh) {
        json.append(name).append(Math.rint(wh * 1e6) / 1e6);
    }

    private void coverage(int coveredMs) {
        json.append(",\"coverage\":").append((double) coveredMs / Energy.QUARTER_MS);
    }

    private void end() {
        meter.derived.increment();
        out.accept(json.append("}}").toString().getBytes(StandardCharsets.UTF_8));
    }

    private static StringBuilder time(StringBuilder out, long epochMs) {
        return IsoTime.append(out, epochMs);
    }
}
