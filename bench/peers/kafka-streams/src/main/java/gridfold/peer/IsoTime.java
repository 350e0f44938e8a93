package gridfold.peer;

/** RFC 3339 in UTC with milliseconds. */
final class IsoTime {
    private static final long DAY_MS = 86_400_000;

    static StringBuilder append(StringBuilder out, long epochMs) {
        long day = Math.floorDiv(epochMs, DAY_MS);
        int ms = (int) Math.floorMod(epochMs, DAY_MS);
        appendDate(out, day);
        two(out.append('T'), ms / 3_600_000);
        two(out.append(':'), ms / 60_000 % 60);
        two(out.append(':'), ms / 1000 % 60);
        out.append('.').append((char) ('0' + ms % 1000 / 100));
        return two(out, ms % 100).append('Z');
    }

    /** Civil date of a day since 1970, after Howard Hinnant's algorithm: years begin in March. */
    private static void appendDate(StringBuilder out, long day) {
        long z = day + 719_468;
        long era = Math.floorDiv(z, 146_097);
        int ofEra = (int) (z - era * 146_097);
        int year = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365;
        int ofYear = ofEra - (365 * year + year / 4 - year / 100);
        int shifted = (5 * ofYear + 2) / 153;
        int month = shifted < 10 ? shifted + 3 : shifted - 9;
        out.append(era * 400 + year + (month <= 2 ? 1 : 0));
        two(out.append('-'), month);
        two(out.append('-'), ofYear - (153 * shifted + 2) / 5 + 1);
    }

    private static StringBuilder two(StringBuilder out, int n) {
        return out.append((char) ('0' + n / 10)).append((char) ('0' + n % 10));
    }

    private IsoTime() {}
}
