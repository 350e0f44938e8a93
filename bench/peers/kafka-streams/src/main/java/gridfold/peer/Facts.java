package gridfold.peer;

/** Where the facts go that a fold states. Times are epoch milliseconds, energies Wh. */
interface Facts {
    /** End of an interval that lasts. */
    long OPEN = -1;
    /** Of a transition from a state that had no beginning. */
    long NO_DURATION = -1;

    void transition(String region, String from, String to, long at, int nth, String cause, long leftAfterMs);

    void interval(String region, String state, long fromTime, long toTime);

    void energy(long startTime, double inWh, double outWh, boolean isCounted, int coveredMs);

    void meters(long startTime, double loadWh, double solarWh, double importWh, double exportWh, int coveredMs);
}
