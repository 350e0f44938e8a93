package gridfold.peer;

import java.nio.charset.StandardCharsets;

/**
 * Reads JSON from bytes, forward, without making objects. What is no JSON ends in {@link Malformed}, or in an
 * ArrayIndexOutOfBoundsException where the text ends too early.
 */
final class JsonCursor {
    static final class Malformed extends RuntimeException {
        private static final Malformed INSTANCE = new Malformed();

        private Malformed() {
            super("not JSON of the expected form", null, false, false);
        }
    }

    private static final int MAX_EXACT_DIGITS = 15;
    private static final double[] POWERS = new double[23];

    static {
        for (int i = 0; i < POWERS.length; i++) POWERS[i] = Double.parseDouble("1e" + i);
    }

    byte[] bytes;
    int at;
    /** Bounds of the string read last, without quotes and with its escapes as they stand. */
    int textStart;
    int textEnd;

    void reset(byte[] value) {
        bytes = value;
        at = 0;
    }

    /** The next byte that is no white space, not consumed. */
    byte peek() {
        byte b = bytes[at];
        while (b <= ' ') {
            if (b != ' ' && b != '\n' && b != '\r' && b != '\t') throw Malformed.INSTANCE;
            b = bytes[++at];
        }
        return b;
    }

    void beginObject() {
        expect('{');
    }

    /** Goes to the next member and reads its name into the text bounds; false at the end of the object. */
    boolean nextMember(boolean isFirst) {
        byte b = peek();
        if (b == '}') {
            at++;
            return false;
        }
        if (!isFirst) expect(',');
        string();
        expect(':');
        return true;
    }

    void string() {
        expect('"');
        textStart = at;
        int i = at;
        for (byte b = bytes[i]; b != '"'; b = bytes[++i]) if (b == '\\') i++;
        textEnd = i;
        at = i + 1;
    }

    String text() {
        return new String(bytes, textStart, textEnd - textStart, StandardCharsets.UTF_8);
    }

    boolean takeNull() {
        if (peek() != 'n') return false;
        skipValue();
        return true;
    }

    /** A number; exact without help up to 15 digits, which is what devices send. */
    double number() {
        peek();
        int start = at;
        boolean isNegative = bytes[at] == '-';
        if (isNegative) at++;
        long mantissa = 0;
        int digits = 0;
        int scale = 0;
        boolean isFraction = false;
        byte b = bytes[at];
        for (; ; b = bytes[++at]) {
            if (b >= '0' && b <= '9') {
                mantissa = mantissa * 10 + (b - '0');
                digits++;
                if (isFraction) scale++;
            } else if (b == '.' && !isFraction) {
                isFraction = true;
            } else {
                break;
            }
        }
        if (digits == 0) throw Malformed.INSTANCE;
        if (b == 'e' || b == 'E' || digits > MAX_EXACT_DIGITS) return slowNumber(start);
        double magnitude = scale == 0 ? mantissa : mantissa / POWERS[scale];
        return isNegative ? -magnitude : magnitude;
    }

    private double slowNumber(int start) {
        at = start;
        skipScalar();
        try {
            return Double.parseDouble(new String(bytes, start, at - start, StandardCharsets.US_ASCII));
        } catch (NumberFormatException e) {
            throw Malformed.INSTANCE;
        }
    }

    /** Any value, nested or not; its bounds are where the cursor was and is. */
    void skipValue() {
        byte b = peek();
        if (b == '"') {
            string();
        } else if (b == '{' || b == '[') {
            skipNested();
        } else {
            skipScalar();
        }
    }

    private void skipNested() {
        int depth = 0;
        do {
            byte b = peek();
            if (b == '"') {
                string();
                continue;
            }
            if (b == '{' || b == '[') depth++;
            else if (b == '}' || b == ']') depth--;
            at++;
        } while (depth > 0);
    }

    private void skipScalar() {
        int start = at;
        for (byte b = bytes[at]; b > ' ' && b != ',' && b != '}' && b != ']'; b = bytes[++at]) {}
        if (at == start) throw Malformed.INSTANCE;
    }

    private void expect(char wanted) {
        if (peek() != wanted) throw Malformed.INSTANCE;
        at++;
    }
}
