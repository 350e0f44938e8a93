package gridfold.peer;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** What the command line says. */
record PeerOptions(
        Mode mode,
        String brokers,
        String topic,
        String derived,
        String applicationId,
        int threads,
        String stateDir,
        long commitIntervalMs,
        long cacheBytes,
        String compression,
        boolean stopAtEnd) {
    enum Mode { FOLD, CONSUME }

    static final String USAGE = """
            java -jar peer.jar --brokers HOST:PORT --topic NAME
              --mode fold|consume       fold (default), or decode each value and drop it
              --derived NAME            topic of the derived events (fold)
              --application-id ID       (fold)
              --state-dir DIR           (fold)
              --threads N               1
              --commit-interval-ms N    500 (fold)
              --cache-bytes N           268435456, of the state store (fold)
              --compression NAME        none, gzip, snappy, lz4 or zstd, of what it writes (fold)
              --stop-at-end             stop when all that stood in the topic at the start is done (fold; consume always)
            """;

    private static final Set<String> NAMES = Set.of("mode", "brokers", "topic", "derived", "application-id", "threads",
            "state-dir", "commit-interval-ms", "cache-bytes", "compression");

    /** Throws IllegalArgumentException with what is wrong. */
    static PeerOptions parse(String[] args) {
        Map<String, String> given = new HashMap<>();
        boolean stopAtEnd = false;
        for (int i = 0; i < args.length; i++) {
            String name = args[i].startsWith("--") ? args[i].substring(2) : "";
            if (name.equals("stop-at-end")) stopAtEnd = true;
            else if (NAMES.contains(name) && i + 1 < args.length) given.put(name, args[++i]);
            else throw new IllegalArgumentException("unknown option or no value: " + args[i]);
        }
        Mode mode = Mode.valueOf(given.getOrDefault("mode", "fold").toUpperCase(Locale.ROOT));
        boolean isFold = mode == Mode.FOLD;
        return new PeerOptions(
                mode,
                required(given, "brokers"),
                required(given, "topic"),
                isFold ? required(given, "derived") : "",
                isFold ? required(given, "application-id") : "",
                Integer.parseInt(given.getOrDefault("threads", "1")),
                isFold ? required(given, "state-dir") : "",
                Long.parseLong(given.getOrDefault("commit-interval-ms", "500")),
                Long.parseLong(given.getOrDefault("cache-bytes", "268435456")),
                given.getOrDefault("compression", "none"),
                stopAtEnd);
    }

    private static String required(Map<String, String> given, String name) {
        String value = given.get(name);
        if (value == null) throw new IllegalArgumentException("--" + name + " is missing");
        return value;
    }
}
