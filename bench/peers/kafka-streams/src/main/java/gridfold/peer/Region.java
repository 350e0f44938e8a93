package gridfold.peer;

/** One region of an asset's state machine: where it is, since when, and the number of the transition at that time. */
final class Region {
    final String name;
    private final String[] states;
    int state;
    long since;
    int nth;
    /** Whether the state in which it is now has still to be told. Always false between turns. */
    private boolean isNews;

    Region(String name, String... states) {
        this.name = name;
        this.states = states;
    }

    /** Stands in the state it begins with, or is heard of there first. */
    void begin(int state, long t) {
        this.state = state;
        since = t;
        nth = 0;
        isNews = true;
    }

    /** Enters `to` at `t`, which never lies before the last change; tells the transition and the state that ended. */
    void enter(int to, long t, String cause, Facts facts) {
        if (to == state) return;
        nth = since == t ? nth + 1 : 0;
        facts.transition(name, states[state], states[to], t, nth, cause, t - since);
        if (since < t) facts.interval(name, states[state], since, t);
        state = to;
        since = t;
        isNews = true;
    }

    /** Tells the state in which it is, if that is news. */
    void tell(Facts facts) {
        if (!isNews) return;
        isNews = false;
        facts.interval(name, states[state], since, Facts.OPEN);
    }
}
