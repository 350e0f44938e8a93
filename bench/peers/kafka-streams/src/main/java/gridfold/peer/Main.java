package gridfold.peer;

/** Entry: folds or consumes a topic and prints one line of JSON about it. */
public final class Main {
    public static void main(String[] args) throws Exception {
        PeerOptions options;
        try {
            options = PeerOptions.parse(args);
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage() + "\n" + PeerOptions.USAGE);
            System.exit(2);
            return;
        }
        RunMeter meter = new RunMeter();
        switch (options.mode()) {
            case FOLD -> StreamsPeer.run(options, meter);
            case CONSUME -> ConsumerPeer.run(options, meter);
        }
    }

    private Main() {}
}
