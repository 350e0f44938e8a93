package gridfold.peer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ReadingDecoderTest {
    private static final String RECORD = """
            {"serial":"PW-1","kind":"powerwall","deviceTime":1780293600000,"txid":"a1","note":{"a":["}",{}],"b":"\\""},\
            "fields":{"powerW":-1500,"soc":0.7125,"energyOutWh":12690.5,"mode":"backup","loadW":null,\
            "gridStatus":"SystemIslandedActive"}}""";

    private final ReadingDecoder decoder = new ReadingDecoder();
    private final Reading reading = new Reading();

    @Test
    void readsAReading() {
        assertTrue(decode(RECORD));
        assertEquals(1780293600000L, reading.deviceTime);
        assertEquals(Reading.NO_TIME, reading.receiveTime);
        assertEquals(-1500, value("powerW"));
        assertEquals(0.7125, value("soc"));
        assertEquals(12690.5, value("energyOutWh"));
        assertEquals(Fields.GRID_WORDS.indexOf("SystemIslandedActive"), value("gridStatus"));
        assertEquals(1 << Fields.LOAD, reading.invalid);
        assertTrue(reading.tells(Fields.POWER));
        assertFalse(reading.tells(Fields.LOAD));
        assertFalse(reading.tells(Fields.SITE));
    }

    @Test
    void readsTimesWithOffset() {
        assertTrue(decode(RECORD.replace("1780293600000", "\"2026-06-01T08:00:00.250+02:00\"")));
        assertEquals(1780293600250L, reading.deviceTime);
    }

    @Test
    void readsNumbersAsTheLibraryDoes() {
        for (String number : new String[] {"0", "-0.5", "1e3", "-2.5E-7", "0.1234567890123456789", "123456789012345678"}) {
            assertTrue(decode(RECORD.replace("-1500", number)), number);
            assertEquals(Double.parseDouble(number), value("powerW"));
        }
    }

    @Test
    void toleratesSpace() {
        assertTrue(decode(RECORD.replace(",", " ,\n\t").replace(":", " : ")));
    }

    @Test
    void tellsContentsApart() {
        decode(RECORD);
        long content = reading.contentHash;
        long txid = reading.txidHash;
        decode(RECORD.replace("0.7125", "0.7126"));
        assertNotEquals(content, reading.contentHash);
        assertEquals(txid, reading.txidHash);
        decode(RECORD.replace("a1", "a2"));
        assertEquals(content, reading.contentHash);
        assertNotEquals(txid, reading.txidHash);
    }

    @Test
    void refusesWhatIsNoReading() {
        byte[] whole = RECORD.getBytes(StandardCharsets.UTF_8);
        for (int length = 0; length < whole.length; length++) {
            assertFalse(decoder.decode(Arrays.copyOf(whole, length), reading), "first " + length + " bytes");
        }
        for (String value : new String[] {"null", "[]", "{}", "{\"serial\":\"PW-1\"}"}) assertFalse(decode(value), value);
        assertFalse(decode(RECORD.replace("\"powerwall\"", "\"megapack\"")));
        assertFalse(decode(RECORD.replace("-1500", "\"much\"")));
        assertFalse(decode(RECORD.replace("1780293600000", "\"yesterday\"")));
    }

    private boolean decode(String value) {
        return decoder.decode(value.getBytes(StandardCharsets.UTF_8), reading);
    }

    private double value(String field) {
        return reading.values[Fields.NAMES.indexOf(field)];
    }
}
