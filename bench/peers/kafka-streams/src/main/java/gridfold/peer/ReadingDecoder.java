package gridfold.peer;

import java.time.DateTimeException;
import java.time.OffsetDateTime;

/** Decodes the JSON of a telemetry record into a {@link Reading}. */
final class ReadingDecoder {
    private static final NameTable NAMES =
            new NameTable("serial", "kind", "deviceTime", "receiveTime", "txid", "fields");
    private static final NameTable KINDS = new NameTable("powerwall");
    private static final int SERIAL = NAMES.indexOf("serial");
    private static final int KIND = NAMES.indexOf("kind");
    private static final int DEVICE_TIME = NAMES.indexOf("deviceTime");
    private static final int RECEIVE_TIME = NAMES.indexOf("receiveTime");
    private static final int TXID = NAMES.indexOf("txid");
    private static final int FIELDS = NAMES.indexOf("fields");
    private static final int REQUIRED = 1 << SERIAL | 1 << KIND | 1 << DEVICE_TIME | 1 << FIELDS;

    private final JsonCursor json = new JsonCursor();

    /** Whether `value` is a reading of a home battery; only then `reading` holds it. */
    boolean decode(byte[] value, Reading reading) {
        reading.clear();
        json.reset(value);
        try {
            return members(reading);
        } catch (JsonCursor.Malformed | ArrayIndexOutOfBoundsException | DateTimeException e) {
            return false;
        }
    }

    private boolean members(Reading reading) {
        int seen = 0;
        json.beginObject();
        for (boolean isFirst = true; json.nextMember(isFirst); isFirst = false) {
            int name = NAMES.find(json.bytes, json.textStart, json.textEnd);
            if (name < 0) {
                json.skipValue();
                continue;
            }
            seen |= 1 << name;
            if (name == FIELDS) fields(reading);
            else if (name == DEVICE_TIME) reading.deviceTime = time();
            else if (name == RECEIVE_TIME) reading.receiveTime = time();
            else if (!text(name, reading)) return false;
        }
        return (seen & REQUIRED) == REQUIRED;
    }

    private boolean text(int name, Reading reading) {
        json.string();
        if (name == KIND) return KINDS.find(json.bytes, json.textStart, json.textEnd) == 0;
        if (name == TXID) reading.txidHash = Hash64.of(json.bytes, json.textStart, json.textEnd);
        return true;
    }

    /** Epoch milliseconds, or RFC 3339 with offset. */
    private long time() {
        if (json.peek() != '"') return (long) json.number();
        json.string();
        return OffsetDateTime.parse(json.text()).toInstant().toEpochMilli();
    }

    private void fields(Reading reading) {
        json.beginObject();
        int from = json.at;
        for (boolean isFirst = true; json.nextMember(isFirst); isFirst = false) {
            int field = Fields.NAMES.find(json.bytes, json.textStart, json.textEnd);
            if (field < 0) {
                json.skipValue();
                continue;
            }
            reading.present |= 1 << field;
            if (json.takeNull()) reading.invalid |= 1 << field;
            else if (field == Fields.GRID_STATUS) gridStatus(reading);
            else reading.values[field] = json.number();
        }
        reading.contentHash = Hash64.of(json.bytes, from, json.at);
    }

    private void gridStatus(Reading reading) {
        json.string();
        int word = Fields.GRID_WORDS.find(json.bytes, json.textStart, json.textEnd);
        if (word < 0) reading.invalid |= 1 << Fields.GRID_STATUS;
        else reading.values[Fields.GRID_STATUS] = word;
    }
}
